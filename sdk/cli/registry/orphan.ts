import type { PlatformDatabase } from "../../../provider/platform/platform";
import type { ClaimKind, ClaimState } from "../../../provider/registry/claim";
import {
  claimCommand,
  reapCommand,
  releaseCommand,
  restoreCommand,
  stackOf,
  undoCommand,
} from "../../../provider/registry/commands";
import { type RecordedClaim, begunAt } from "../../../provider/registry/inspect";
import { isPreviewAddress } from "../../../provider/registry/preview-address";
import { isRuntimeAddress } from "../../../provider/registry/runtime-address";
import { isOurs } from "../../../provider/registry/reserved-names";
import type { Holding, StackState } from "../stack";
import type { GroupRegistry, Scene } from "./scene";

/**
 * unfinished-create, unfinished-delete: a run began it and did not end it. without-state: held, but not in the state of
 * its stack. handed-over: on purpose, and not taken yet. database-gone: claimed, but not on the platform (any more).
 * other-database: one was made by hand under the name since. not-compared: held, and no state was looked at. unclaimed: in
 * the group, but not in its registry. unmanaged: an application made it at run time. trashed: it was deleted softly.
 */
export type OrphanStatus =
  | "unfinished-create"
  | "unfinished-delete"
  | "without-state"
  | "handed-over"
  | "database-gone"
  | "other-database"
  | "not-compared"
  | "unclaimed"
  | "unmanaged"
  | "trashed";

/** One row of `tenantry registry orphans --json`; what an unclaimed database has none of is null. */
export interface Orphan {
  readonly kind: ClaimKind;
  readonly name: string;
  readonly group: string;
  readonly status: OrphanStatus;
  /** organization/project/stack/resource */
  readonly address: string | null;
  /** organization/project/stack */
  readonly stack: string | null;
  readonly state: ClaimState | null;
  /** Whether what is claimed is on the platform now. */
  readonly exists: boolean;
  /** Where the state that was compared has it all the same. */
  readonly urn: string | null;
  readonly owner: string | null;
  readonly databaseId: string | null;
  readonly run: number | null;
  /** When that run began. */
  readonly since: string | null;
  /** What there is to do, each to be pasted into a shell. */
  readonly commands: readonly string[];
}

export interface Orphans {
  readonly orphans: readonly Orphan[];
  /** Claims of stacks that were not compared, by stack. */
  readonly elsewhere: Readonly<Record<string, number>>;
  /** Databases that applications made at run time: in no state, and no leftovers either. */
  readonly unmanaged: number;
  /** Branches of pull requests, which have a list of their own. */
  readonly branches: number;
}

/** Finds what the registries have and state or platform lacks; with `unclaimed` also what only the platform has. */
export async function findOrphans(scene: Scene, unclaimed = false): Promise<Orphans> {
  const orphans: Orphan[] = [];
  const elsewhere: Record<string, number> = {};
  let unmanaged = 0;
  let branches = 0;
  for (const registry of scene.registries) {
    for (const claim of registry.claims) {
      if (isPreviewAddress(claim.address)) {
        branches += 1;
        continue;
      }
      if (isRuntimeAddress(claim.address)) {
        unmanaged += 1;
        if (unclaimed) orphans.push(await madeAtRunTime(scene, registry, claim));
        continue;
      }
      const orphan = await judgeClaim(scene, registry, claim);
      if (orphan === "elsewhere") elsewhere[stackOf(claim.address)] = (elsewhere[stackOf(claim.address)] ?? 0) + 1;
      else if (orphan) orphans.push(orphan);
    }
    if (unclaimed) orphans.push(...withoutClaim(scene, registry));
  }
  return { orphans, elsewhere, unmanaged, branches };
}

