import type { Platform } from "../../platform/platform";
import { type TenantDatabaseInputs } from "../tenant-database/inputs";
import type { TenantDatabaseOutputs } from "../tenant-database/outputs";
import type { CommonInputs } from "../handler";
import { type RosterTenant, orderedKeys, profileKeys } from "./roster";

/**
 * How a tenant of a fleet stands. ready: as declared. failed: not brought there, and tried again by the next `up`.
 * skipped, quarantined, unknown: as a rollout left it, behind its schema. changed: somebody has changed its settings since.
 * gone: its database is not there any more, and is made anew. expired: its time was over. removing: it is declared no
 * longer, and could not be removed yet.
 */
export const fleetStates = [
  ...(["ready", "failed", "skipped", "quarantined", "unknown", "changed", "gone", "expired", "removing"] as const),
] as const;
export type FleetState = (typeof fleetStates)[number];

/** What is declared of a tenant beside its identity; tenants that are declared alike share one. */
export type Profile = Omit<RosterTenant, "id" | "name" | "expiresAt">;

/** What state keeps of a tenant: all that is needed to look at it and to delete it without the program. */
export interface FleetRecord {
  readonly id: string;
  readonly name: string;
  /** What was declared and is in force. Managed settings hold observed values. */
  readonly profile: Profile;
  readonly state: FleetState;
  /** Absent, like the next two, where there is no database. */
  readonly databaseId?: string;
  readonly hostname?: string;
  readonly incarnation?: string;
  /** Who has it in the registry; absent: its incarnation. */
  readonly owner?: string;
  /** Last migration that it has. */
  readonly schemaVersion?: string;
  readonly expiresAt?: string;
  readonly adopted?: true;
}

/** A record of a database that exists. */
export type MadeRecord = FleetRecord & Required<Pick<FleetRecord, "databaseId" | "hostname" | "incarnation">>;
export const isMade = (record: FleetRecord | undefined): record is MadeRecord => record?.databaseId !== undefined;

/** Finds the one object of profiles that read alike, so that they are compared by identity and stored once. */
export interface Profiles {
  of(from: Profile): Profile;
}

export function createProfiles(): Profiles {
  const known = new Map<string, Profile>();
  return {
    of(from) {
      const profile = orderedKeys(from, profileKeys) as Profile;
      const text = JSON.stringify(profile);
      const same = known.get(text);
      if (same) return same;
      known.set(text, profile);
      return profile;
    },
  };
}

/** The registry's address of a tenant: `organization/project/stack/fleet/tenant`. */
export const addressOf = (fleet: string, id: string): string => `${fleet}/${encodeURIComponent(id)}`;

export type FleetAddress = Pick<CommonInputs, "self" | "formerly" | "connection">;

/** What of a platform tells addresses. */
export interface Addresses {
  readonly platform: Pick<Platform, "databaseUrl">;
}

/** A tenant of a fleet as a database of its own would be declared. */
export function databaseInputs(fleet: FleetAddress, { id, ...declared }: RosterTenant): TenantDatabaseInputs {
  return {
    ...declared,
    tenant: id,
    self: addressOf(fleet.self, id),
    formerly: fleet.formerly?.map((address) => addressOf(address, id)),
    connection: fleet.connection,
  };
}

export const ownerOf = ({ owner, incarnation }: MadeRecord): string => owner ?? incarnation;

/** A record as the state of a database of its own would be. */
export function databaseOutputs(
  fleet: FleetAddress & { readonly scope: string },
  record: MadeRecord,
  context: Addresses,
): TenantDatabaseOutputs {
  const { id, name, databaseId, hostname, incarnation } = record;
  return {
    ...databaseInputs(fleet, { id, name, ...record.profile }),
    expiresAt: record.expiresAt,
    scope: fleet.scope,
    databaseId,
    hostname,
    url: context.platform.databaseUrl({ name, hostname }),
    schemaVersion: record.schemaVersion,
    status: record.state === "expired" ? "expired" : "ready",
    incarnation,
    adopted: record.adopted,
  };
}

/** The record of a database as it then is. `owner`: who has it in the registry. */
export function recordOf(
  id: string,
  outputs: TenantDatabaseOutputs,
  owner: string,
  profiles: Profiles,
  state: FleetState = "ready",
): MadeRecord {
  return {
    id,
    name: outputs.name,
    profile: profiles.of(outputs),
    state: outputs.status === "expired" ? "expired" : state,
    databaseId: outputs.databaseId,
    hostname: outputs.hostname,
    incarnation: outputs.incarnation,
    ...(owner === outputs.incarnation ? {} : { owner }),
    ...(outputs.schemaVersion === undefined ? {} : { schemaVersion: outputs.schemaVersion }),
    ...(outputs.expiresAt === undefined ? {} : { expiresAt: outputs.expiresAt }),
    ...(outputs.adopted ? { adopted: true } : {}),
  };
}
