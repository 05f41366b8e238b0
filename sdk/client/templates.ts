import { resolve } from "node:path";
import { didYouMean } from "../../provider/platform/did-you-mean";
import { TenantryError } from "../../provider/platform/errors";
import { readHistory } from "../../provider/rollout/adoption";
import { isAhead } from "../../provider/rollout/fleet/plan";
import { migrate, standingIn } from "../../provider/rollout/migrate";
import { type MigrationFormat, digestOf, readMigrations } from "../../provider/rollout/source";
import { type TemplateRef, parseTemplateRef } from "../../provider/rollout/template-ref";
import type { Ground, Template } from "./ground";

export interface TemplateFolder {
  readonly folder: string;
  /** @default detected */
  readonly format?: MigrationFormat;
  /** @default "template" */
  readonly seedFrom?: "template" | "migrations";
}

/** Read once: a file that changes under a running application is not meant for it. */
export function templatesFrom(folders: Readonly<Record<string, TemplateFolder>>): Ground["template"] {
  const read = new Map<string, Template>();
  return (text) => {
    const known = read.get(text);
    if (known) return known;
    const template = readTemplate(folders, text);
    read.set(text, template);
    return template;
  };
}

function readTemplate(folders: Readonly<Record<string, TemplateFolder>>, text: string): Template {
  const ref = parseTemplateRef(text);
  const name = ref?.name ?? text;
  const source = Object.hasOwn(folders, name) ? folders[name]! : ref && folderOf(ref);
  if (!source) {
    const guess = didYouMean(name, Object.keys(folders));
    const what = `template: there is no "${name}"${guess ? `; did you mean "${guess}"?` : "."}`;
    const fix =
      'Name its folder in createTenantry({ templates: { app: "./migrations" } }), or pass a SchemaTemplate\'s ref.';
    throw new TenantryError("invalid-input", what, { fix });
  }
  const { folder, format } = source;
  const { migrations } = readMigrations(resolve(folder), folder, format);
  const digest = digestOf(migrations);
  if (ref && ref.digest !== digest) {
    throw new TenantryError("migration-invalid", `template: the files in "${folder}" are not those of "${text}".`, {
      fix: "Ship the folder that the template was deployed with.",
    });
  }
  return {
    ...{ name, digest, version: migrations.at(-1)!.id },
    copied: (ref?.start ?? source.seedFrom) !== "migrate" && source.seedFrom !== "migrations",
    async bringUp(sql, database) {
      const history = await readHistory(sql);
      // A newer deploy has been here: it is complete for what this application knows.
      if (history.ledger.length > 0 && isAhead(history.ledger, migrations)) return;
      const standing = standingIn(history, migrations, database);
      await migrate({ sql, database, migrations, run: undefined, standing });
    },
  };
}

const folderOf = ({ path, format }: TemplateRef): TemplateFolder => ({ folder: path, format });
