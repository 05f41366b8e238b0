import { z } from "zod";
import { TenantryError } from "../platform/errors";

/** A branch as an application opens it. */
export interface PreviewTenant {
  readonly url: string;
  readonly token: string;
  readonly databaseId: string;
  /** When the token stops working, ISO 8601. */
  readonly expiresAt: string;
}

/** What TENANTRY_PREVIEW says: the branches that an application opens in place of its tenants. It is a secret as a whole. */
export interface PreviewValue {
  readonly v: 1;
  /** "owner/name" */
  readonly repository: string;
  readonly pullRequest: number;
  readonly tenants: Readonly<Record<string, PreviewTenant>>;
}

const shape = z.object({
  v: z.literal(1),
  repository: z.string(),
  pullRequest: z.number().int().positive(),
  tenants: z.record(
    z.string(),
    z.object({ url: z.string(), token: z.string(), databaseId: z.string(), expiresAt: z.string() }),
  ),
});

/** One line of letters, digits, "-" and "_": base64url of JSON. Runs wherever an application does, without Node.js. */
export function encodePreview(value: PreviewValue): string {
  const bytes = new TextEncoder().encode(JSON.stringify(value));
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
}

/** Fails with "invalid-input" for what `tenantry preview up` did not write, without showing any of it. */
export function decodePreview(text: string): PreviewValue {
  let read: unknown;
  try {
    const binary = atob(text.trim().replaceAll("-", "+").replaceAll("_", "/"));
    const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
    read = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw nonsense("it cannot be read");
  }
  if (typeof read === "object" && read !== null && "v" in read && typeof read.v === "number" && read.v > 1) {
    throw nonsense(`it is of format ${read.v}, and this version of tenantry reads format 1`);
  }
  const { success, data } = shape.safeParse(read);
  if (!success) throw nonsense("parts of it are missing");
  return data;
}

const nonsense = (why: string): TenantryError =>
  new TenantryError("invalid-input", `TENANTRY_PREVIEW: this is not what \`tenantry preview up\` wrote: ${why}.`, {
    fix: "Hand on the whole line as it is, or take the variable away to open the tenants themselves.",
  });
