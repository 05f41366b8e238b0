import type { Command } from "commander";

/** Which platform, stack and group. None for the token: others on the machine can read a command line. */
export function withSettings(command: Command): Command {
  return command
    .option("--group <name>", "look into this group's registry only")
    .option("--stack <name>", "compare with this stack's state, and read its config (default: the one selected here)")
    .option("--connection <name>", "one of tenantry:connections (default: the stack's own)")
    .option("--platform <name>", "as tenantry:platform, and so on; flags win over the environment, that over the stack")
    .option("--organization <slug>")
    .option("--api-url <address>")
    .option("--database-url <template>");
}
