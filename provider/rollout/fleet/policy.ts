import { parseDuration } from "../../duration";
import { TenantryError } from "../../platform/errors";

/** A tenant's labels, such as `{ ring: "beta" }`. */
export type Labels = Readonly<Record<string, string>>;

/** How a change goes over a fleet, as a program or a command line writes it. */
export interface PolicyInputs {
  /** Who goes first, alone: these tenants, those with these labels, or so many. Default 1; 0: nobody. */
  readonly canary?: readonly string[] | Labels | number;
  /**
   * Then, one wave after the other: those with these labels, or everybody up to a share of the fleet (0.1 is 10 %, in the
   * order in which the tenants are given). Together they must hold everybody. Default `[1]`.
   */
  readonly waves?: readonly (number | Labels)[];
  /** Tenants at a time within a wave. Default 16. */
  readonly concurrency?: number;
  /** How many may fail before no other is begun: a number, or a share of those to be migrated ("5%"). Default 0. */
  readonly maxFailures?: number | string;
  /** Between two waves, such as "10m". Default none. */
  readonly pauseBetween?: string;
  /**
   * "stop": a tenant that fails is tried again by the next run, and the run counts as failed. "quarantine": it is left
   * out of later runs until it is released or the template changes, and the run goes on without it. Default "stop".
   */
  readonly onFailure?: "stop" | "quarantine";
  /** For one tenant. Default "5m". */
  readonly timeout?: string;
  /** How long to wait for a tenant whose database somebody else keeps locked. Default "30s". */
  readonly lockTimeout?: string;
  /** Ids of migrations that may destroy data. Default none. */
  readonly allowDestructive?: readonly string[];
  /** Whether the change is first tried, and taken back, on the canary and on some others. Default true. */
  readonly verify?: boolean;
}

/** The same with its defaults, and durations in ms. */
export interface Policy {
  readonly canary: readonly string[] | Labels | number;
  readonly waves: readonly (number | Labels)[];
  readonly concurrency: number;
  readonly maxFailures: { readonly count: number } | { readonly share: number };
  readonly pauseBetween: number;
  readonly onFailure: "stop" | "quarantine";
  readonly timeout: number;
  readonly lockTimeout: number;
  readonly allowDestructive: readonly string[];
  readonly verify: boolean;
}

/** Fails with "invalid-input" for numbers that are none, shares that do not grow, a duration without a unit. */
export function policyOf(inputs: PolicyInputs): Policy {
  const { canary = 1, waves = [1], concurrency = 16 } = inputs;
  if (typeof canary === "number") requireWhole(canary, 0, "canary");
  requireWhole(concurrency, 1, "concurrency");
  requireGrowing(waves);
  return {
    canary,
    waves,
    concurrency,
    maxFailures: budgetOf(inputs.maxFailures ?? 0),
    pauseBetween: pauseOf(inputs.pauseBetween ?? "0s", "pauseBetween"),
    onFailure: inputs.onFailure ?? "stop",
    timeout: milliseconds(inputs.timeout ?? "5m", "timeout"),
    lockTimeout: pauseOf(inputs.lockTimeout ?? "30s", "lockTimeout"),
    allowDestructive: inputs.allowDestructive ?? [],
    verify: inputs.verify ?? true,
  };
}

/** How many may fail, of so many tenants to be migrated; one more is too many. */
export const allowedFailures = ({ maxFailures }: Pick<Policy, "maxFailures">, planned: number): number =>
  // 0.29 * 100 is a little less than 29.
  "count" in maxFailures ? maxFailures.count : Math.floor(Number((maxFailures.share * planned).toFixed(6)));

function requireWhole(value: number, least: number, path: string): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new TenantryError("invalid-input", `${path}: ${value} is no whole number from ${least} on.`, {
    fix: "It counts tenants.",
  });
}

function requireGrowing(waves: Policy["waves"]): void {
  let before = 0;
  waves.forEach((wave, i) => {
    if (typeof wave !== "number") return;
    if (!(wave > before && wave <= 1)) {
      throw new TenantryError(
        "invalid-input",
        `waves[${i}]: ${wave} is no share of the fleet that goes on from ${before}.`,
        { fix: "Shares grow up to 1, the whole fleet: [0.1, 0.5, 1]." },
      );
    }
    before = wave;
  });
}

function budgetOf(maxFailures: number | string): Policy["maxFailures"] {
  if (typeof maxFailures === "number" && Number.isInteger(maxFailures) && maxFailures >= 0)
    return { count: maxFailures };
  const [, percent] = /^(\d+(?:\.\d+)?)\s?%$/.exec(String(maxFailures)) ?? [];
  if (percent !== undefined && Number(percent) <= 100) return { share: Number(percent) / 100 };
  if (/^\d+$/.test(String(maxFailures))) return { count: Number(maxFailures) };
  throw new TenantryError(
    "invalid-input",
    `maxFailures: "${maxFailures}" is neither a number of tenants nor a share.`,
    { fix: 'Write 3, or "5%".' },
  );
}

/** As below, or none at all. */
const pauseOf = (text: string, path: string): number => (/^0[dhms]?$/.test(text) ? 0 : milliseconds(text, path));

function milliseconds(text: string, path: string): number {
  const seconds = parseDuration(text, path);
  if (seconds === undefined) {
    throw new TenantryError("invalid-input", `${path}: it must have an end.`, {
      fix: 'Write a duration such as "30s".',
    });
  }
  return seconds * 1000;
}
