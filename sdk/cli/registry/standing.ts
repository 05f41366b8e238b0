import { TenantryError } from "../../../provider/platform/errors";
import type { ClaimKind } from "../../../provider/registry/claim";
import { claimCommand, quoted, releaseCommand, stackOf } from "../../../provider/registry/commands";
import type { RecordedClaim } from "../../../provider/registry/inspect";
import { isRuntimeAddress } from "../../../provider/registry/runtime-address";
import { holdingOf } from "./orphan";
import type { GroupRegistry, Scene } from "./scene";

/** A claim and the registry that it is in. */
export interface Standing {
  readonly registry: GroupRegistry & { readonly database: NonNullable<GroupRegistry["database"]> };
  readonly claim: RecordedClaim;
}

/** Finds the one claim on a name; undefined where no registry has one. */
export function findStanding({ registries }: Scene, kind: ClaimKind, name: string): Standing | undefined {
  const found = registries.flatMap(({ database, ...rest }): Standing[] => {
    const claim = rest.claims.find((one) => one.kind === kind && one.name === name);
    return claim && database ? [{ registry: { ...rest, database }, claim }] : [];
  });
  if (found.length < 2) return found[0];
  // An intent in one group, and the database of another: a run died before it could take the intent back.
  const groups = found.map(({ registry }) => `"${registry.group.name}"`).join(" and ");
  throw new TenantryError("needs-decision", `The registries of ${groups} have a claim on "${name}".`, {
    fix: "Say which one with --group.",
  });
}

/** Refuses to take a claim away from whoever has it, or may have it, in a state. `as`: for whom; undefined: a release. */
export function requireNoState(scene: Scene, { claim }: Standing, as: string | undefined): void {
  const { name, address } = claim;
  const holding = holdingOf(scene, claim);
  const again = (...more: string[]): string =>
    `\`${as === undefined ? releaseCommand(claim, ...more) : claimCommand(claim, as, ...more)}\``;
  if (holding) {
    throw new TenantryError(
      "not-owner",
      `${name}: it belongs to ${address}, and the state of ${scene.stack?.name} has it.`,
      {
        fix: `Take it out of that state first, with \`pulumi state delete ${quoted(holding.urn)} --stack ${scene.stack?.name}\`, or pass --force: the stack then leaves it alone.`,
      },
    );
  }
  // An application's claim is in nobody's state.
  if (isRuntimeAddress(address)) return;
  const stack = stackOf(address);
  if (scene.stack?.name === stack) return;
  throw new TenantryError("not-owner", `${name}: it belongs to ${address}, whose stack's state may have it.`, {
    fix: `Compare with that state, ${again("--stack", stack)}, or pass --force: the stack then leaves it alone.`,
  });
}
