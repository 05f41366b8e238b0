import type { Platform, PlatformDatabase, PlatformGroup } from "../../../provider/platform/platform";
import { SqlError } from "../../../provider/platform/sql";
import { releaseCommand, stackOf } from "../../../provider/registry/commands";
import { type RecordedClaim, begunAt, inspectClaims, withRegistrySql } from "../../../provider/registry/inspect";
import { isPreviewAddress } from "../../../provider/registry/preview-address";
import { isRuntimeAddress } from "../../../provider/registry/runtime-address";
import { registryName } from "../../../provider/registry/reserved-names";
import { type Check, counted, failed, ok, warning } from "./check";

const shown = 20;
/** A run that announced a create longer ago than this is hardly at work any more. In minutes. */
const longAgo = 15;

interface Scene {
  readonly platform: Platform;
  readonly databases: ReadonlyMap<string, PlatformDatabase>;
  /** organization/project/stack; undefined where none was given or selected. */
  readonly stack: string | undefined;
  readonly connection: string | undefined;
}

/** Each group's registry: whether it is there, and what in it looks unfinished, or lost its database. */
export async function registryChecks(scene: Scene, groups: readonly PlatformGroup[]): Promise<Check[]> {
  return (await Promise.all(groups.map((group) => ofGroup(scene, group)))).flat();
}

async function ofGroup(scene: Scene, group: PlatformGroup): Promise<Check[]> {
  const { platform, databases } = scene;
  const name = `registry of group "${group.name}"`;
  const database = databases.get(registryName(group.name));
  if (!database) return [ok(name, "none yet: Tenantry has made nothing in this group")];
  if (group.archived) {
    return [warning(name, "not read: the group is archived", "Unarchive it before the next deploy.")];
  }
  try {
    const registry = { platform, group: group.name, database, access: "read-only" } as const;
    return await judge(name, await withRegistrySql(registry, inspectClaims), group, scene);
  } catch (error) {
    if (error instanceof SqlError) {
      return [warning(name, `it cannot be read: ${error.message}`, "The next `pulumi up` lays out what is missing.")];
    }
    return [failed(name, error, "warning")];
  }
}

async function judge(
  name: string,
  all: readonly RecordedClaim[],
  group: PlatformGroup,
  scene: Scene,
): Promise<Check[]> {
  // Applications finish what they began at the next sign-up; none of it is a leftover of a deploy.
  const branches = all.filter(({ address }) => isPreviewAddress(address)).length;
  const claims = all.filter(({ address }) => !isRuntimeAddress(address) && !isPreviewAddress(address));
  const trashed = claims.filter(({ state }) => state === "trashed");
  // In a platform's own trash it is not there.
  const there = scene.platform.capabilities.softDelete ? claims.filter((one) => !trashed.includes(one)) : claims;
  const gone = scene.stack === undefined ? [] : await withoutDatabase(there, scene);
  const told = new Set([...gone, ...trashed]);
  const unfinished = claims.filter((one) => one.state !== "held" && !told.has(one));
  const held = claims.filter(({ state }) => state === "held").length;
  const made = all.length - claims.length - branches;
  const runtime = `${made > 0 ? `, ${made} made by applications` : ""}${branches > 0 ? `, ${branches} for pull requests` : ""}`;
  const trash = trashed.length > 0 ? `, ${trashed.length} in the trash` : "";
  const found = `${counted(held, "name")} held, ${unfinished.length} unfinished${trash}${runtime}`;
  const findings = [
    ...unfinished.map((claim) => ofUnfinished(name, claim, group, scene)),
    ...gone.map((claim) => ofGone(name, claim, group, scene)),
  ];
  const more = findings.length - shown;
  return [
    ok(name, gone.length > 0 ? `${found}, ${gone.length} without database` : found),
    ...findings.slice(0, shown),
    ...(more > 0 ? [warning(name, `${more} more like these`, "Settle these first.")] : []),
  ];
}

/** Claims on databases that were there and are not any more. Absence is never taken from a list. */
async function withoutDatabase(claims: readonly RecordedClaim[], scene: Scene) {
  const once = claims.filter(({ kind, databaseId }) => kind === "database" && databaseId !== undefined);
  const unlisted = once.filter(({ name, databaseId }) => scene.databases.get(name)?.id !== databaseId);
  const found = await Promise.all(unlisted.map(({ name }) => scene.platform.getDatabase(name)));
  return unlisted.filter(({ databaseId }, i) => found[i]?.id !== databaseId);
}

function ofUnfinished(name: string, claim: RecordedClaim, group: PlatformGroup, scene: Scene): Check {
  const { kind, name: of, state, address } = claim;
  const begun = begunAt(claim);
  const minutes = begun && Math.max(0, Math.floor((Date.now() - begun.getTime()) / 60_000));
  const age = minutes === undefined ? "" : `, ${counted(minutes, "minute")} ago`;
  const what = `a ${state === "open" ? "create" : "delete"} was begun and not finished`;
  const up = `\`pulumi up --stack ${stackOf(address)}\``;
  const again = state === "open" ? up : `${up} or \`pulumi destroy --stack ${stackOf(address)}\``;
  const young = minutes !== undefined && minutes < longAgo;
  const ask = young ? "A run may be at work there; if none is" : "If no run is at work there";
  const end = scene.stack === undefined ? "" : `; \`${release(claim, group, scene)}\` gives it up`;
  return warning(name, `${kind} "${of}": ${what}${age} (${address})`, `${ask}, run ${again} again${end}.`);
}

function ofGone(name: string, claim: RecordedClaim, group: PlatformGroup, scene: Scene): Check {
  const found = `database "${claim.name}": it is claimed (${claim.address}), but not on the platform`;
  const refresh = `\`pulumi refresh --yes --stack ${stackOf(claim.address)}\``;
  const fix = `Where a state has it, run ${refresh}; where none has, \`${release(claim, group, scene)}\`.`;
  return warning(name, found, fix);
}

const release = (claim: RecordedClaim, group: PlatformGroup, { stack, connection }: Scene): string =>
  releaseCommand(
    claim,
    ...["--group", group.name, ...(connection === undefined ? [] : ["--connection", connection])],
    ...(stack === undefined ? [] : ["--stack", stack]),
  );
