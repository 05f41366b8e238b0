import type { Context } from "../context";
import { TenantryError } from "../platform/errors";
import type { PreviewOf } from "./order";

export interface PreviewDown {
  /** Names of databases. */
  readonly deleted: readonly string[];
  /** What stays all the same, and why. */
  readonly left: readonly { readonly name: string; readonly why: string }[];
}

/** Deletes every branch of a pull request in a group. */
export async function previewDown(_context: Context, _of: PreviewOf): Promise<PreviewDown> {
  throw new TenantryError("unsupported", "Preview branches cannot be taken down by this version yet.");
}
