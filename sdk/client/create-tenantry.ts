import { resolve } from "node:path";
import { TenantryError } from "../../provider/platform/errors";
import { didYouMean } from "../../provider/platform/did-you-mean";
import type { Platform } from "../../provider/platform/platform";
import { selectPlatform } from "../../provider/platform/select";
import { registryName, templateName } from "../../provider/registry/reserved-names";
import { migrate } from "../../provider/rollout/migrate";
import { digestOf, readMigrations } from "../../provider/rollout/source";
import { parseTemplateRef } from "../../provider/rollout/template-ref";
import type { Ground, Template } from "./ground";
import { type ConnectionOptions, optionNames, refuseUnknownOptions, settingsFrom } from "./options";
import { type CacheSettings, type Defaults, type Sources, type Tenantry, tenantryOn } from "./tenantry";

export interface TenantryOptions extends ConnectionOptions, Sources, Defaults {
  /** Folders of migrations, by the names that `provision` calls them: what the SchemaTemplates of that name read. */
  readonly templates?: Readonly<Record<string, string>>;
  readonly cache?: CacheSettings;
}

/**
 * The run-time library for one organization: connects to tenants, and makes and ends them. Several may live in one
 * process. Options win over the environment; nothing is asked of the platform before it is needed.
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
  refuseUnknownOptions(options, [...optionNames, "templates"]);
  const { platform, organization, token, apiUrl, databaseUrl, templates = {}, ...rest } = options;
  const given = { platform, organization, token, apiUrl, databaseUrl };
  let selected: Platform | undefined;
  const select = (): Platform => (selected ??= selectPlatform(settingsFrom(given, process.env)));
  if (!rest.tokenFor) select();
  const ground: Ground = { platform: select, registryName, templateName, template: templatesFrom(templates) };
  return tenantryOn(ground, rest);
}

/** Read once: a file that changes under a running application is not meant for it. */
function templatesFrom(folders: Readonly<Record<string, string>>): Ground["template"] {
  const read = new Map<string, Template>();
  return (text) => {
    const known = read.get(text);
    if (known) return known;
    const ref = parseTemplateRef(text);
    const name = ref?.name ?? text;
    const folder = Object.hasOwn(folders, name) ? folders[name]! : ref?.path;
    if (folder === undefined) {
      const names = Object.keys(folders);
      const guess = didYouMean(name, names);
      throw new TenantryError(
        "invalid-input",
        `template: there is no "${name}"${guess ? `; did you mean "${guess}"?` : "."}`,
        {
          fix: 'Name its folder: createTenantry({ templates: { app: "./migrations" } }), or pass a SchemaTemplate\'s ref.',
        },
      );
    }
    const { migrations } = readMigrations(resolve(folder), folder, ref?.format);
    const digest = digestOf(migrations);
    if (ref && ref.digest !== digest) {
      throw new TenantryError("migration-invalid", `template: the files in "${folder}" are not those of "${text}".`, {
        fix: "Ship the folder that the template was deployed with.",
      });
    }
    const template: Template = {
      name,
      version: migrations.at(-1)!.id,
      digest,
      copied: ref?.start !== "migrate",
      bringUp: async (sql, database) => void (await migrate({ sql, database, migrations, run: undefined })),
    };
    read.set(text, template);
    return template;
  };
}
