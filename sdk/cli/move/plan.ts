import { didYouMean } from "../../../provider/platform/did-you-mean";
import { TenantryError } from "../../../provider/platform/errors";
import { stackOf, undoCommand } from "../../../provider/registry/commands";
import type { RecordedClaim } from "../../../provider/registry/inspect";
import { parseSelf } from "../../../provider/resources/self";
import type { GroupRegistry, Scene } from "../registry/scene";
import type { Destination } from "./destination";
import { type Holder, holdersOf } from "./holders";
import { globs } from "../name-pattern";

export interface Selection {
  /** Databases by name, with "*" in place of any letters. None: all. */
  readonly names: readonly string[];
  /** Tenants of this fleet only. */
  readonly fromFleet: string | undefined;
  readonly where: Readonly<Record<string, string>>;
  /** A tenant's id by the name of its database. Default: what was recorded of it. */
  readonly idOf: ((name: string) => string | undefined) | undefined;
  /** Only databases with these names. */
  readonly among: { has(name: string): boolean } | undefined;
}

export interface PlannedMove {
  readonly registry: GroupRegistry;
  readonly claim: RecordedClaim;
  readonly to: string;
}

/** Who was looked at and cannot be handed over as things stand. */
export interface Unclear {
  readonly name: string;
  readonly why: string;
}

export interface MovePlan {
  readonly moves: readonly PlannedMove[];
  readonly unclear: readonly Unclear[];
  /** How many are there already. */
  readonly there: number;
}

/** The scene of a stack, with the claims that were handed over before, and to where, by the owner who had them. */
export type MoveScene = Scene & {
  readonly stack: NonNullable<Scene["stack"]>;
  readonly state: NonNullable<Scene["state"]>;
};

/** What is to be written; nothing is asked any more. Fails with "invalid-input" for a name that nobody has. */
export function planMoves(scene: MoveScene, selection: Selection, to: Destination): MovePlan {
  const chosen = choose(holdersOf(scene.state), selection);
  const moves: PlannedMove[] = [];
  const unclear: Unclear[] = [];
  let there = 0;
  const standings = standingsOf(scene);
  const targets = new Map<string, string>();
  for (const holder of chosen) {
    const earlier = standings.byOwner.has(holder.owner) ? undefined : standings.untaken.get(holder.name);
    if (earlier) {
      const id = identity(holder, earlier.from, selection.idOf);
      if (id !== undefined && to.addressOf(id) === earlier.claim.address) there += 1;
      else unclear.push({ name: holder.name, why: handedOver(earlier.claim) });
      continue;
    }
    const judged = judge(scene, holder, standings.byOwner.get(holder.owner), selection.idOf);
    if (typeof judged === "string") {
      unclear.push({ name: holder.name, why: judged });
      continue;
    }
    const { id, claim, registry } = judged;
    const address = to.addressOf(id);
    if (address === claim.address) {
      there += 1;
      continue;
    }
    const taken = targets.get(address) ?? standings.byAddress.get(`${registry.group.name} ${address}`);
    if (taken !== undefined && taken !== claim.name) {
      unclear.push({ name: claim.name, why: `${address} is to have "${taken}", or has it` });
      continue;
    }
    targets.set(address, claim.name);
    moves.push({ registry, claim, to: address });
  }
  return { moves, unclear, there };
}

