import { randomBytes } from "node:crypto";
import { TenantryError } from "./platform/errors";

const head = "tenantry_signing_";
const shape = /^tenantry_signing_([\w-]{43})$/;

/** A new secret for `tenantry:signingKey`: 256 random bits. */
export function newSigningKey(): string {
  return head + randomBytes(32).toString("base64url");
}

/** Its bits. Fails with "invalid-input" where it is none; the message does not repeat it. */
export function seedOf(signingKey: string): Uint8Array {
  const text = shape.exec(signingKey)?.[1];
  if (text) return Buffer.from(text, "base64url");
  throw new TenantryError(
    "invalid-input",
    `tenantry:signingKey: it does not look like "${head}..." of 60 characters.`,
    { fix: "Set the whole key, as `npx tenantry keygen` printed it." },
  );
}
