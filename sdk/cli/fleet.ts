import { join } from "node:path";
import { Command } from "commander";
import { TenantryError } from "../../provider/platform/errors";
import { projectFolder } from "../../provider/project-folder";
import { typeToken } from "../../provider/resources/self";
import { someOf } from "../../provider/resources/tenant-fleet/change-text";
import { type FleetChanges, changesNothing, planChanges } from "../../provider/resources/tenant-fleet/changes";
import { unpackFleet } from "../../provider/resources/tenant-fleet/pack";
import { newestRoster, readRoster, rosterFolder } from "../../provider/resources/tenant-fleet/roster";
import { parseTemplateRef } from "../../provider/rollout/template-ref";
import { type Stack, findStack, readState } from "./stack";

/** `tenantry fleet plan`: what the next `pulumi up` would do with each tenant. */
export function fleetCommand(): Command {
  return new Command("fleet").description("Look at a fleet of tenants.").addCommand(
    new Command("plan")
      .description(
        "Say of every tenant what `pulumi up` would do with it: the stack's state, beside what the program listed when it " +
          "ran last (`pulumi preview`). Asks no platform and changes nothing.",
      )
      .argument("[fleet]", "name of the TenantFleet (default: the only one)")
      .option("--stack <name>", "the stack (default: the selected one)")
      .option("--json", "print one JSON document")
      .addHelpText("after", "\nEnds with 0, or 2 where something changes.\n")
      .action(plan),
  );
}

async function plan(name: string | undefined, { stack: given, json }: { stack?: string; json?: true }): Promise<void> {
  const stack = await findStack(given);
  if (!stack) {
    throw new TenantryError("not-configured", "No stack is selected here.", {
      fix: "Run this in the project's folder, or pass --stack.",
    });
  }
  const { fleet, changes, tenants } = await changesOf(stack, name);
  const document = documentOf(stack, fleet, changes, tenants);
  process.stdout.write(json ? `${JSON.stringify(document, undefined, 2)}\n` : textOf(document));
  if (!changesNothing(changes)) process.exitCode = 2;
}

async function changesOf(stack: Stack, name: string | undefined) {
  const ofFleets = (await readState(stack)).resources.filter(({ type }) => type === typeToken("tenantFleet"));
  const fleets = ofFleets.map(({ urn, outputs }) => ({ name: urn.slice(urn.lastIndexOf("::") + 2), outputs }));
  if (name === undefined && fleets.length !== 1) {
    const names = fleets.map((one) => one.name).join(", ");
    throw new TenantryError("needs-decision", `Stack ${stack.name} has ${names || "no TenantFleet yet"}.`, {
      fix: "Say which fleet: `tenantry fleet plan NAME`.",
    });
  }
  const found = name === undefined ? fleets[0] : fleets.find((one) => one.name === name);
  const fleet = found?.name ?? name!;
  const { packed, self = `${stack.name}/${fleet}`, scope = "" } = (found?.outputs ?? {}) as Record<string, string>;
  const folder = join(projectFolder(), rosterFolder(self));
  const digest = newestRoster(folder);
  if (digest === undefined) {
    throw new TenantryError("not-configured", `The program has not listed the tenants of fleet "${fleet}" here.`, {
      fix: "Run `pulumi preview` first.",
    });
  }
  const records = new Map((packed === undefined ? [] : unpackFleet(packed)).map((record) => [record.id, record]));
  const { tenants } = readRoster(folder, digest);
  // Addresses play no part in what changes.
  const nowhere = { platform: { databaseUrl: () => "" } };
  return { fleet, tenants: tenants.length, changes: planChanges(records, tenants, { self, scope }, nowhere) };
}

type Document = ReturnType<typeof documentOf>;

function documentOf(stack: Stack, fleet: string, changes: FleetChanges, tenants: number) {
  const both = (those: FleetChanges["change"]) => those.map(({ tenant: { id, name } }) => ({ id, name }));
  return {
    format: 1,
    stack: stack.name,
    fleet,
    tenants,
    create: changes.create.map(({ id, name, group }) => ({ id, name, group })),
    replace: both(changes.replace),
    change: both(changes.change),
    bring: [...changes.bring].map(([schema, those]) => {
      const { name, version } = parseTemplateRef(schema)!;
      const behind = those.map(({ record, tenant }) => ({ id: tenant.id, from: record.schemaVersion ?? null }));
      return { template: name, to: version, tenants: behind };
    }),
    remove: changes.remove.map(({ id, name }) => ({ id, name })),
  };
}

/** How many tenants of a kind a line names. */
const named = 20;

function textOf({ fleet, stack, tenants, create, replace, change, bring, remove }: Document): string {
  const line = (what: string, those: readonly { readonly id: string }[]): string[] =>
    those.length === 0
      ? []
      : [
          `  ${what} ${those.length.toLocaleString("en-US")}: ${someOf(
            those.map(({ id }) => id),
            named,
          )}`,
        ];
  const lines = [
    ...line("create", create),
    ...line("destroy and make anew", replace),
    ...line("change", change),
    ...bring.flatMap(({ template, to, tenants: behind }) => line(`bring to ${to} of "${template}"`, behind)),
    ...line("remove", remove),
  ];
  const head = `Fleet ${fleet} of ${stack}: ${tenants.toLocaleString("en-US")} tenants listed`;
  return `${lines.length === 0 ? `${head}, nothing to do` : [head, ...lines].join("\n")}\n`;
}