function choose(holders: readonly Holder[], { names, fromFleet, where, among }: Selection): Holder[] {
  const fits = globs(names);
  const wanted = Object.entries(where);
  const chosen = holders.filter(
    ({ name, labels, fleet }) =>
      fits(name) &&
      (among === undefined || among.has(name)) &&
      (fromFleet !== undefined ? fleet === fromFleet : names.length > 0 || fleet === undefined) &&
      wanted.every(([key, value]) => labels[key] === value),
  );
  const known = holders.map(({ name }) => name);
  const stranger = names.find((name) => !/[*?]/.test(name) && !known.includes(name));
  if (stranger !== undefined) {
    const near = didYouMean(stranger, known);
    throw new TenantryError("invalid-input", `"${stranger}": no tenant of this state has a database of that name.`, {
      fix: near ? `Did you mean "${near}"?` : "`pulumi stack` shows what it has; --stack chooses another one.",
    });
  }
  if (fromFleet !== undefined && !holders.some(({ fleet }) => fleet === fromFleet)) {
    const fleets = new Set(holders.flatMap(({ fleet }) => fleet ?? []));
    const near = didYouMean(fromFleet, fleets);
    throw new TenantryError(
      "invalid-input",
      `--from-fleet: this state has no fleet "${fromFleet}" with tenants in it.`,
      { fix: near ? `Did you mean "${near}"?` : fleets.size > 0 ? `There is ${[...fleets].join(", ")}.` : undefined },
    );
  }
  return chosen;
}

interface Standing {
  readonly registry: GroupRegistry;
  readonly claim: RecordedClaim;
}

const identity = (holder: Holder, address: string, idOf: Selection["idOf"]): string | undefined =>
  idOf ? idOf(holder.name) : (holder.tenant ?? parseSelf(address).name);

const handedOver = ({ name, address }: RecordedClaim): string =>
  `it was handed over to ${address} and nobody has taken it yet; \`${undoCommand({ name })}\` takes it back`;

function standingsOf({ registries, stack }: MoveScene): {
  byOwner: Map<string, Standing>;
  byAddress: Map<string, string>;
  /** By name, what this stack has handed over and nobody has taken yet. */
  untaken: Map<string, { claim: RecordedClaim; from: string }>;
} {
  const all = registries.flatMap((registry) =>
    registry.claims.filter(({ kind }) => kind === "database").map((claim): Standing => ({ registry, claim })),
  );
  return {
    byOwner: new Map(all.map((one) => [one.claim.owner, one])),
    untaken: new Map(
      registries.flatMap((registry) =>
        [...registry.untaken].flatMap(([claim, from]) =>
          stackOf(from) === stack.name ? [[claim.name, { claim, from }] as const] : [],
        ),
      ),
    ),
    byAddress: new Map(all.map(({ registry, claim }) => [`${registry.group.name} ${claim.address}`, claim.name])),
  };
}

/** Everything that has to agree before anybody is written another owner; else why not. */
function judge(
  { stack, databases }: MoveScene,
  holder: Holder,
  standing: Standing | undefined,
  idOf: Selection["idOf"],
): (Standing & { id: string }) | string {
  if (!standing || standing.claim.name !== holder.name) {
    return "the registry does not say that it is this stack's: it was handed over or taken since, or the registry is new";
  }
  const { claim } = standing;
  if (holder.pending) {
    // The engine forgets a create that was begun at a refresh only, even where an `up` has finished it since.
    return "a run that was killed was at work on it; run `pulumi up`, then `pulumi refresh --yes --clear-pending-creates`, first";
  }
  if (holder.protected) return `it is protected: take that out of the program, and run \`pulumi up\``;
  if (stackOf(claim.address) !== stack.name) return `its address is still ${claim.address}; run \`pulumi up\` first`;
  if (claim.state === "gone") return "its database is gone; run `pulumi refresh` first";
  if (claim.state !== "held") return "a run began to change it and did not end; run `pulumi up` first";
  if (claim.incarnation !== holder.incarnation) {
    return "a forced replacement of it was broken off; run `pulumi up` with --replace first";
  }
  const present = databases.get(claim.name);
  if (!present) return "its database is not on the platform; run `pulumi refresh` first";
  if (present.id !== claim.databaseId) return "another database has the name since; run `pulumi refresh` first";
  const id = identity(holder, claim.address, idOf);
  if (!id) return "its name does not fit --id, so its tenant's id is not known";
  return { ...standing, id };
}
