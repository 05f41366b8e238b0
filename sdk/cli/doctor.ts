import { Command } from "commander";
import { TenantryError } from "../../provider/platform/errors";
import { type Check, counted, lineOf } from "./doctor/check";
import { connectionChecks } from "./doctor/connection";
import { engineCheck, nodeCheck, packagesCheck } from "./doctor/installation";
import { readConfiguration } from "./doctor/settings";
import { stateChecks } from "./doctor/state";
import { type Stack, findStack } from "./stack";

interface Flags {
  readonly stack?: string;
  readonly json?: boolean;
  readonly platform?: string;
  readonly organization?: string;
  readonly apiUrl?: string;
  readonly databaseUrl?: string;
}

/** `tenantry doctor`: one line a check, on standard output; exit code 1 when one of them is a problem. Changes nothing. */
export function doctorCommand(): Command {
  return (
    new Command("doctor")
      .description("Check engine, configuration, credentials, quotas and registries. Changes nothing, shows no secret.")
      .option(
        "--stack <name>",
        "read this stack's config and state too, through `pulumi` in this folder (default: the one selected here)",
      )
      .option("--json", "print one JSON document in place of lines")
      // None for the token: others on the machine can read a command line.
      .option(
        "--platform <name>",
        "as tenantry:platform, and so on; flags win over the environment, that over the stack",
      )
      .option("--organization <slug>")
      .option("--api-url <address>")
      .option("--database-url <template>")
      .action(async ({ stack, json, ...flags }: Flags) => {
        const checks: Check[] = [];
        for await (const check of allChecks(flags, stack)) {
          checks.push(check);
          if (!json) process.stdout.write(`${lineOf(check)}\n`);
        }
        const count = (status: Check["status"]): number => checks.filter((check) => check.status === status).length;
        const healthy = count("problem") === 0;
        process.stdout.write(
          json
            ? `${JSON.stringify({ ok: healthy, checks }, undefined, 2)}\n`
            : `${count("ok")} ok, ${counted(count("warning"), "warning")}, ${counted(count("problem"), "problem")}\n`,
        );
        if (!healthy) process.exitCode = 1;
      })
  );
}

async function* allChecks(flags: Omit<Flags, "stack" | "json">, stack: string | undefined): AsyncGenerator<Check> {
  yield nodeCheck();
  yield await engineCheck();
  yield packagesCheck();
  const found = await findStackOrNone(stack);
  for await (const { check, settings } of readConfiguration(flags, stack ?? found?.name)) {
    yield check;
    if (!settings) continue;
    for await (const one of connectionChecks(settings, found?.name)) yield { ...one, connection: settings.connection };
  }
  if (found) yield* stateChecks(found);
}

/** One that is not there is told by the check that reads its config. */
async function findStackOrNone(stack: string | undefined): Promise<Stack | undefined> {
  try {
    return await findStack(stack);
  } catch (error) {
    if (error instanceof TenantryError) return undefined;
    throw error;
  }
}
