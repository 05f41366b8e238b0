import { Command, Option } from "commander";
import { count, someOf } from "../../../provider/resources/tenant-fleet/change-text";
import { type FleetRecord, type FleetState, fleetStates } from "../../../provider/resources/tenant-fleet/record";
import { type Style, screenOf } from "../schema/screen";
import { counted, table } from "../schema/table";
import { type StackFlags, withStack } from "./flags";
import { type KnownFleet, noSuchFleet, readFleets, requireFleet, stackLine } from "./fleets";
import { unfinished } from "./plan-document";
import { drawOpen } from "./plan-drawing";
import { tenantRow } from "./show";

interface Flags extends StackFlags {
  readonly state?: FleetState;
}

export function statusCommand(): Command {
  return withStack(new Command("status"))
    .description(
      "Tell how a fleet's tenants stood after its last deploy or refresh: states, versions, reasons. Asks no platform.",
    )
    .argument("[fleet]", "name of the TenantFleet (default: all of the stack)")
    .addOption(new Option("--state <state>", "list the tenants in this state only").choices(fleetStates))
    .option("--json", "print one JSON document in place of text: every tenant")
    .addHelpText(
      "after",
      `
Exit code: 0 every tenant is as declared, 2 some are not, 1 an error.

Examples:
  tenantry fleet status
  tenantry fleet status prod --state quarantined`,
    )
    .action(status);
}

async function status(name: string | undefined, { stack: given, state, json }: Flags): Promise<void> {
  const read = await readFleets(given);
  if (read.fleets.length === 0) throw noSuchFleet(read.stack, [], name);
  const fleets = name === undefined ? read.fleets : [requireFleet(read, name)];
  if (fleets.some(({ open }) => open.length > 0)) process.exitCode = 2;
  if (json) {
    const document = { format: 1, stack: read.stack.name, fleets: fleets.map((fleet) => statusDocument(fleet, state)) };
    return void process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  }
  const screen = screenOf(process.stdout);
  const parts = fleets.map((fleet) => (state === undefined ? drawFleet(fleet, screen) : drawState(fleet, state)));
  screen.write(`${[stackLine(read.stack), ...parts.flatMap((lines) => ["", ...lines])].join("\n")}\n`);
}

function statusDocument({ name, outputs, records, open }: KnownFleet, state: FleetState | undefined): object {
  const { counts, targetVersion, minSchemaVersion } = outputs;
  const those = state === undefined ? records : records.filter((record) => record.state === state);
  return {
    ...{ name, counts, targetVersion: targetVersion ?? null, minSchemaVersion: minSchemaVersion ?? null },
    versions: versionsOf(records).map(([version, tenants]) => ({ version: version ?? null, tenants })),
    tenants: those.map((record) => tenantRow(record, outputs.urls)),
    unfinished: open.map(unfinished),
  };
}

function drawFleet({ name, outputs, records, open }: KnownFleet, style: Style): string[] {
  const { counts, targetVersion } = outputs;
  const to = targetVersion === undefined ? "" : `, to be at ${targetVersion}`;
  const states = fleetStates.filter((state) => counts[state] > 0).map((state) => [`  ${state}`, count(counts[state])]);
  const versions = versionsOf(records).map(([version, tenants]) => [`  ${version ?? "without"}`, count(tenants)]);
  return [
    `${name}: ${counted(records.length, "tenant")}${to}`,
    ...(states.length > 0 ? ["", ...table(states, [1])] : []),
    ...(versions.some(([version]) => version !== "  without")
      ? ["", "by schema version:", ...table(versions, [1])]
      : []),
    ...(open.length > 0 ? ["", ...drawOpen(open, style, 10)] : []),
  ];
}

/** All of them: that is what was asked for. */
function drawState({ name, records }: KnownFleet, state: FleetState): string[] {
  const those = records.filter((record) => record.state === state).map(({ id }) => id);
  return [
    `${name}: ${count(those.length)} of ${counted(records.length, "tenant")} ${state}`,
    ...(those.length > 0 ? [`  ${someOf(those, those.length)}`] : []),
  ];
}

/** Of databases that are there; the newest version first, as far as names tell. */
function versionsOf(records: readonly FleetRecord[]): [string | undefined, number][] {
  const versions = new Map<string | undefined, number>();
  for (const { databaseId, schemaVersion } of records) {
    if (databaseId !== undefined) versions.set(schemaVersion, (versions.get(schemaVersion) ?? 0) + 1);
  }
  return [...versions].sort(([a = ""], [b = ""]) => (a < b ? 1 : -1));
}