async function judgeClaim(
  scene: Scene,
  { group, untaken }: GroupRegistry,
  claim: RecordedClaim,
): Promise<Orphan | "elsewhere" | undefined> {
  const holding = holdingOf(scene, claim);
  const stack = stackOf(claim.address);
  if (scene.stack && !holding && stack !== scene.stack.name) return "elsewhere";
  const present = await presentId(scene, group, claim);
  const found = statusOf(scene, claim, present, scene.state === undefined ? "unknown" : holding ? "held" : "none");
  const status = found === "without-state" && untaken.has(claim) ? "handed-over" : found;
  if (!status) return undefined;
  const more = [
    ...["--group", group.name, ...(scene.connection === undefined ? [] : ["--connection", scene.connection])],
    ...(scene.stack ? ["--stack", scene.stack.name] : []),
  ];
  const refresh = `pulumi refresh --yes --stack ${scene.stack?.name}`;
  const up = `pulumi up --stack ${stack}`;
  const release = releaseCommand(claim, ...more);
  const commands = {
    "unfinished-create": [up, release],
    "unfinished-delete": claim.state === "reaping" ? [reapCommand(claim, ...more.slice(0, 2))] : [up, release],
    "without-state": [up, claimCommand(claim, claim.address, ...more), release],
    "handed-over": [up, undoCommand(claim, ...more)],
    "database-gone": holding ? [refresh] : [release],
    "other-database": holding ? [refresh] : [release],
    "not-compared": [],
    unclaimed: [],
    unmanaged: [],
    trashed: [restoreCommand(claim, ...more.slice(0, 2))],
  }[status];
  return { ...rowOf(claim, group.name, present), status, stack, urn: holding?.urn ?? null, commands };
}

async function madeAtRunTime(scene: Scene, { group }: GroupRegistry, claim: RecordedClaim): Promise<Orphan> {
  const present = await presentId(scene, group, claim);
  return { ...rowOf(claim, group.name, present), status: "unmanaged", stack: null, urn: null, commands: [] };
}

const rowOf = (claim: RecordedClaim, group: string, present: string | undefined) => ({
  ...{ kind: claim.kind, name: claim.name, group, address: claim.address, state: claim.state, owner: claim.owner },
  ...{ exists: present !== undefined, databaseId: claim.databaseId ?? null, run: claim.run },
  since: begunAt(claim)?.toISOString() ?? null,
});

/** The resource of the compared state that owns the claim. */
export const holdingOf = ({ state }: Scene, { kind, owner }: RecordedClaim): Holding | undefined => {
  if (!state) return undefined;
  let known = byOwner.get(state);
  if (!known) byOwner.set(state, (known = new Map(state.holdings.map((one) => [`${one.kind} ${one.owner}`, one]))));
  return known.get(`${kind} ${owner}`);
};

const byOwner = new WeakMap<StackState, Map<string, Holding>>();

/** The id of what has the claim's name in its group now. Absence is never taken from a list. */
export async function presentId(
  { platform, databases }: Scene,
  group: GroupRegistry["group"],
  { kind, name }: RecordedClaim,
): Promise<string | undefined> {
  if (kind === "group") return name === group.name ? group.id : undefined;
  const found: PlatformDatabase | undefined = databases.get(name) ?? (await platform.getDatabase(name));
  return found && (found.group === undefined || found.group === group.name) ? found.id : undefined;
}

function statusOf(
  { platform }: Scene,
  { state, databaseId }: RecordedClaim,
  present: string | undefined,
  inState: "held" | "none" | "unknown",
): OrphanStatus | undefined {
  // In a platform's own trash it is not there.
  if (state === "trashed" && (present === databaseId || platform.capabilities.softDelete)) return "trashed";
  if (databaseId !== undefined && present === undefined) return "database-gone";
  if (databaseId !== undefined && present !== databaseId) return "other-database";
  // What a state has, its next run finishes.
  if (inState === "held") return undefined;
  if (state === "open") return "unfinished-create";
  if (state === "deleting" || state === "reaping") return "unfinished-delete";
  return inState === "none" ? "without-state" : "not-compared";
}

function withoutClaim({ databases }: Scene, { group, claims }: GroupRegistry): Orphan[] {
  const known = new Set(claims.filter(({ kind }) => kind === "database").map(({ name }) => name));
  const nothing = { address: null, stack: null, state: null, urn: null, owner: null, run: null, since: null };
  return [...databases.values()]
    .filter((one) => one.group === group.name && !known.has(one.name) && !isOurs(one.name, group.name))
    .map(({ name, id }) => ({
      ...{ kind: "database", name, group: group.name, status: "unclaimed", ...nothing },
      ...{ exists: true, databaseId: id, commands: [] },
    }));
}
