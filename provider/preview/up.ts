import type { Context } from "../context";
import { TenantryError } from "../platform/errors";
import type { PreviewOrder, PreviewToken } from "./order";
import type { PreviewReport } from "./report";

export interface PreviewUp {
  readonly report: PreviewReport;
  /** By tenant, of those that are ready. */
  readonly tokens: ReadonlyMap<string, PreviewToken>;
}

/** Brings the branches of a pull request to what is ordered. */
export async function previewUp(_context: Context, _order: PreviewOrder): Promise<PreviewUp> {
  throw new TenantryError("unsupported", "Preview branches cannot be made by this version yet.");
}
