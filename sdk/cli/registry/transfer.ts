import { TenantryError } from "../../../provider/platform/errors";
import { releaseCommand, restoreCommand, stackOf } from "../../../provider/registry/commands";
import { giveUp, handOver } from "../../../provider/registry/hand-over";
import { type RecordedClaim, withRegistrySql } from "../../../provider/registry/inspect";
import type { ClaimKind } from "../../../provider/registry/claim";
import { reapedMeanwhile } from "../../../provider/registry/reaping";
import { randomId } from "../../../provider/random-id";
import { parseSelf } from "../../../provider/resources/self";
import { consent } from "./consent";
import { presentId } from "./orphan";
import type { Scene } from "./scene";
import { type Standing, findStanding, requireNoState } from "./standing";

interface Wanted {
  readonly kind: ClaimKind;
  readonly name: string;
  readonly force?: boolean;
  readonly yes?: boolean;
}

/** Hands an orphan to an address; answers what to tell. Says so, and writes nothing, where it is that address's already. */
export async function claimOrphan(scene: Scene, { as, ...wanted }: Wanted & { readonly as?: string }): Promise<string> {
  const { kind, name, force, yes } = wanted;
  const standing = findStanding(scene, kind, name);
  if (!standing) {
    throw new TenantryError("not-owner", `${name}: no registry has a claim on a ${kind} of that name.`, {
      fix: 'Declare it with adopt: "unowned" to take over one that nobody has claimed.',
    });
  }
  const { claim, registry } = standing;
  requireAlive(claim, registry.group.name);
  const address = as === undefined ? ownAddress(scene, claim) : checkedAddress(as);
  const next = `The next \`pulumi up\` of ${stackOf(address)} adopts it where ${parseSelf(address).resource} declares it.`;
  const present = await presentId(scene, registry.group, claim);
  if (claim.address === address && isAdoptable(claim, present)) return `${name}: it is claimed for ${address}. ${next}`;
  if (!force) requireNoState(scene, standing, address);
  if (present === undefined || (claim.databaseId !== undefined && claim.databaseId !== present)) {
    const found = present === undefined ? "there is none on the platform" : "another one has the name since";
    throw new TenantryError("database-not-found", `${name}: the ${kind} that is claimed is gone: ${found}.`, {
      fix: `Give the claim up: \`${releaseCommand(claim, "--group", registry.group.name)}\`.`,
    });
  }
  const taken = registry.claims.find((one) => one.kind === kind && one.address === address && one.name !== name);
  if (taken) throw addressTaken(address, taken);
  await consent(`Hand the ${kind} "${name}" over from ${claim.address} to ${address}?`, yes);
  const incarnation = randomId();
  const to = { address, owner: randomId(), incarnation, databaseId: present };
  const after = await write(scene, standing, (sql) => handOver(sql, claim, to));
  if (after?.incarnation !== incarnation) throw changedMeanwhile(claim, after);
  return `${name}: it was ${claim.address}'s, and is now claimed for ${address}. ${next}`;
}

/** What is on its way out is nobody's to have. */
function requireAlive(claim: RecordedClaim, group: string): void {
  if (claim.state === "reaping") throw reapedMeanwhile(claim.name);
  if (claim.state !== "trashed") return;
  throw new TenantryError("needs-decision", `${claim.name}: it is in the trash.`, {
    fix: `Bring it back first: \`${restoreCommand(claim, "--group", group)}\`.`,
  });
}

/** Gives a claim up; answers what to tell. Where there is none, there is nothing to do. */
export async function releaseClaim(scene: Scene, { kind, name, force, yes }: Wanted): Promise<string> {
  const standing = findStanding(scene, kind, name);
  if (!standing) return `${name}: no registry has a claim on a ${kind} of that name, so there is nothing to give up.`;
  const { claim, registry } = standing;
  const present = await presentId(scene, registry.group, claim);
  if (present !== undefined) requireAlive(claim, registry.group.name);
  if (!force) requireNoState(scene, standing, undefined);
  await consent(`Give up the claim of ${claim.address} on the ${kind} "${name}"?`, yes);
  const after = await write(scene, standing, (sql) => giveUp(sql, claim));
  if (after) throw changedMeanwhile(claim, after);
  const left =
    present === undefined ? "" : ` The ${kind} stays as it is, and is nobody's: adopt: "unowned" takes it over.`;
  return `${name}: ${claim.address} has no claim on it any more.${left}`;
}

function write<Result>(
  { platform }: Scene,
  { registry: { group, database } }: Standing,
  change: Parameters<typeof withRegistrySql<Result>>[1],
): Promise<Result> {
  return withRegistrySql({ platform, group: group.name, database, access: "full-access" }, change);
}

/** Whether `acquire` would take it as the address's own, as things stand. */
const isAdoptable = (claim: RecordedClaim, present: string | undefined): boolean =>
  present !== undefined && (claim.databaseId === undefined ? !claim.existed : claim.databaseId === present);

/** The claim's own where it is of the stack that was asked for; else the resource of the same name there. */
function ownAddress({ stack }: Scene, { address }: RecordedClaim): string {
  if (!stack || stackOf(address) === stack.name) return address;
  return `${stack.name}/${parseSelf(address).resource}`;
}

function checkedAddress(as: string): string {
  const { stack, resource } = parseSelf(as);
  if (stack.split("/").every(Boolean) && resource) return as;
  throw new TenantryError("invalid-input", `--as: "${as}" is not the address of a resource.`, {
    fix: 'Write it as ORGANIZATION/PROJECT/STACK/RESOURCE; with a file backend the first is "organization".',
  });
}

const addressTaken = (address: string, { name }: RecordedClaim): TenantryError =>
  new TenantryError("already-exists", `--as: ${address} has "${name}" already.`, {
    fix: `Choose another resource, or give that one up first: \`npx tenantry registry release ${name}\`.`,
  });

function changedMeanwhile({ name }: RecordedClaim, after: RecordedClaim | undefined): TenantryError {
  const now = after ? `it belongs to ${after.address} now (${after.state})` : "its claim was given up";
  return new TenantryError("not-owner", `${name}: somebody changed its claim in this moment: ${now}.`, {
    fix: "Look again with `npx tenantry registry orphans`.",
  });
}
