import { Command } from "commander";
import { startLocalPlatform } from "../../provider/local";
import { isLoopback } from "../../provider/local/foreign-page";
import { type LocalFlags, localOptions } from "./local/flags";
import { exposure, greeting } from "./local/greeting";

/** `tenantry local`: runs the embedded platform until it is told to stop. */
export function localCommand(): Command {
  const command = new Command("local").description(
    "Run the embedded platform: the Turso Platform API and libSQL over HTTP, on files in a folder.",
  );
  for (const option of localOptions) command.addOption(option);
  return command.action(async (flags: LocalFlags) => {
    const stopped = stopSignal();
    const { dir: directory, organization: organizations, showToken: _, ...others } = flags;
    const platform = await startLocalPlatform({ directory, organizations, ...others });
    process.stdout.write(greeting(platform, flags));
    if (!isLoopback(flags.host)) process.stderr.write(exposure(flags.host, flags));
    await stopped;
    process.stdout.write("Stopping: requests under way have 3 seconds. Ctrl-C again ends it at once.\n");
    await platform.close();
    process.stdout.write("Stopped.\n");
  });
}

/** Resolves at the first request to stop. A second one ends the process at once, as if nobody listened. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  });
}
