import { randomBytes } from "node:crypto";

/** A short random name: 12 base-36 characters, about 62 bits: short, because state holds two of them a tenant. */
export function randomId(): string {
  return [...randomBytes(12)].map((byte) => (byte % 36).toString(36)).join("");
}
