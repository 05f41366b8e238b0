import { relative } from "node:path";
import type { Latency, LocalPlatform } from "../../../provider/local";
import type { LocalFlags } from "./flags";

/** What a started platform says of itself: where it is, what differs from the usual, and how to use it. */
export function greeting(platform: LocalPlatform, flags: LocalFlags): string {
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
    ...unusual(platform, flags).map(([label, text]) => `  ${label.padEnd(13)}  ${text}`),
    "",
    "Use it from a Pulumi program:",
    ...config.map((line) => `  ${line}`),
    "",
    "Ctrl-C stops it; the data stays.",
    "",
  ].join("\n");
}

/** What a host that others can reach means, for whoever did not mean it. */
export function exposure(host: string, { auth }: LocalFlags): string {
  const risk = auth
    ? "tokens and data travel unencrypted, and whoever reads a token can use it"
    : "no token is asked for, so they can read, change and delete every database";
  return (
    `Warning: others can reach this platform on ${host}: ${risk}. It is made for development on one machine. ` +
    `Leave --host out${auth ? "" : ", or --no-auth,"} unless the network is yours alone.\n`
  );
}

function unusual({ seed }: LocalPlatform, { auth, plan, latency, rate, fail }: LocalFlags): [string, string][] {
  const lines: [string, string | false][] = [
    ["access", !auth && "no token is asked for (--no-auth)"],
    ["plan", plan !== "local" && `${plan}: creates over its limits are refused`],
    ["latency", latency !== undefined && delays(latency)],
    ["rate", rate !== undefined && `${rate} Platform API calls a second, then 429`],
    ["failures", fail !== undefined && `${+(fail * 100).toFixed(4)} % of Platform API calls, --seed ${seed}`],
  ];
  return lines.filter((line): line is [string, string] => line[1] !== false);
}

function delays(latency: Latency): string {
  if (typeof latency === "number") return `${latency} ms`;
  return `${latency.control ?? 0} ms Platform API, ${latency.data ?? 0} ms SQL`;
}
