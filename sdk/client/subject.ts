import { TenantryError } from "../../provider/platform/errors";

/** Frozen: databases are found again by it. Another way to make names would be another scheme, beside this one. */
export const subjectScheme = "subject-v1";

/** Crockford's base 32: no i, l, o, u. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
/** Characters of 5 bits: 160 bits, so that two subjects never meet; short enough for a host name with an organization. */
const length = 32;
const longest = 256;

/**
 * The name of a subject's database: "t-" and the first 160 bits of SHA-256 over `tenantry-subject-v1`, a zero byte, and
 * the subject's UTF-8 bytes, five bits a character, the highest first. Exact bytes: nothing is trimmed, lowered or
 * normalised. test/fixtures/subject-names.json holds what it answers.
 *
 * Fails with "invalid-input" for other than 1 to 256 characters, and for what has no UTF-8 (half a surrogate pair).
 */
export async function subjectName(subject: string): Promise<string> {
  requireSubject(subject);
  const bytes = new TextEncoder().encode(`tenantry-subject-v1\0${subject}`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  let name = "";
  let bits = 0;
  let buffer = 0;
  for (const byte of digest) {
    buffer = (buffer << 8) | byte;
    for (bits += 8; bits >= 5 && name.length < length; bits -= 5) name += alphabet[(buffer >> (bits - 5)) & 31];
    buffer &= (1 << bits) - 1;
    if (name.length === length) break;
  }
  return `t-${name}`;
}

function requireSubject(subject: unknown): asserts subject is string {
  const wrong = (what: string, fix: string): TenantryError =>
    new TenantryError("invalid-input", `subject: ${what}.`, { fix });
  if (typeof subject !== "string") {
    throw wrong("it is not a string", "Pass the id that your application knows the tenant by.");
  }
  const characters = [...subject].length;
  if (characters < 1 || characters > longest) {
    throw wrong(`it has ${characters} characters`, `Use 1 to ${longest}.`);
  }
  // Encoding puts the same character in the place of each, so that two subjects would be one.
  if (/\p{Surrogate}/u.test(subject))
    throw wrong("half of a surrogate pair stands alone in it", "Pass whole characters.");
}
