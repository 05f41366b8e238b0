import { Command } from "commander";
import { didYouMean } from "../../provider/platform/did-you-mean";
import { TenantryError } from "../../provider/platform/errors";
import { type OrgFlags, orgReaders, readSummary } from "./org/readers";
import { groundLine, openPlainGround } from "./schema/ground";

type Reading = (typeof orgReaders)[number]["read"];

/** `tenantry org`: the organization beside its databases. Only reads. */
export function orgCommand(): Command {
  const org = withFlags(new Command("org"), readSummary)
    .allowExcessArguments()
    .description("Show an organization: its people, API tokens, audit log, plan and usage. Changes nothing.")
    .addHelpText(
      "after",
      "\nMember, Invite and ApiToken declare them in a program.\n\nExit code: 0, 1 an error, or the platform has none.\n\nExample:\n  tenantry org members --json",
    );
  for (const { verb, description, options = [], read } of orgReaders) {
    const command = withFlags(new Command(verb), read).description(description);
    for (const option of options) command.addOption(option);
    org.addCommand(command);
  }
  return org;
}

function withFlags(command: Command, read: Reading): Command {
  return command
    .option("--json", "print one JSON document in place of text")
    .option("--stack <name>", "read this stack's config (default: the one selected here)")
    .option("--connection <name>", "one of tenantry:connections (default: the stack's own)")
    .option("--platform <name>", "as tenantry:platform, and so on; flags win over the environment, that over the stack")
    .option("--organization <slug>")
    .option("--api-url <address>")
    .action((_: unknown, called: Command) => {
      refuseUnknown(called.args[0]);
      return run(read, called.optsWithGlobals<OrgFlags>());
    });
}

function refuseUnknown(verb: string | undefined): void {
  if (verb === undefined) return;
  const verbs = orgReaders.map((reader) => reader.verb);
  const guess = didYouMean(verb, verbs);
  throw new TenantryError("invalid-input", `There is no \`tenantry org ${verb}\`.`, {
    fix: guess ? `Did you mean "${guess}"?` : `There are: ${verbs.join(", ")}.`,
  });
}

async function run(read: Reading, flags: OrgFlags): Promise<void> {
  const ground = await openPlainGround(flags, "read-only");
  const { document, lines } = await read(ground.context.platform, flags);
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ format: 1, scope: ground.scope, ...document }, undefined, 2)}\n`
      : `${[groundLine(ground), ...ground.notes, ...lines].join("\n")}\n`,
  );
}
