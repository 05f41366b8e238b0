import { Command } from "commander";
import { TenantryError } from "../../provider/platform/errors";
import type { PlatformDatabase, TenantPart } from "../../provider/platform/platform";
import { withSettings } from "./registry/flags";
import { type GroundFlags, groundLine, openPlainGround } from "./schema/ground";
import { findTenant, requireLiving } from "./tenant/find";

type Flags = GroundFlags & {
  readonly isolation?: string;
  readonly region?: string;
  readonly blueprint?: string;
  readonly json?: boolean;
};

/** `tenantry place TENANT`: moves a database of it to another isolation or region, where the platform does that. */
export function placeCommand(): Command {
  return withSettings(new Command("place"))
    .description(
      "Move a tenant's database to another isolation or region, where the platform has those, and wait for it.",
    )
    .argument("<tenant>", "name of its database, or its id")
    .option("--isolation <level>", 'to "L1", shared with others, or "L2", a machine of its own (default: as it is)')
    .option("--region <region>", 'to a region, such as "eu-central", on L2')
    .option("--blueprint <blueprint>", "which one, where it has several")
    .option("--json", "print one JSON document in place of text")
    .addHelpText(
      "after",
      `
A program that says otherwise moves it back with its next \`pulumi up\`.

Exit code: 0, 1 an error, or it is still under way when it was waited for.

Example:
  tenantry place acme --isolation L2 --region us-east`,
    )
    .action(run);
}

async function run(tenant: string, { isolation, region, blueprint, json, ...flags }: Flags): Promise<void> {
  if (isolation === undefined && region === undefined) throw invalid("say where to.", "Give --isolation, --region.");
  if (isolation !== undefined && !/^L[12]$/.test(isolation)) {
    throw invalid(`--isolation: "${isolation}" is no level.`, 'Write "L1" or "L2".');
  }
  const ground = await openPlainGround(flags, "full-access");
  const { platform } = ground.context;
  if (!platform.capabilities.isolation) {
    throw new TenantryError("unsupported", `${platform.name} has neither isolation levels nor regions of a tenant.`, {
      fix: "`npx tenantry move --plan` shows what a move to another group means.",
    });
  }
  const found = await findTenant(ground, tenant);
  const part = partOf(await requireLiving(ground, found), blueprint);
  const to = { blueprint: part.blueprint, isolation: isolation ?? part.isolation, region };
  if (region !== undefined && to.isolation !== "L2") {
    throw invalid("--region: only a database on L2 has one.", "Say --isolation L2, or leave --region out.");
  }
  const { name, tenant: id } = found.claim;
  const onStatus = (status: string): void => void process.stderr.write(`${name}: ${to.blueprint} is ${status}\n`);
  await platform.movePart!(name, to, { onStatus });
  const document = { format: 1, scope: ground.scope, name, group: found.group, tenant: id ?? null, ...to };
  const where = region === undefined ? to.isolation : `${to.isolation} in ${region}`;
  process.stdout.write(
    json
      ? `${JSON.stringify({ ...document, region: region ?? null }, undefined, 2)}\n`
      : `${groundLine(ground)}\n${name}: ${to.blueprint} is on ${where}.\n`,
  );
}

function partOf({ name, parts = [] }: PlatformDatabase, blueprint: string | undefined): TenantPart {
  const fitting = parts.filter((one) => blueprint === undefined || one.blueprint === blueprint);
  if (fitting.length === 1) return fitting[0]!;
  throw invalid(
    `${name}: ${blueprint === undefined ? "it has several databases" : `it has none of blueprint "${blueprint}"`}.`,
    `Say which one: ${parts.map((one) => `--blueprint ${one.blueprint}`).join(", ")}.`,
  );
}

const invalid = (what: string, fix: string): TenantryError => new TenantryError("invalid-input", what, { fix });
