import { type Command, InvalidArgumentError, Option } from "commander";
import type { Labels, PolicyInputs } from "../../../provider/rollout/fleet/policy";
import { migrationFormats } from "../../../provider/rollout/source";

/** None for the token: others on the machine can read a command line. */
export function withSettings(command: Command): Command {
  return command
    .option("--stack <name>", "read this stack's state and config (default: the one selected here)")
    .option("--template <name>", "which template, where there are several")
    .option("--group <name>", "this group only")
    .option("--connection <name>", "one of tenantry:connections (default: the stack's own)")
    .option("--platform <name>", "as tenantry:platform, and so on; flags win over the environment, that over the stack")
    .option("--organization <slug>")
    .option("--api-url <address>")
    .option("--database-url <template>");
}

export function withFleet(command: Command): Command {
  return withSettings(command)
    .option("--migrations <folder>", "these migrations, and not what the stack's state names")
    .addOption(
      new Option("--format <name>", "how that folder is laid out (default: detected)").choices(migrationFormats),
    )
    .addOption(
      new Option("--tenants <names>", "these databases only, such as acme,bolt").argParser((text) => namesOf(text)),
    );
}

export function withPolicy(command: Command): Command {
  return command
    .addOption(new Option("--canary <who>", "who goes first: acme,bolt or ring=beta or 3").argParser(canaryOf))
    .addOption(new Option("--wave <who>", "then 10% of the fleet, or ring=beta; repeatable").argParser(wavesOf))
    .addOption(new Option("--concurrency <number>", "tenants at a time, 1 to 256").argParser(concurrencyOf))
    .option("--max-failures <number>", "how many may fail before no other is begun: 3, or 5%")
    .option("--pause-between <duration>", "between two waves, such as 10m")
    .addOption(
      new Option("--on-failure <what>", "of a tenant: the run ends, or goes on without it").choices([
        "stop",
        "quarantine",
      ]),
    )
    .option("--timeout <duration>", "for one tenant, such as 5m")
    .option("--lock-timeout <duration>", "how long to wait for a database that somebody keeps locked")
    .addOption(
      new Option("--allow-destructive <id>", "a migration that may destroy data; repeatable").argParser(collected),
    )
    .option("--no-verify", "do not try the change on a few tenants first");
}

export interface PolicyFlags {
  readonly canary?: PolicyInputs["canary"];
  readonly wave?: (number | Labels)[];
  readonly concurrency?: number;
  readonly maxFailures?: string;
  readonly pauseBetween?: string;
  readonly onFailure?: "stop" | "quarantine";
  readonly timeout?: string;
  readonly lockTimeout?: string;
  readonly allowDestructive?: string[];
  /** Commander's own default is true. */
  readonly verify?: boolean;
}

/** Only what was given: the rest is the rollout's, or the default. */
export function policyOfFlags({ wave, verify, ...flags }: PolicyFlags): PolicyInputs {
  const { canary, concurrency, maxFailures, pauseBetween, onFailure, timeout, lockTimeout, allowDestructive } = flags;
  const given = {
    ...{ canary, waves: wave, concurrency, maxFailures, pauseBetween, onFailure, timeout, lockTimeout },
    ...{ allowDestructive, verify: verify === false ? false : undefined },
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

export function namesOf(text: string): string[] {
  const names = text
    .split(",")
    .map((name) => name.trim())
    .filter(Boolean);
  if (names.length > 0) return [...new Set(names)];
  throw new InvalidArgumentError('It must be names, such as "acme,bolt".');
}

function canaryOf(text: string): NonNullable<PolicyInputs["canary"]> {
  if (/^\d+$/.test(text)) return Number(text);
  return text.includes("=") ? labelsOf(text) : namesOf(text);
}

function wavesOf(text: string, before: (number | Labels)[] = []): (number | Labels)[] {
  if (text.includes("=")) return [...before, labelsOf(text)];
  const [, share] = /^(\d+(?:\.\d+)?)\s?%$/.exec(text) ?? [];
  if (share !== undefined && Number(share) > 0 && Number(share) <= 100) return [...before, Number(share) / 100];
  throw new InvalidArgumentError('It must be a share or labels, such as "10%" or "ring=beta".');
}

function labelsOf(text: string): Labels {
  const pairs = text.split(",").map((pair) => /^\s*([^=\s]+)=(\S+)\s*$/.exec(pair));
  if (pairs.some((pair) => pair === null)) {
    throw new InvalidArgumentError('It must be labels, such as "ring=beta" or "ring=beta,plan=free".');
  }
  return Object.fromEntries(pairs.map((pair) => [pair![1]!, pair![2]!]));
}

export function concurrencyOf(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 256) return number;
  throw new InvalidArgumentError("It must be a number from 1 to 256.");
}

const collected = (text: string, before: string[] = []): string[] => [...before, text];
