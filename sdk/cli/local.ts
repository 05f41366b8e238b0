import { Command, InvalidArgumentError } from "commander";
import { relative } from "node:path";
import { startLocalPlatform } from "../../provider/local";
import type { LocalPlatform } from "../../provider/local";

interface Flags {
  readonly dir: string;
  readonly port: number;
  readonly host: string;
  readonly organization?: string[];
  readonly showToken?: boolean;
}

/** `tenantry local`: runs the embedded platform until it is told to stop. */
export function localCommand(): Command {
  return new Command("local")
    .description("Run the embedded platform: the Turso Platform API and libSQL over HTTP, on files in a folder.")
    .option("--dir <folder>", "where everything is kept", ".tenantry/local")
    .option("--port <number>", "port to listen on; 0 takes any free one", portNumber, 7117)
    .option("--host <address>", "address to listen on; anything but 127.0.0.1 lets others connect", "127.0.0.1")
    .option(
      "--organization <slug...>",
      'organizations to serve, the first being the default (default: as last time, at first "local")',
    )
    .option("--show-token", "print the API token, which otherwise only endpoint.json holds")
    .action(async (flags: Flags) => {
      const stopped = stopSignal();
      const { dir: directory, port, host, organization: organizations } = flags;
      const platform = await startLocalPlatform({ directory, port, host, organizations });
      process.stdout.write(greeting(platform, flags));
      await stopped;
      await platform.close();
      process.stdout.write("Stopped.\n");
    });
}

function greeting(platform: LocalPlatform, flags: Flags): string {
  const folder = relative("", platform.directory) || ".";
  const [organization = ""] = platform.organizations;
  // With the default folder and organization a program finds all of it by itself.
  const config = [
    "pulumi config set tenantry:platform local",
    ...(flags.dir === ".tenantry/local" ? [] : [`pulumi config set tenantry:apiUrl ${platform.url}`]),
    ...(organization === "local" ? [] : [`pulumi config set tenantry:organization ${organization}`]),
  ];
  return [
    `Embedded platform ${platform.id} on ${platform.url}`,
    `  organizations  ${platform.organizations.join(", ")}`,
    `  folder         ${folder}`,
    `  API token      ${flags.showToken ? platform.apiToken : `in ${folder}/endpoint.json`}`,
    `  databases      ${platform.databaseUrl("NAME")}`,
    "",
    "Use it from a Pulumi program:",
    ...config.map((line) => `  ${line}`),
    "",
    "Ctrl-C stops it; the data stays.",
    "",
  ].join("\n");
}

/** Resolves at the first request to stop. A second one ends the process at once, as if nobody listened. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  });
}

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("It must be a number from 0 to 65535.");
}
