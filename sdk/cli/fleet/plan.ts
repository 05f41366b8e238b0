import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { Command } from "commander";
import { hasCode } from "../../../provider/platform/errors";
import { projectFolder } from "../../../provider/project-folder";
import { requireScope } from "../../../provider/resources/scope";
import { changesNothing } from "../../../provider/resources/tenant-fleet/changes";
import { rosterFolder } from "../../../provider/resources/tenant-fleet/roster";
import { type Ground, type GroundFlags, groundLine, openGround } from "../schema/ground";
import { screenOf } from "../schema/screen";
import { compare } from "./comparison";
import { type Declared, fromManifest, fromRoster } from "./declared";
import { type StackFlags, withPlatform } from "./flags";
import { type Fleets, type KnownFleet, noSuchFleet, readFleets, requireFleet, stackLine } from "./fleets";
import { planDocument } from "./plan-document";
import { drawPlan } from "./plan-drawing";

interface Flags extends StackFlags, GroundFlags {
  readonly manifest?: string;
}

export function planCommand(): Command {
  return withPlatform(new Command("plan"))
    .description(
      "Show what the next `pulumi up` does to whom: a fleet's state against what is declared. Changes nothing.",
    )
    .argument("[fleet]", "name of the TenantFleet (default: the only one)")
    .option(
      "--manifest <path>",
      "compare with this manifest (default: with what the program declared when it ran last)",
    )
    .option("--group <name>", "where tenants are for whom the manifest names no group")
    .option("--json", "print one JSON document in place of text: every tenant")
    .addHelpText(
      "after",
      `
Exit code: 0 nothing to do, 2 something changes or would be refused, 1 an error.

Without --manifest it is as new as the last \`pulumi preview\` or \`pulumi up\`
on this machine.

Examples:
  tenantry fleet plan
  tenantry fleet plan prod --manifest tenants.yaml --json`,
    )
    .action(plan);
}

async function plan(name: string | undefined, flags: Flags): Promise<void> {
  const read = await readFleets(flags.stack);
  const fleet = fleetToBe(read, name, flags.manifest);
  const { connection, scope: recorded } = fleet.outputs;
  const notes: string[] = [];
  const ground = await groundOr(notes, () => openGround({ ...flags, connection, group: undefined }, false, read));
  const isNew = recorded === "";
  const scope = !ground ? recorded : isNew ? ground.scope : await requireScope(ground.context, recorded);
  const declared =
    flags.manifest === undefined
      ? fromRoster(fleet.name, fleet.outputs.roster)
      : fromManifest(flags.manifest, flags.group);
  const comparison = await compare({ ...fleet, inputs: fleet.outputs }, declared, ground?.context, scope);
  if (!changesNothing(comparison.changes) || comparison.refusal) process.exitCode = 2;
  if (flags.json) {
    const head = {
      format: 1,
      scope: scope || null,
      stack: read.stack.name,
      fleet: fleet.name,
      against: sourceOf(declared),
    };
    print({ ...head, ...planDocument(comparison, fleet), notes });
    return;
  }
  const screen = screenOf(process.stdout);
  const where = ground ? groundLine(ground) : stackLine(read.stack);
  const head = [where, ...notes, `${fleet.name}: its state against ${declared.words}.`, ""];
  screen.write(`${[...head, ...drawPlan(comparison, fleet, screen)].join("\n")}\n`);
}

/** State and roster need no credentials, so that a pipeline without them sees the plan all the same. */
async function groundOr(notes: string[], open: () => Promise<Ground>): Promise<Ground | undefined> {
  try {
    const ground = await open();
    notes.push(...ground.notes);
    return ground;
  } catch (error) {
    if (!hasCode(error, "not-configured", "credentials-missing")) throw error;
    notes.push("The platform is not configured here, so that what it would refuse is not foreseen.");
    return undefined;
  }
}

const sourceOf = ({ manifest, writtenAt }: Declared): object => ({
  manifest: manifest ?? null,
  writtenAt: writtenAt?.toISOString() ?? null,
});

const print = (document: object): void => void process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);

/** A fleet of state; or one that is named and is not deployed yet, which has no tenants. */
function fleetToBe(read: Fleets, name: string | undefined, manifest: string | undefined): KnownFleet {
  const { stack, fleets } = read;
  if (name === undefined || fleets.some((fleet) => fleet.name === name)) return requireFleet(read, name);
  const self = `${stack.name}/${name}`;
  const roster = rosterFolder(self);
  const fleet = { self, roster, digest: "", count: 0, scope: "" };
  const none = { packed: "", urls: "", counts: {}, quarantined: [], unfinished: [], open: 0, plan: "", histories: {} };
  // A slip of the pen is likelier than a new fleet, where others are deployed.
  if (manifest === undefined && !existsSync(resolve(projectFolder(), roster))) throw noSuchFleet(stack, fleets, name);
  return { name, outputs: { ...fleet, ...none } as unknown as KnownFleet["outputs"], records: [], open: [] };
}
