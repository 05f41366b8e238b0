/**
 * The one place where secrets are taken out of text. Whatever of a request or a reply can reach an error, a log or a
 * diagnostic goes through here first, before it is shortened (half a token is a token too).
 *
 * `secrets` are the values known to the caller; tokens that a reply brought along are found by their shape.
 */
export function redact(text: string, secrets: readonly (string | undefined)[] = []): string {
  let clean = text;
  for (const secret of secrets) {
    if (secret) clean = clean.replaceAll(secret, mark).replaceAll(encodeURIComponent(secret), mark);
  }
  return (
    clean
      // Long enough to be a credential: "missing bearer token" is prose, and shorter ones are known by value.
      .replace(/\b(bearer|basic)\s+[\w.~+/=-]{12,}/gi, `$1 ${mark}`)
      .replace(/\beyJ[\w-]+(?:\.[\w-]*){0,2}|\b(?:local_api|psql_live|tenantry_signing|tenantsdb_sk)_[\w-]+/g, mark)
      .replace(/("?\b\w*(?:jwt|token|password|secret)"?\s*[:=]\s*")[^"]*/gi, `$1${mark}`)
      .replace(/\b((?:auth)?token|jwt|password)=[^\s&"']+/gi, `$1=${mark}`)
      .replace(/(:\/\/[^\s/:@]+:)[^\s/@]+@/g, `$1${mark}@`)
  );
}

const mark = "[redacted]";

/** As much as is looked at of a text for an excerpt: the longest answers would hold up everything for seconds. */
const scanned = 2 ** 16;

/** The beginning of a text on one line, for an error: redacted, then cut. */
export function excerpt(text: string, length = 80, secrets: readonly (string | undefined)[] = []): string {
  const cut = text.length > scanned;
  // Where the text is cut, the last word may be half a secret; none is longer than this.
  const begin = cut ? text.slice(0, scanned - 4_096) + text.slice(scanned - 4_096, scanned).replace(/\S*$/, "") : text;
  const line = redact(begin, secrets).replace(/\s+/g, " ").trim();
  return cut || line.length > length ? `${line.slice(0, length)}...` : line;
}
