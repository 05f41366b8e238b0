import type { Context } from "../../context";
import { TenantryError } from "../../platform/errors";
import { Unfinished } from "../handler";
import { restoreCommand } from "../../registry/commands";
import { parseSelf } from "../self";
import { isIn } from "../tenant-database/acquire";
import { createTenantDatabase } from "../tenant-database/create";
import type { TenantDatabaseOutputs } from "../tenant-database/outputs";
import { removeTenantDatabase } from "../tenant-database/remove";
import { updateTenantDatabase } from "../tenant-database/update";
import type { Change } from "./changes";
import type { TenantFleetInputs } from "./inputs";
import {
  type FleetRecord,
  type MadeRecord,
  type Profiles,
  addressOf,
  databaseInputs,
  databaseOutputs,
  ownerOf,
  recordOf,
} from "./record";
import type { RosterTenant } from "./roster";

/** What single tenants are settled with. */
export interface Settling {
  readonly context: Context;
  /** The fleet as it is declared, and as its records were made. */
  readonly news: TenantFleetInputs;
  readonly olds: Pick<TenantFleetInputs, "self" | "connection">;
  readonly scope: string;
  readonly profiles: Profiles;
  /** Takes a line for the reader. */
  readonly note: (text: string) => Promise<void>;
}

/** Comes to own a tenant's database, with its settings; a failure that left one is an Unfinished with its record. */
export async function createTenant(on: Settling, tenant: RosterTenant): Promise<MadeRecord> {
  const { context, news, profiles } = on;
  return asRecord(tenant.id, profiles, async () => {
    const { id, outputs } = await createTenantDatabase(databaseInputs(news, tenant), context, {
      ownedByIncarnation: true,
      isAwaited: false,
    });
    return { owner: id, outputs };
  });
}

/** Brings a tenant to what is declared, its schema excepted: that is the rollout's. */
export async function changeTenant(on: Settling, { record, tenant }: Change): Promise<MadeRecord> {
  const { context, news, olds, scope, profiles, note } = on;
  const owner = ownerOf(record);
  return asRecord(tenant.id, profiles, async () => {
    const before = databaseOutputs({ ...olds, scope }, record, context);
    const outputs = await updateTenantDatabase(owner, before, databaseInputs(news, tenant), context, note);
    // Which schema it has is said by the rollout, once it has it; without one it is recorded here.
    return { owner, outputs: tenant.schema === undefined ? outputs : { ...outputs, schema: before.schema } };
  });
}

async function asRecord(
  id: string,
  profiles: Profiles,
  work: () => Promise<{ owner: string; outputs: TenantDatabaseOutputs }>,
): Promise<MadeRecord> {
  try {
    const { owner, outputs } = await work();
    return recordOf(id, outputs, owner, profiles);
  } catch (error) {
    if (!(error instanceof Unfinished)) throw error;
    const record = recordOf(id, error.outputs as TenantDatabaseOutputs, error.id, profiles, "failed");
    throw new Unfinished(error.reason, error.id, record);
  }
}

/** As its own policy says. Answers a line for the reader, if there is something to say. */
export async function removeTenant(
  on: Pick<Settling, "context" | "olds" | "scope">,
  record: FleetRecord,
): Promise<string | undefined> {
  const { context, olds, scope } = on;
  const { databaseId, hostname, incarnation } = record;
  if (databaseId === undefined || hostname === undefined || incarnation === undefined) return forget(on, record);
  const made = { ...record, databaseId, hostname, incarnation };
  return removeTenantDatabase(ownerOf(made), databaseOutputs({ ...olds, scope }, made, context), context);
}

/**
 * Nothing is known to exist. An intent of ours may have come true all the same, its reply lost: that database is ours, and
 * nobody else knows of it. What is in the trash, where a run that died has put it, stays there.
 */
async function forget(
  { context, olds, scope }: Pick<Settling, "context" | "olds" | "scope">,
  record: FleetRecord,
): Promise<string | undefined> {
  const { stack } = parseSelf(olds.self);
  const registry = await context.existingRegistry(record.profile.group, stack);
  const claim = await registry?.find("database", record.name);
  if (!registry || claim?.address !== addressOf(olds.self, record.id)) return;
  if (claim.state === "trashed") return `${claim.name}: in the trash; \`${restoreCommand(claim)}\` brings it back`;
  const present = await context.platform.getDatabase(claim.name);
  // Names are unique in an organization, and a claim is of one group: elsewhere it is somebody else's.
  const found = present && isIn(record.profile.group, present) ? present : undefined;
  const isOurs = found !== undefined && claim.databaseId === undefined && !claim.existed;
  if (found && claim.databaseId === found.id) {
    throw new TenantryError("database-not-found", `${record.id}: its database was gone, and is there again.`, {
      fix: "Run `pulumi refresh` first.",
    });
  }
  if (!isOurs) return registry.release(claim).then(() => undefined);
  const { id: databaseId, hostname } = found;
  const made = { ...record, databaseId, hostname, incarnation: claim.incarnation };
  return removeTenantDatabase(claim.owner, databaseOutputs({ ...olds, scope }, made, context), context);
}
