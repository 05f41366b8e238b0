import { isLoopback } from "../http/dispatcher";
import { redact } from "../http/redact";
import { didYouMean } from "./did-you-mean";
import { TenantryError } from "./errors";

/** A configured value and where it came from, in the reader's words. */
export interface Setting {
  readonly value: string;
  readonly source: string;
}

/** Names of parameters whose value is nobody's business. */
const credential = /token|jwt|password|secret|credential|api[_-]?key|^auth/i;

/** True for a value that must not be repeated: it holds what has the shape of a credential. */
function holdsCredential(value: string): boolean {
  return redact(value) !== value;
}

function invalid({ source }: Setting, what: string, fix: string): TenantryError {
  return new TenantryError("invalid-input", `${source}: ${what}.`, { fix });
}

/** The control plane's address without a slash or "/v1" at its end. A plain http address must be this machine's own. */
export function checkApiUrl(setting: Setting, plainAnywhere: boolean): string {
  const fix = "Write it like https://api.turso.tech.";
  const url = URL.canParse(setting.value) ? new URL(setting.value) : undefined;
  // The value is not repeated: an address with a password in it is one of the ways to be wrong.
  if (!url || !/^https?:$/.test(url.protocol)) throw invalid(setting, "it is not an http or https address", fix);
  if (url.username || url.password) throw invalid(setting, "an address with a user name or password is refused", fix);
  if (url.search || url.hash) throw invalid(setting, "an address with a query or a fragment is refused", fix);
  if (url.protocol === "http:" && !plainAnywhere && !isLoopback(url.hostname)) {
    throw invalid(setting, `plain http would send the token unencrypted to ${url.hostname}`, "Use https.");
  }
  // Turso's own SDK takes its base address with the version at its end; the driver adds the version itself.
  return url.href.replace(/\/+$/, "").replace(/\/v1$/, "").replace(/\/+$/, "");
}

/** A template of database addresses. It ends up in outputs in clear, so that no secret may stand in it. */
export function checkDatabaseUrl(setting: Setting): string {
  const fix = "Write a template such as libsql://{hostname} or http://127.0.0.1:9000/db/{name}/.";
  const { value } = setting;
  const exposed = (): TenantryError => invalid(setting, "a secret in it would be shown in outputs", fix);
  // First, since what is said of other mistakes repeats a part of it.
  if (holdsCredential(value)) throw exposed();
  const stray = value.match(/\{[^}]*\}/g)?.find((part) => part !== "{name}" && part !== "{hostname}");
  if (stray) throw invalid(setting, `${stray} is neither {name} nor {hostname}`, fix);
  if (!/\{(?:name|hostname)\}/.test(value)) throw invalid(setting, "it holds neither {name} nor {hostname}", fix);
  const example = value.replaceAll("{name}", "a").replaceAll("{hostname}", "a.example");
  const url = URL.canParse(example) ? new URL(example) : undefined;
  if (!url || !/^(?:libsql|https?):$/.test(url.protocol))
    throw invalid(setting, "it is not a libsql, https or http address", fix);
  if (url.username || url.password) throw exposed();
  for (const name of url.searchParams.keys()) if (credential.test(name)) throw exposed();
  if (url.hash) throw invalid(setting, "an address with a fragment is refused", fix);
  return value;
}

export function checkOrganization(setting: Setting): string {
  const { value } = setting;
  const fix = "Use the slug that `turso org list` shows.";
  // Requests, outputs and messages name the organization.
  if (holdsCredential(value)) throw invalid(setting, "it is a token rather than an organization's slug", fix);
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(value)) return value;
  throw invalid(setting, `"${value}" is not an organization's slug`, fix);
}

/** Only that it can travel in a header; what it is, the driver judges. */
export function checkToken(setting: Setting): string {
  if (/^[\x21-\x7e]+$/.test(setting.value)) return setting.value;
  throw invalid(
    setting,
    "it holds spaces or characters that no token has",
    "Set the token again, without quotes or line breaks.",
  );
}

/** That it is whole: a key that is cut off signs as well as any, and opens nothing. */
export function checkSigningKey(setting: Setting): string {
  if (/^tenantry_signing_[\w-]{43}$/.test(setting.value)) return setting.value;
  throw invalid(
    setting,
    'it does not look like "tenantry_signing_..." of 60 characters',
    "Set the whole key, as `npx tenantry keygen` printed it.",
  );
}

export function wholeNumber(setting: Setting, least: number, most: number): number {
  const number = /^\d+$/.test(setting.value) ? Number(setting.value) : NaN;
  if (number >= least && number <= most) return number;
  throw invalid(
    setting,
    `"${setting.value}" is not a whole number from ${least} to ${most}`,
    "Write a number in that range.",
  );
}

/** An unknown setting is a setting that silently does not hold. */
export function refuseUnknownKeys(config: object, known: readonly string[], prefix: string): void {
  for (const key of Object.keys(config)) {
    if (known.includes(key)) continue;
    const guess = didYouMean(key, known);
    throw new TenantryError(
      "invalid-input",
      `${prefix}${key}: there is no such setting${guess ? `; did you mean "${guess}"?` : "."}`,
      { fix: `Known settings: ${known.join(", ")}.` },
    );
  }
}
