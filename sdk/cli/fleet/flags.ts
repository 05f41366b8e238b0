import type { Command } from "commander";

export interface StackFlags {
  readonly stack?: string;
  readonly json?: boolean;
}

export const withStack = (command: Command): Command =>
  command.option("--stack <name>", "read this stack's state (default: the one selected here)");

/** For verbs that need the platform too. None for the API token: others on the machine can read a command line. */
export function withPlatform(command: Command): Command {
  return withStack(command)
    .option("--platform <name>", "as tenantry:platform, and so on; flags win over the environment, that over the stack")
    .option("--organization <slug>")
    .option("--api-url <address>")
    .option("--database-url <template>");
}
