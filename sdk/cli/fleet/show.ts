import { Command } from "commander";
import { didYouMean } from "../../../provider/platform/did-you-mean";
import { TenantryError } from "../../../provider/platform/errors";
import type { FleetRecord } from "../../../provider/resources/tenant-fleet/record";
import { addressBy } from "../../../provider/resources/tenant-fleet/urls";
import { table } from "../schema/table";
import { type StackFlags, withStack } from "./flags";
import { type Fleets, type KnownFleet, readFleets, requireFleet } from "./fleets";

interface Flags extends StackFlags {
  readonly fleet?: string;
}

export function showCommand(): Command {
  return withStack(new Command("show"))
    .description("Show one tenant as state has it: address, database, schema version, state. Asks no platform.")
    .argument("<tenant>", "its id, or the name of its database")
    .option("--fleet <name>", "of this TenantFleet (default: look into all)")
    .option("--json", "print one JSON document in place of text")
    .addHelpText(
      "after",
      "\nExit code: 0, 1 an error or there is no such tenant.\n\nExample:\n  tenantry fleet show acme",
    )
    .action(show);
}

async function show(tenant: string, { stack, fleet: name, json }: Flags): Promise<void> {
  const read = await readFleets(stack);
  const { fleet, record } = find(read, name, tenant);
  const why = fleet.open.find((one) => one.record === record)?.why;
  const row = { fleet: fleet.name, ...tenantRow(record, fleet.outputs.urls), why: why ?? null };
  if (json) return void process.stdout.write(`${JSON.stringify({ format: 1, ...row }, undefined, 2)}\n`);
  const { labels, ...rest } = row;
  const cells = [...Object.entries(rest), ["labels", labelText(labels)]] as [string, unknown][];
  const lines = cells
    .filter(([, value]) => value !== null && value !== "")
    .map(([key, value]) => [words[key] ?? key, String(value)]);
  process.stdout.write(`${table(lines).join("\n")}\n`);
}

const words: Readonly<Record<string, string>> = { id: "tenant", name: "database", databaseId: "database id" };

/** A tenant in a document. */
export function tenantRow(record: FleetRecord, urls: string) {
  const { id, name, state, databaseId, schemaVersion, expiresAt, profile } = record;
  return {
    ...{ id, name, group: profile.group, state, url: addressBy(urls, record) ?? null },
    ...{ databaseId: databaseId ?? null, version: schemaVersion ?? null, expiresAt: expiresAt ?? null },
    labels: profile.labels ?? {},
  };
}

const labelText = (labels: Readonly<Record<string, string>>): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .join(", ");

function find(read: Fleets, name: string | undefined, tenant: string): { fleet: KnownFleet; record: FleetRecord } {
  const fleets = name === undefined && read.fleets.length > 0 ? read.fleets : [requireFleet(read, name)];
  const all = fleets.flatMap((fleet) => fleet.records.map((record) => ({ fleet, record })));
  const byId = all.filter(({ record }) => record.id === tenant);
  const found = byId.length > 0 ? byId : all.filter(({ record }) => record.name === tenant);
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    throw new TenantryError("invalid-input", `Several fleets have a tenant "${tenant}".`, {
      fix: `Pass --fleet: ${found.map(({ fleet }) => fleet.name).join(", ")}.`,
    });
  }
  throw noSuchTenant(tenant, fleets);
}

export function noSuchTenant(tenant: string, fleets: readonly KnownFleet[]): TenantryError {
  const near = didYouMean(
    tenant,
    fleets.flatMap(({ records }) => records.map(({ id }) => id)),
  );
  const where = fleets.map(({ name }) => `"${name}"`).join(", ");
  return new TenantryError("invalid-input", `There is no tenant "${tenant}" in ${where}.`, {
    fix: near === undefined ? "`tenantry fleet status --json` lists them." : `Did you mean "${near}"?`,
  });
}
