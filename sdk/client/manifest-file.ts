import { loadManifest } from "../manifest/load";
import { resolveManifest } from "../manifest/resolve";
import type { Ground } from "./ground";
import { placeBy } from "./manifest-rules";
import type { KnownTenant } from "./tenant-list";
import type { TemplateFolder } from "./templates";

export interface ReadManifest {
  /** As its head has them, for settings that nothing else says. */
  readonly platform: string | undefined;
  readonly organization: string | undefined;
  readonly tenants: Readonly<Record<string, KnownTenant>>;
  readonly templates: Readonly<Record<string, TemplateFolder>>;
  readonly place: NonNullable<Ground["place"]>;
}

/** Read once, with everything that is wrong with it told at once. `group`: of those for whom it has none. */
export function readManifest(path: string, group: string | undefined): ReadManifest {
  const manifest = loadManifest(path);
  const { platform, organization, tenants, profiles, schemas } = resolveManifest(manifest, { group });
  const folders = Object.entries(schemas).map(([name, { migrations, format, seedFrom }]) => [
    name,
    { folder: migrations, format: format === "auto" ? undefined : format, seedFrom },
  ]);
  const known = tenants.map(({ id, name, group: its, labels }): [string, KnownTenant] => [
    id,
    { name, group: its, labels, access: profiles.get(id)?.tokens?.access },
  ]);
  return {
    ...{ platform, organization },
    tenants: Object.fromEntries(known),
    templates: Object.fromEntries(folders) as Record<string, TemplateFolder>,
    place: placeBy(manifest),
  };
}
