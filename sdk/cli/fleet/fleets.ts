import { z } from "zod";
import { TenantryError } from "../../../provider/platform/errors";
import { didYouMean } from "../../../provider/platform/did-you-mean";
import { typeToken } from "../../../provider/resources/self";
import { type TenantFleetOutputs, isOpen } from "../../../provider/resources/tenant-fleet/outputs";
import { unpackFleet } from "../../../provider/resources/tenant-fleet/pack";
import type { FleetRecord } from "../../../provider/resources/tenant-fleet/record";
import { type Stack, type StackState, findStack, readState } from "../stack";

/** A fleet as a stack's state has it. */
export interface KnownFleet {
  /** Of the resource. */
  readonly name: string;
  readonly outputs: TenantFleetOutputs;
  readonly records: readonly FleetRecord[];
  /** Who is not as declared, with the reason where state has it. */
  readonly open: readonly OpenRecord[];
}

export interface OpenRecord {
  readonly record: FleetRecord;
  readonly why: string | undefined;
}

export interface Fleets {
  readonly stack: Stack;
  readonly state: StackState;
  readonly fleets: readonly KnownFleet[];
}

/** What is read here; the rest is the provider's own. */
const shape = z.looseObject({
  self: z.string(),
  scope: z.string(),
  roster: z.string(),
  count: z.number(),
  packed: z.string(),
  urls: z.string(),
  open: z.number(),
  unfinished: z.array(z.object({ id: z.string(), why: z.string().optional() })),
  histories: z.record(z.string(), z.array(z.string())),
  connection: z.string().optional(),
});

/** Reads state alone: no platform is asked, and no credentials are needed. Fails with "not-configured" without a stack. */
export async function readFleets(given: string | undefined): Promise<Fleets> {
  const stack = await findStack(given);
  if (!stack) {
    throw new TenantryError("not-configured", "Whose fleets are asked for is not known: there is no stack here.", {
      fix: "Run this in a project's folder, or with --stack organization/project/stack.",
    });
  }
  const state = await readState(stack);
  return { stack, state, fleets: state.resources.flatMap(fleetOf) };
}

function fleetOf({ urn, type, outputs }: StackState["resources"][number]): KnownFleet[] {
  if (type !== typeToken("tenantFleet")) return [];
  const name = urn.slice(urn.lastIndexOf("::") + 2);
  if (!shape.safeParse(outputs).success) {
    throw new TenantryError(
      "invalid-input",
      `The state of fleet "${name}" cannot be read: outputs are missing in it.`,
      { fix: "Run `pulumi up` to its end, or `npx tenantry doctor`." },
    );
  }
  const known = outputs as unknown as TenantFleetOutputs;
  const records = unpackFleet(known.packed);
  const whys = new Map(known.unfinished.map(({ id, why }) => [id, why]));
  const open = records
    .filter((record) => isOpen(record, known.histories))
    .map((record) => ({ record, why: whys.get(record.id) }));
  return [{ name, outputs: known, records, open }];
}

/** The fleet of that name; without one the only one there is. Fails with "invalid-input", naming those there are. */
export function requireFleet(
  { stack, fleets }: Pick<Fleets, "stack" | "fleets">,
  name: string | undefined,
): KnownFleet {
  const found = name === undefined ? fleets : fleets.filter((fleet) => fleet.name === name);
  if (found.length === 1) return found[0]!;
  throw noSuchFleet(stack, fleets, name);
}

export function noSuchFleet(
  stack: Stack,
  fleets: readonly { readonly name: string }[],
  name: string | undefined,
): TenantryError {
  const names = fleets.map((fleet) => fleet.name);
  if (names.length === 0) {
    return new TenantryError("invalid-input", `Stack ${stack.name} has no TenantFleet in its state.`, {
      fix: "Deploy one first; `pulumi stack ls` shows the other stacks.",
    });
  }
  const near = name === undefined ? undefined : didYouMean(name, names);
  return new TenantryError(
    "invalid-input",
    name === undefined
      ? `Stack ${stack.name} has several fleets.`
      : `Stack ${stack.name} has no fleet "${name}".${near === undefined ? "" : ` Did you mean "${near}"?`}`,
    { fix: `Name one of: ${names.join(", ")}.` },
  );
}

/** Where this looked, before anything else is said. */
export const stackLine = ({ name, from }: Stack): string => `Stack ${name} (${from}).`;
