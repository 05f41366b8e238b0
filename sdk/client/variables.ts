import { TenantryError } from "../../provider/platform/errors";
import type { Sources } from "./tenant-access";

/** What a tenant's variables begin with, by its id: capitals in place of {ID}, "_" for what no name can have. */
export const variableOf = (pattern: string, id: string): string =>
  pattern.replace("{ID}", () => id.toUpperCase().replace(/[^A-Z0-9]/g, "_"));

/** Stands in <name>_ID where another id could have the same variables; of a plain one they say enough by themselves. */
export const markOf = (id: string): string | undefined =>
  /^[a-z0-9-]+$/.test(id)
    ? undefined
    : encodeURIComponent(id).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16)}`);

/** Addresses and tokens from what `tenantry fleet tokens --to-env-file` writes. Another tenant's are never given out. */
export function fromVariables(pattern: string, env: NodeJS.ProcessEnv): Pick<Sources, "urlFor" | "tokenFor"> {
  if (!pattern.includes("{ID}")) {
    throw new TenantryError("invalid-input", `variables: "${pattern}" has no {ID}, so that all would have the same.`, {
      fix: 'Pass "TENANT_{ID}", or the --name with which they were written.',
    });
  }
  const valueOf = (id: string, what: "URL" | "TOKEN"): string => {
    const name = variableOf(pattern, id);
    const value = env[`${name}_${what}`];
    if (value && env[`${name}_ID`] === markOf(id)) return value;
    const why = value ? `${name}_ID says another tenant than this one` : `${name}_${what} is not set`;
    throw new TenantryError("not-configured", `${id}: ${why}.`, {
      fix: "`npx tenantry fleet tokens --to-env-file` writes it; hand that file to the application.",
    });
  };
  return { urlFor: (id) => valueOf(id, "URL"), tokenFor: (id) => valueOf(id, "TOKEN") };
}
