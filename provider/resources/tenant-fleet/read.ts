import type { Context } from "../../context";
import { TenantryError } from "../../platform/errors";
import type { PlatformDatabase } from "../../platform/platform";
import { inTurn } from "../../rollout/fleet/pool";
import { successorOf } from "../handed-over";
import { parseSelf } from "../self";
import { requireScope } from "../scope";
import { configurationChange, declaredConfiguration, observeConfiguration } from "../tenant-database/configuration";
import { asInputs } from "../tenant-database/outputs";
import { reportVersion } from "../tenant-database/schema";
import { isInTrash } from "../tenant-database/trash";
import { count, someOf } from "./change-text";
import { type TenantFleetOutputs, outputsOf } from "./outputs";
import { unpackFleet } from "./pack";
import {
  type FleetRecord,
  type MadeRecord,
  type Profiles,
  createProfiles,
  databaseOutputs,
  isMade,
  ownerOf,
} from "./record";
import { removalLimit } from "./removal-limit";

/**
 * How every tenant stands now: one list for all, each ledger where there is a schema. A platform that suddenly lacks many
 * is more likely another organization, or half an answer, than many deletions: then state is left alone.
 */
export async function readTenantFleet(outputs: TenantFleetOutputs, context: Context): Promise<TenantFleetOutputs> {
  const scope = await requireScope(context, outputs.scope);
  const profiles = createProfiles();
  const records = unpackFleet(outputs.packed, profiles);
  const { byName } = await context.listing.databases();
  const isThere = (record: MadeRecord): boolean => byName.get(record.name)?.id === record.databaseId;
  const absent = records.filter((record) => isMade(record) && record.state !== "expired" && !isThere(record));
  const gone = await confirm(absent as MadeRecord[], outputs, context, records.length);
  const now = new Map<string, FleetRecord>();
  await inTurn(records, context.settings.concurrency, async (record) => {
    if (!isMade(record) || record.state === "expired") return void now.set(record.id, record);
    if (gone.has(record.id)) return void now.set(record.id, goneOne(record));
    const listed = byName.get(record.name);
    const database = listed?.id === record.databaseId ? listed : await context.platform.getDatabase(record.name);
    const same = database?.id === record.databaseId ? database : undefined;
    if (same && (await isInTrash(context, same, databaseOutputs({ ...outputs, scope }, record, context)))) {
      return void now.set(record.id, goneOne(record));
    }
    now.set(record.id, same ? await look(record, same, { ...outputs, scope }, context, profiles) : record);
  });
  const found = records.map(({ id }) => now.get(id)!);
  const whys = new Map(outputs.unfinished.flatMap(({ id, why }) => (why === undefined ? [] : [[id, why] as const])));
  return outputsOf(outputs, { ...outputs, records: found, scope, whys }, context);
}

/**
 * Which of those that the list lacks are gone: each is asked for by itself, up to the limit. Answers ids. What was handed
 * over on purpose is another's to delete: no loss of this fleet's, and not to be made anew.
 */
async function confirm(
  absent: readonly MadeRecord[],
  outputs: TenantFleetOutputs,
  context: Context,
  tenants: number,
): Promise<Set<string>> {
  const ended = ({ expiresAt }: FleetRecord): boolean => expiresAt !== undefined && Date.parse(expiresAt) <= Date.now();
  const limit = removalLimit(outputs, context, tenants);
  const gone = new Set<string>();
  let unexpected = 0;
  await inTurn(
    absent,
    context.settings.concurrency,
    async (record) => {
      const found = await context.platform.getDatabase(record.name);
      if (found?.id === record.databaseId) return;
      const { name, profile } = record;
      const had = { self: outputs.self, group: profile.group, name };
      if ((await successorOf(context, ownerOf(record), had)) !== undefined) return;
      gone.add(record.id);
      if (!ended(record)) unexpected += 1;
    },
    () => unexpected <= limit,
  );
  if (unexpected > limit) {
    throw new TenantryError(
      "too-many-removals",
      `${count(absent.length)} databases of this fleet (more than ${limit}) are not on the platform: ` +
        `${someOf(absent.map(({ name }) => name))}; state was left alone.`,
      {
        fix:
          "Check that this is the right organization; if they are really gone, " +
          "raise the limit for one run with TENANTRY_MAX_REMOVALS.",
      },
    );
  }
  await record(
    absent.filter(({ id }) => gone.has(id)),
    outputs,
    context,
  );
  return gone;
}

/** So that other refreshes do not count them again. Only an index: what cannot be written is no reason to fail. */
async function record(gone: readonly MadeRecord[], { self }: TenantFleetOutputs, context: Context): Promise<void> {
  const { stack } = parseSelf(self);
  await inTurn(gone, context.settings.concurrency, async ({ name, databaseId, profile }) => {
    const registry = await context.existingRegistry(profile.group, stack).catch(() => undefined);
    await registry?.gone(name, databaseId).catch(() => undefined);
  });
}

/** Whoever had an end is not made anew; of the others, the next `up` makes a new, empty one, as for a single tenant. */
function goneOne(made: MadeRecord): FleetRecord {
  const { databaseId: _, hostname: __, incarnation: ___, owner: ____, schemaVersion: _____, ...rest } = made;
  if (made.expiresAt !== undefined && Date.parse(made.expiresAt) <= Date.now()) return { ...made, state: "expired" };
  return { ...rest, state: "gone" };
}

async function look(
  made: MadeRecord,
  database: PlatformDatabase,
  fleet: TenantFleetOutputs,
  context: Context,
  profiles: Profiles,
): Promise<FleetRecord> {
  const outputs = databaseOutputs(fleet, made, context);
  const declared = declaredConfiguration(outputs);
  const observed = await observeConfiguration(context, database, declared);
  const isChanged = configurationChange(observed, declared) !== undefined;
  const profile = isChanged ? profiles.of({ ...made.profile, ...asInputs(outputs, observed) }) : made.profile;
  const version = outputs.schema && (await reportVersion(context, outputs, outputs.schemaVersion));
  const state = made.state === "ready" && (isChanged || version !== made.schemaVersion) ? "changed" : made.state;
  const { schemaVersion: _, ...rest } = made;
  return { ...rest, profile, state, ...(version === undefined ? {} : { schemaVersion: version }) };
}
