import { InvalidArgumentError, Option } from "commander";
import type { Latency, PlanName } from "../../../provider/local";

export interface LocalFlags {
  readonly dir: string;
  readonly port: number;
  readonly host: string;
  readonly organization?: string[];
  readonly showToken?: boolean;
  readonly auth: boolean;
  readonly plan: PlanName;
  readonly latency?: Latency;
  readonly rate?: number;
  /** A share, from 0 to 1. */
  readonly fail?: number;
  readonly seed?: number;
}

export const localOptions: readonly Option[] = [
  new Option("--dir <folder>", "where everything is kept").default(".tenantry/local"),
  new Option("--port <number>", "port to listen on; 0 takes any free one").default(7117).argParser(portNumber),
  new Option(
    "--host <address>",
    "address to listen on; others can connect unless it is this machine's own, as 127.0.0.1 is",
  ).default("127.0.0.1"),
  new Option(
    "--organization <slug...>",
    'organizations to serve, the first being the default (default: as last time, at first "local")',
  ),
  new Option("--show-token", "print the API token, which otherwise only endpoint.json in the folder holds"),
  new Option("--no-auth", "ask for no token: who gives none may do everything"),
  new Option("--plan <name>", "limits to enforce: none, or those of Turso's free plan")
    .choices(["local", "free"])
    .default("local"),
  new Option("--latency <ms>", 'added to each answer, such as "40" or "control=50,data=20"').argParser(latencyOf),
  new Option("--rate <number>", "Platform API calls a second, above which the answer is 429").argParser(rateOf),
  new Option(
    "--fail <share>",
    'share of Platform API calls that fail, such as "10%": half before the effect, half after it',
  ).argParser(shareOf),
  new Option("--seed <number>", "which calls fail; the same seed, the same ones (default: random, printed)").argParser(
    seedOf,
  ),
];

function portNumber(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("It must be a number from 0 to 65535.");
}

function latencyOf(text: string): Latency {
  if (/^\d+$/.test(text)) return Number(text);
  const parts = text.split(",").map((part) => /^(control|data)=(\d+)$/.exec(part));
  if (parts.some((part) => part === null) || new Set(parts.map((part) => part?.[1])).size < parts.length)
    throw new InvalidArgumentError('It must be milliseconds, such as "40" or "control=50,data=20".');
  return Object.fromEntries(parts.map((part) => [part?.[1], Number(part?.[2])]));
}

function rateOf(text: string): number {
  const rate = Number(text);
  if (/^\d+(?:\.\d+)?$/.test(text) && rate > 0) return rate;
  throw new InvalidArgumentError("It must be a number above 0.");
}

function shareOf(text: string): number {
  const found = /^(\d+(?:\.\d+)?)(%?)$/.exec(text);
  const share = Number(found?.[1]) / (found?.[2] ? 100 : 1);
  if (share <= 1) return share;
  throw new InvalidArgumentError('It must be a share, such as "10%" or "0.1".');
}

function seedOf(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It must be a whole number.");
}
