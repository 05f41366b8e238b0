import type { Command } from "commander";
import { TenantryError } from "../../provider/platform/errors";

/** Does what `argv` says, by default what the process was started with; sets the exit code. */
export async function run(program: Command, argv?: readonly string[]): Promise<void> {
  try {
    await program.parseAsync(argv);
  } catch (error) {
    // A TenantryError says what happened and what to do; its stack would only bury that. Anything else is our fault.
    process.stderr.write(
      `tenantry: ${error instanceof TenantryError ? error.message : error instanceof Error ? error.stack : String(error)}\n`,
    );
    process.exitCode = 1;
  }
}
