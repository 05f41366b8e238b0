import { parseTemplateRef } from "../../../provider/rollout/template-ref";
import { type Change, changedProperties } from "../../../provider/resources/tenant-fleet/changes";
import type { FleetRecord } from "../../../provider/resources/tenant-fleet/record";
import type { RosterTenant } from "../../../provider/resources/tenant-fleet/roster";
import type { Comparison } from "./comparison";
import type { KnownFleet, OpenRecord } from "./fleets";

/** Everything, for programs: keys are always there, what is not known is null. */
export function planDocument(comparison: Comparison, { open }: Pick<KnownFleet, "open">): object {
  const { changes, tenants, unchanged, findings, refusal, otherwise } = comparison;
  return {
    ...{ tenants, unchanged },
    create: changes.create.map(created),
    change: changes.change.map(changed),
    replace: changes.replace.map(changed),
    bring: [...changes.bring].map(([schema, those]) => {
      const ref = parseTemplateRef(schema);
      return { template: ref?.name ?? null, version: ref?.version ?? null, tenants: those.map(brought) };
    }),
    remove: changes.remove.map((record) => removed(record, otherwise)),
    unfinished: open.map(unfinished),
    ...{ findings, refusal: refusal?.message ?? null },
  };
}

const created = ({ id, name, group, schema = "" }: RosterTenant): object => ({
  ...{ id, name, group },
  version: parseTemplateRef(schema)?.version ?? null,
});

const changed = (change: Change): object => ({
  ...{ id: change.tenant.id, name: change.record.name, state: change.record.state },
  properties: changedProperties(change),
});

const brought = ({ record: { id, name, schemaVersion } }: Change): object => ({
  ...{ id, name },
  from: schemaVersion ?? null,
});

const removed = (record: FleetRecord, otherwise: Comparison["otherwise"]): object => ({
  ...{ id: record.id, name: record.name, group: record.profile.group },
  database: databaseFate(record, otherwise),
});

export const unfinished = ({ record: { id, name, state, schemaVersion }, why }: OpenRecord): object => ({
  ...{ id, name, state },
  version: schemaVersion ?? null,
  why: why ?? null,
});

/** What becomes of a tenant's database when the tenant is removed. */
export type Fate = "deleted" | "deleted softly" | "kept" | "protected" | "none";

export function databaseFate(
  { databaseId, state, profile, adopted }: FleetRecord,
  otherwise: Comparison["otherwise"],
): Fate {
  if (databaseId === undefined || state === "expired" || state === "gone") return "none";
  const { deletionPolicy = adopted ? "retain" : otherwise } = profile;
  if (deletionPolicy === "retain") return "kept";
  if (profile.deleteProtection) return "protected";
  return deletionPolicy === "soft" ? "deleted softly" : "deleted";
}
