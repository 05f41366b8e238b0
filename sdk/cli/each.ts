import { once } from "node:events";
import { Command, Option } from "commander";
import { TenantryError } from "../../provider/platform/errors";
import { fromResult } from "../../provider/platform/sql-values";
import { type EachFlags, whereOf } from "./each/flags";
import { libraryOn } from "./each/library";
import { type Output, jsonLines, openMetrics, plainLines } from "./each/output";
import { concurrencyOf, namesOf } from "./schema/flags";
import { type GroundFlags, openGround } from "./schema/ground";

type Flags = EachFlags & GroundFlags;

/** `tenantry each "SELECT ..."`: one statement on every tenant. */
export function eachCommand(): Command {
  return new Command("each")
    .description("Run one statement on every tenant, several at a time, and show what each answers.")
    .argument("<sql>", "it can only read, unless --access says otherwise")
    .option("--group <name>", "tenants of this group only")
    .addOption(new Option("--where <what>", "group=eu, or a label of the manifest; repeatable").argParser(whereOf))
    .addOption(new Option("--tenants <names>", "these only, such as acme,bolt").argParser(namesOf))
    .option("--manifest <path>", "the tenants of this manifest, with its ids and labels (default: all databases)")
    .addOption(
      new Option("--concurrency <number>", "tenants at a time, 1 to 256 (default: 16)").argParser(concurrencyOf),
    )
    .addOption(
      new Option("--access <rights>", "of the token (default: read-only)").choices([
        "read-only",
        "read-write",
        "full-access",
      ]),
    )
    .addOption(new Option("--json", "a line of JSON a tenant, as it comes").conflicts("openmetrics"))
    .option("--openmetrics", "each column of numbers as a metric, for Prometheus and the like")
    .option("--stack <name>", "read this stack's config (default: the one selected here)")
    .option("--connection <name>", "one of tenantry:connections (default: the stack's own)")
    .option("--platform <name>", "as tenantry:platform, and so on; flags win over the environment, that over the stack")
    .option("--organization <slug>")
    .option("--api-url <address>")
    .option("--database-url <template>")
    .addHelpText(
      "after",
      `
Exit code: 0 every tenant answered, 3 some failed, 1 an error.

Examples:
  tenantry each "SELECT count(*) AS notes FROM notes"
  tenantry each "SELECT count(*) AS notes FROM notes" --where group=eu --openmetrics
  tenantry each "SELECT * FROM settings" --manifest tenants.yaml --where ring=beta --json`,
    )
    .action((sql: string, flags: Flags) => runOnEach(sql, flags));
}

async function runOnEach(sql: string, flags: Flags): Promise<void> {
  const { tenants, where = {}, manifest, access, concurrency } = flags;
  if (where.labels && manifest === undefined) {
    const [label] = Object.keys(where.labels);
    throw new TenantryError("invalid-input", `--where: "${label}" is a label, and labels are those of a manifest.`, {
      fix: "Pass --manifest, or group=NAME.",
    });
  }
  // A reader that has seen enough (`| head`) ends this without a word.
  process.stdout.on("error", () => process.exit());
  const ground = await openGround(flags);
  const write = (text: string): void => void process.stdout.write(text);
  const output = outputOf(flags, write);
  let [answered, failed] = [0, 0];
  const results = libraryOn(ground, manifest).forEachTenant(
    async (db) => fromResult(await db.execute({ sql, args: [] })).rows,
    { where: { ...where, group: where.group ?? flags.group, tenants }, access, concurrency },
  );
  for await (const result of results) {
    output.add(result);
    if (result.ok) answered += 1;
    else failed += 1;
    if (process.stdout.writableNeedDrain) await once(process.stdout, "drain");
  }
  output.end();
  if (failed > 0) process.exitCode = 3;
  if (flags.json || flags.openmetrics) return;
  process.stderr.write(`${answered} answered, ${failed} failed.\n`);
}

const width = 20;

function outputOf({ json, openmetrics }: Flags, write: (text: string) => void): Output {
  return json ? jsonLines(write) : openmetrics ? openMetrics(write) : plainLines(write, width);
}
