/** A short random name: 12 base-36 characters, about 62 bits: short, because state holds two of them a tenant. */
export function randomId(): string {
  return [...crypto.getRandomValues(new Uint8Array(12))].map((byte) => (byte % 36).toString(36)).join("");
}
