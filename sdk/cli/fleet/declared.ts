import { relative, resolve } from "node:path";
import { TenantryError } from "../../../provider/platform/errors";
import { projectFolder } from "../../../provider/project-folder";
import type { TenantFleetInputs } from "../../../provider/resources/tenant-fleet/inputs";
import { type RosterTenant, newestRoster, readRoster } from "../../../provider/resources/tenant-fleet/roster";
import { digestOf, readMigrations } from "../../../provider/rollout/source";
import { formatTemplateRef } from "../../../provider/rollout/template-ref";
import type { ManifestSchema } from "../../manifest/definition";
import { loadManifest } from "../../manifest/load";
import { resolveManifest } from "../../manifest/resolve";

/** What a fleet's state is compared with. */
export interface Declared extends Pick<TenantFleetInputs, "maxRemovals" | "rollout"> {
  readonly tenants: readonly RosterTenant[];
  /** Where they are from, for the reader. */
  readonly words: string;
  readonly manifest: string | undefined;
  /** When the program wrote it. */
  readonly writtenAt: Date | undefined;
}

/** The manifest as it is now, with its migrations as they are on disk: what a program that takes it would declare. */
export function fromManifest(path: string, group: string | undefined): Declared {
  const { tenants, schemas, maxRemovals, rollout } = resolveManifest(loadManifest(path), { group });
  const refs = new Map(Object.entries(schemas).map(([name, schema]) => [name, refOf(name, schema)]));
  const withRefs = tenants.map((tenant) =>
    tenant.schema === undefined ? tenant : { ...tenant, schema: refs.get(tenant.schema) ?? tenant.schema },
  );
  return {
    tenants: withRefs,
    words: path,
    manifest: path,
    writtenAt: undefined,
    ...{ maxRemovals, rollout: rollout as Declared["rollout"] },
  };
}

function refOf(name: string, { migrations: folder, format, seedFrom }: ManifestSchema): string {
  const { migrations } = readMigrations(resolve(folder), folder, format);
  return formatTemplateRef({
    name,
    version: migrations.at(-1)!.id,
    digest: digestOf(migrations),
    path: relative(projectFolder(), resolve(folder)).replaceAll("\\", "/") || ".",
    start: seedFrom === "migrations" ? "migrate" : "copy",
    rollout: true,
    format: format === "auto" ? undefined : format,
  });
}

/** The newest roster of a fleet: what the program declared when it ran last, in a preview too. */
export function fromRoster(fleet: string, folder: string): Declared {
  const at = resolve(projectFolder(), folder);
  const newest = newestRoster(at);
  if (!newest) {
    throw new TenantryError("invalid-input", `What fleet "${fleet}" is to be is not known: ${folder} has no roster.`, {
      fix: "Run `pulumi preview`, which writes one, or pass --manifest.",
    });
  }
  const { digest, writtenAt } = newest;
  return {
    tenants: readRoster(at, digest).tenants,
    words: `what the program declared at ${writtenAt.toISOString()}`,
    ...{ manifest: undefined, writtenAt, maxRemovals: undefined, rollout: undefined },
  };
}
