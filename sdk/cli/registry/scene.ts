import type { Config } from "../../../provider/platform/connections";
import { SqlError, TenantryError } from "../../../provider/platform/errors";
import {
  type Platform,
  type PlatformDatabase,
  type PlatformGroup,
  scopeText,
} from "../../../provider/platform/platform";
import { selectPlatform } from "../../../provider/platform/select";
import { type SettingName, readSettings } from "../../../provider/platform/settings";
import { type RecordedClaim, inspectClaims, withRegistrySql } from "../../../provider/registry/inspect";
import { openMoves } from "../../../provider/registry/move";
import { registryName } from "../../../provider/registry/reserved-names";
import { readStackConfig } from "../stack-config";
import { type Stack, type StackState, findStack, readState } from "../stack";

export interface SceneFlags extends Partial<Record<SettingName, string>> {
  readonly stack?: string;
  readonly connection?: string;
  readonly group?: string;
}

/** What the verbs of `tenantry registry` look at: a platform, its registries, and the state to compare them with. */
export interface Scene {
  readonly platform: Platform;
  readonly scope: string;
  /** The organization's slug, where one is configured. */
  readonly organization: string | undefined;
  /** Where the platform's name came from: "tenantry:platform", "--platform". */
  readonly source: string;
  /** The named connection that was asked for; undefined: the stack's own. */
  readonly connection: string | undefined;
  readonly stack: Stack | undefined;
  /** Undefined without a stack. */
  readonly state: StackState | undefined;
  readonly registries: readonly GroupRegistry[];
  /** Said of what could not be looked at. */
  readonly notes: readonly string[];
  /** Every database of the organization as listed. */
  readonly databases: ReadonlyMap<string, PlatformDatabase>;
}

export interface GroupRegistry {
  readonly group: PlatformGroup;
  /** The registry's own; undefined where Tenantry has made nothing in the group. */
  readonly database: PlatformDatabase | undefined;
  readonly claims: readonly RecordedClaim[];
  /** What was handed over and nobody has taken yet, with the address that it came from, in the claims' terms. */
  readonly untaken: ReadonlyMap<RecordedClaim, string>;
}

/** Flags, then environment, then the stack's config: of the stack given, or of the one selected in this folder. */
export async function openScene({ stack: given, connection, group, ...flags }: SceneFlags): Promise<Scene> {
  const stack = await findStack(given);
  const notes: string[] = [];
  const config = await configOf(stack, flags, notes);
  const settings = readSettings(config, process.env, connection, flags);
  const platform = selectPlatform(settings, { impatient: true });
  const scope = scopeText(await platform.scope());
  const state = stack && (await readState(stack));
  const databases = new Map<string, PlatformDatabase>();
  for await (const database of platform.listDatabases()) databases.set(database.name, database);
  const registries: GroupRegistry[] = [];
  for (const one of await groupsOf(platform, group)) {
    if (one.archived) notes.push(`Group "${one.name}" is archived, so its registry was not read.`);
    else registries.push(await readRegistry(platform, one, databases));
  }
  return {
    platform,
    scope,
    organization: settings.organization,
    source: settings.sources.platform ?? "default",
    connection,
    stack,
    state,
    registries,
    notes,
    databases,
  };
}

/** Not needed where flags and environment say it all: a pipeline that reads may have no passphrase. */
async function configOf(stack: Stack | undefined, flags: SceneFlags, notes: string[]): Promise<Config> {
  if (!stack) return {};
  try {
    return await readStackConfig(stack.name);
  } catch (error) {
    if (!(error instanceof TenantryError) || !(flags.platform || process.env["TENANTRY_PLATFORM"])) throw error;
    notes.push(`${error.message} Only flags and the environment were read.`);
    return {};
  }
}

async function groupsOf(platform: Platform, name: string | undefined): Promise<PlatformGroup[]> {
  const groups = await platform.listGroups();
  if (name === undefined) return groups;
  const group = groups.find((one) => one.name === name) ?? (await platform.getGroup(name));
  if (group) return [group];
  throw new TenantryError("group-not-found", `There is no group "${name}".`, {
    fix:
      groups.length > 0 ? `There is ${groups.map((one) => `"${one.name}"`).join(", ")}.` : "There are no groups yet.",
  });
}

async function readRegistry(
  platform: Platform,
  group: PlatformGroup,
  databases: ReadonlyMap<string, PlatformDatabase>,
): Promise<GroupRegistry> {
  const name = registryName(group.name);
  const database = databases.get(name) ?? (await platform.getDatabase(name));
  const nothing = { group, database, claims: [], untaken: new Map<RecordedClaim, string>() };
  if (!database) return nothing;
  try {
    const access = { platform, group: group.name, database, access: "read-only" } as const;
    return await withRegistrySql(access, async (sql) => {
      const claims = await inspectClaims(sql);
      const from = new Map((await openMoves(sql)).map((move) => [keyOf(move.claim), move.from]));
      const untaken = claims.flatMap((claim) =>
        from.has(keyOf(claim)) ? [[claim, from.get(keyOf(claim))!] as const] : [],
      );
      return { group, database, claims, untaken: new Map(untaken) };
    });
  } catch (error) {
    // A run died between making the database and its tables: nothing was claimed there.
    if (error instanceof SqlError && error.message.includes("no such table")) return nothing;
    throw error;
  }
}

const keyOf = ({ kind, name, incarnation }: RecordedClaim): string => `${kind} ${name} ${incarnation}`;
