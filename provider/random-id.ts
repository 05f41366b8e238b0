/** A short random name: 12 base-36 characters, about 62 bits: short, because state holds two of them a tenant. */
export function randomId(): string {
  let id = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(12))) id += (byte % 36).toString(36);
  return id;
}
