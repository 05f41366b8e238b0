import { didYouMean } from "../../provider/platform/did-you-mean";
import { TenantryError, hasCode } from "../../provider/platform/errors";
import { type ConnectionSettings, readSettings } from "../../provider/platform/settings";

/** Which platform, and as whom. In Node.js the environment says what is left out. */
export interface ConnectionOptions {
  /** "turso", "local", "libsql-server", "persql" or "tenantsdb". @default TENANTRY_PLATFORM; there is no other default */
  readonly platform?: string;
  /** The organization's slug. @default TENANTRY_ORGANIZATION, TURSO_ORGANIZATION; on local "local", on PerSQL the token's namespace; TenantsDB: the project's id */
  readonly organization?: string;
  /** A Platform API token. Not needed where `tokenFor` and addresses are given. @default TENANTRY_API_TOKEN, TURSO_API_TOKEN */
  readonly token?: string;
  /** Another address of the Platform API. @default TENANTRY_API_URL, else the platform's */
  readonly apiUrl?: string;
  /** A template of database addresses with `{name}` or `{hostname}`. @default TENANTRY_DATABASE_URL, else the platform's */
  readonly databaseUrl?: string;
  /** On libsql-server, what tokens are signed with. @default TENANTRY_SIGNING_KEY */
  readonly signingKey?: string;
  /**
   * What `tenantry preview up` gave for a pull request, a secret: then its branches are opened, and nothing else; no
   * platform is asked. In Node.js, a variable that is set and empty is an error. @default TENANTRY_PREVIEW, in Node.js
   */
  readonly preview?: string;
}

export const optionNames = [
  ...["platform", "organization", "token", "apiUrl", "databaseUrl", "signingKey", "preview", "cache", "tenants"],
  ...["urlFor", "tokenFor", "group", "template", "access", "tokenTtl"],
];

export function refuseUnknownOptions(options: object, known: readonly string[], of = "createTenantry"): void {
  for (const key of Object.keys(options)) {
    if (known.includes(key)) continue;
    const guess = didYouMean(key, known);
    throw new TenantryError("invalid-input", `${of}: there is no option "${key}".`, {
      fix: guess ? `Did you mean "${guess}"?` : `There are ${known.join(", ")}.`,
    });
  }
}

/** By the words of the refusal. */
const missingOptions = [
  [/token|API key/, "token", "API_TOKEN"],
  [/organization|project/, "organization", "ORGANIZATION"],
  [/admin API/, "apiUrl", "API_URL"],
  [/addresses/, "databaseUrl", "DATABASE_URL"],
  [/signing key/, "signingKey", "SIGNING_KEY"],
  [/./, "platform", "PLATFORM"],
] as const;

/** What is wrong is said of options and variables: an application knows no stack. */
export function settingsFrom(
  { token, ...given }: Omit<ConnectionOptions, "preview">,
  env: NodeJS.ProcessEnv,
  { platform, organization }: Pick<ConnectionOptions, "platform" | "organization"> = {},
): ConnectionSettings {
  try {
    return readSettings({ platform, organization }, env, undefined, { ...given, apiToken: token });
  } catch (error) {
    if (hasCode(error, "not-configured", "credentials-missing")) {
      const [what] = error.message.split(" is configured", 1);
      const [, missing, variable] = missingOptions.find(([word]) => word.test(what!))!;
      throw new TenantryError(error.code, `${what} is configured.`, {
        fix: `Pass ${missing} to createTenantry, or set TENANTRY_${variable} in the environment.`,
      });
    }
    if (!(error instanceof TenantryError)) throw error;
    const { code, fix } = error;
    const what = fix ? error.message.slice(0, -fix.length - 1) : error.message;
    const option = (flag: string): string =>
      flag
        .slice(2)
        .replace("api-token", "token")
        .replace(/-./g, (dash) => dash[1]!.toUpperCase());
    throw new TenantryError(code, what.replace(/^--[a-z-]+/, option), { fix });
  }
}
