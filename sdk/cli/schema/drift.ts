import { Command } from "commander";
import type { Context } from "../../../provider/context";
import { TenantryError } from "../../../provider/platform/errors";
import type { Sql } from "../../../provider/platform/sql";
import type { FleetTenant } from "../../../provider/rollout/fleet/waves";
import { type TenantDrift, findDrift } from "../../../provider/rollout/schema/drift";
import { headLines, printDocument } from "./document";
import { drawDrift } from "./drift-drawing";
import { type FleetFlags, openFleet } from "./fleet";
import { withFleet } from "./flags";
import { groundLine, openGround } from "./ground";
import { screenOf } from "./screen";

export function driftCommand(): Command {
  return withFleet(new Command("drift"))
    .description("Compare each tenant's schema with the template's at the tenant's own version. Changes nothing.")
    .option("--json", "print one JSON document in place of text")
    .addHelpText(
      "after",
      `
Exit code: 0 no drift; 2 drift, or another history than the template's; 3 some
could not be compared; 1 an error.

Examples:
  tenantry schema drift
  tenantry schema drift --tenants acme --json`,
    )
    .action(async (flags: FleetFlags & { readonly json?: boolean }) => {
      const ground = await openGround(flags);
      const fleet = await openFleet(ground, flags);
      const tenants = fleet.tenants.map((one) => ({ name: one.name, sql: () => sqlOf(ground.context, one) }));
      const found = await findDrift({ migrations: fleet.history.migrations, tenants });
      const screen = screenOf(process.stdout);
      const head = headLines(fleet, groundLine(ground), ground.notes, screen);
      if (flags.json) printDocument(ground, fleet, { tenants: found.map(row) });
      else screen.write(`${[...head, ...drawDrift(found, screen)].join("\n")}\n`);
      if (found.some(({ state }) => state === "drifted" || state === "other-history")) process.exitCode = 2;
      else if (found.some(({ state }) => state === "unknown")) process.exitCode = 3;
    });
}

async function sqlOf({ listing, sql }: Context, { name, group }: FleetTenant): Promise<Sql> {
  const database = await listing.database(name);
  if (database) return sql({ name, hostname: database.hostname, group });
  throw new TenantryError("database-not-found", "There is no database of that name.");
}

const row = (one: TenantDrift): object => ({
  name: one.tenant,
  state: one.state,
  version: ("version" in one ? one.version : undefined) ?? null,
  differences:
    "differences" in one ? one.differences.map(({ change, ...rest }) => ({ ...rest, change: change ?? null })) : [],
  why: "reason" in one ? one.reason : null,
});
