import type { Platform } from "../../provider/platform/platform";
import { selectPlatform } from "../../provider/platform/select";
import { registryName, templateName } from "../../provider/registry/reserved-names";
import type { Ground } from "./ground";
import { readManifest } from "./manifest-file";
import { type ConnectionOptions, optionNames, refuseUnknownOptions, settingsFrom } from "./options";
import { previewOn } from "./preview";
import type { Sources } from "./tenant-access";
import { templatesFrom } from "./templates";
import { fromVariables } from "./variables";
import { type CacheSettings, type Defaults, type Tenantry, tenantryOn } from "./tenantry";

export interface TenantryOptions extends ConnectionOptions, Sources, Defaults {
  /** Folders of migrations, by the names that `provision` calls them: what the SchemaTemplates of that name read. */
  readonly templates?: Readonly<Record<string, string>>;
  /**
   * A manifest, file or folder, which the application ships along: who its tenants are, where new ones may be put, and
   * what their plan gives them. Its platform and organization count where nothing else says them.
   */
  readonly manifest?: string;
  /**
   * The variables that hold each tenant's address and token, such as "TENANT_{ID}": what `tenantry fleet tokens
   * --to-env-file` writes. `urlFor` and `tokenFor` go before them. @default none: the platform is asked
   */
  readonly variables?: string;
  readonly cache?: CacheSettings;
}

/**
 * The run-time library for one organization: connects to tenants, and makes and ends them. Several may live in one
 * process. Options win over the environment; nothing is asked of the platform before it is needed. With TENANTRY_PREVIEW
 * set it opens the branches of a pull request, and refuses everything else.
 *
 * Fails with "not-configured", "credentials-missing" or "invalid-input"; what is not needed, because `tokenFor` is given,
 * is missed only where it is used.
 *
 * ```ts
 * const tenantry = createTenantry({ platform: "local", group: "eu", access: "full-access" });
 * const { database } = await tenantry.provision("user-1234");
 * const db = await tenantry.connect({ subject: "user-1234" });
 * await db.execute("SELECT 1");
 * ```
 */
export function createTenantry(options: TenantryOptions = {}): Tenantry {
  refuseUnknownOptions(options, [...optionNames, "templates", "manifest", "variables"]);
  const { platform, organization, token, apiUrl, databaseUrl, signingKey, ...others } = options;
  const { preview = process.env["TENANTRY_PREVIEW"], templates = {}, manifest: path, variables, ...own } = others;
  const rest = { ...(variables === undefined ? {} : fromVariables(variables, process.env)), ...own };
  const manifest = path === undefined ? undefined : readManifest(path, rest.group);
  const tenants = { ...manifest?.tenants, ...rest.tenants };
  if (preview !== undefined) return previewOn(preview, { tenants, cache: rest.cache });
  const given = { platform, organization, token, apiUrl, databaseUrl, signingKey };
  let selected: Platform | undefined;
  const select = (): Platform => (selected ??= selectPlatform(settingsFrom(given, process.env, manifest)));
  if (!rest.tokenFor) select();
  const folders = Object.fromEntries(Object.entries(templates).map(([name, folder]) => [name, { folder }]));
  const ground: Ground = {
    ...{ platform: select, registryName, templateName, place: manifest?.place },
    template: templatesFrom({ ...manifest?.templates, ...folders }),
  };
  return tenantryOn(ground, { ...rest, tenants });
}
