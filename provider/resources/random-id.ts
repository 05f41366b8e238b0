import { randomBytes } from "node:crypto";

/** A short random name: 16 base-36 characters, about 82 bits. */
export function randomId(): string {
  return [...randomBytes(16)].map((byte) => (byte % 36).toString(36)).join("");
}
