import { Command, InvalidArgumentError, Option } from "commander";
import { parseDuration } from "../../../provider/duration";
import { TenantryError } from "../../../provider/platform/errors";
import type { Access } from "../../../provider/platform/platform";
import { defaultAccess, defaultLifetime } from "../../../provider/resources/database-token";
import { requireScope } from "../../../provider/resources/scope";
import { labelOf } from "../label-flag";
import { concurrencyOf, namesOf } from "../schema/flags";
import { type GroundFlags, openGround } from "../schema/ground";
import { counted } from "../schema/table";
import { type Delivery, type HandOver, mintAll } from "./deliver";
import { envText, requireWritable, variablesOf, writePrivately } from "./env-file";
import { runHook } from "./hook";
import { type StackFlags, withPlatform } from "./flags";
import { readFleets, requireFleet } from "./fleets";
import { choose } from "./chosen";

interface Flags extends StackFlags, GroundFlags {
  readonly tenants?: readonly string[];
  readonly where?: Readonly<Record<string, string>>;
  readonly access: Access;
  readonly expiresIn: string;
  readonly toEnvFile?: string;
  readonly name: string;
  readonly exec?: string;
  readonly concurrency: number;
}

export function tokensCommand(): Command {
  return (
    withPlatform(new Command("tokens"))
      .description("Mint a token for each tenant now and hand it on, since a fleet's state holds none.")
      .argument("[fleet]", "name of the TenantFleet (default: the only one)")
      .addOption(new Option("--tenants <ids>", "these tenants only, such as acme,bolt").argParser(namesOf))
      .addOption(new Option("--where <label=value>", "those with this label only; repeatable").argParser(labelOf))
      .addOption(
        new Option("--access <rights>", "what the tokens may do")
          .choices(["read-only", "read-write", "full-access"])
          .default(defaultAccess),
      )
      .option("--expires-in <duration>", 'how long they live, such as "1h"; or "never"', defaultLifetime)
      // Not --env-file: Node.js 20 takes that for itself, wherever it stands on the command line.
      .addOption(
        new Option("--to-env-file <file>", "write url and token of each into this file, for its owner only").conflicts([
          "json",
          "exec",
        ]),
      )
      .addOption(
        new Option("--name <pattern>", "in that file <pattern>_URL and <pattern>_TOKEN")
          .default("TENANT_{ID}")
          .argParser(patternOf),
      )
      .addOption(
        new Option(
          "--exec <command>",
          "run this for each, with TENANT_ID, TENANT_DATABASE, TENANT_URL and TENANT_TOKEN in its environment",
        ).conflicts("json"),
      )
      .option("--json", "print the tokens, as one JSON document")
      .addOption(
        new Option("--concurrency <number>", "tenants at a time, 1 to 256").default(8).argParser(concurrencyOf),
      )
      .addHelpText(
        "after",
        `
Exit code: 0 every token was handed on, 3 some were not, 1 an error.

No platform can take back a single token: let it live as briefly as its use
allows. The file is replaced whole, and only when every token was minted.

Examples:
  tenantry fleet tokens --to-env-file tenants.env
  tenantry fleet tokens --where ring=beta --expires-in 1h --json
  tenantry fleet tokens prod --tenants acme,bolt --exec ./deliver.sh`,
      )
      .action(tokens)
  );
}

async function tokens(name: string | undefined, flags: Flags): Promise<void> {
  const { toEnvFile: envFile, exec, json, access, concurrency } = flags;
  if (envFile === undefined && exec === undefined && !json) {
    throw new TenantryError("invalid-input", "Where the tokens go is not said.", {
      fix: "Pass --to-env-file FILE, --exec COMMAND or --json.",
    });
  }
  if (envFile !== undefined) await requireWritable(envFile);
  const lifetime = parseDuration(flags.expiresIn, "--expires-in");
  const read = await readFleets(flags.stack);
  const fleet = requireFleet(read, name);
  const { chosen, left } = choose(fleet, flags);
  const variables = envFile === undefined ? undefined : variablesOf(chosen, flags.name);
  const ground = await openGround({ ...flags, connection: fleet.outputs.connection }, false, read);
  const { context } = ground;
  await requireScope(context, fleet.outputs.scope);
  requireAccess(context.platform.capabilities.tokenAccess, access);
  for (const text of [...ground.notes, ...left]) process.stderr.write(`${text}\n`);
  const hook: HandOver = exec === undefined ? async () => undefined : (one) => runHook(exec, one);
  const { done, failed } = await mintAll(context, chosen, { access, lifetime }, concurrency, hook);
  const isWhole = failed.length === 0;
  if (variables && envFile !== undefined && isWhole) await writePrivately(envFile, envText(done, variables));
  if (json) process.stdout.write(document(read.stack.name, fleet.name, done, failed));
  for (const { id, why } of failed) process.stderr.write(`${id}: ${why}\n`);
  process.stderr.write(`${summary(done, failed.length, flags)}\n`);
  if (!isWhole) process.exitCode = 3;
}

function requireAccess(possible: readonly Access[], access: Access): void {
  if (possible.includes(access)) return;
  throw new TenantryError("invalid-input", `--access: this platform has no "${access}" tokens.`, {
    fix: `Use ${possible.map((one) => `"${one}"`).join(" or ")}.`,
  });
}

function summary(
  done: readonly Delivery[],
  failed: number,
  { access, expiresIn, toEnvFile: envFile, exec }: Flags,
): string {
  const what = `${counted(done.length, `${access} token`)}, valid ${expiresIn === "never" ? "for ever" : `for ${expiresIn}`}`;
  if (exec !== undefined) return `${what}: handed to the command.${failed > 0 ? ` ${failed} failed.` : ""}`;
  if (envFile === undefined) return `${what}.${failed > 0 ? ` ${failed} failed.` : ""}`;
  return failed > 0 ? `${failed} failed, so ${envFile} was left as it was.` : `${what}: written to ${envFile}.`;
}

function document(
  stack: string,
  fleet: string,
  done: readonly Delivery[],
  failed: readonly { readonly id: string; readonly why: string }[],
): string {
  const tenants = done.map(({ id, name, url, token, expiresAt }) => ({
    ...{ id, name, url, token, expiresAt: expiresAt?.toISOString() ?? null },
  }));
  return `${JSON.stringify({ format: 1, stack, fleet, tenants, failed }, undefined, 2)}\n`;
}

function patternOf(text: string): string {
  if (/^[A-Za-z_]\w*$/.test(text.replace("{ID}", "X")) && text.includes("{ID}")) return text;
  throw new InvalidArgumentError('It must be letters, digits and "_" with {ID} in them, such as "DB_{ID}".');
}
