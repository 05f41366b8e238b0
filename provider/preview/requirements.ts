import { createHash } from "node:crypto";
import type { Context } from "../context";
import { didYouMean } from "../platform/did-you-mean";
import { TenantryError } from "../platform/errors";
import type { Platform, PlatformDatabase } from "../platform/platform";
import { isReserved } from "../registry/reserved-names";
import { readSchema } from "../rollout/schema/read-schema";
import { type MaskPlan, planMask } from "./mask/plan";
import type { MaskRules } from "./mask/rules";
import type { PreviewOrder } from "./order";

/** What is wrong with an order by itself. */
export function requireSound(order: PreviewOrder, { capabilities, name }: Platform): void {
  const refuse = (what: string, fix: string): never => {
    throw new TenantryError("invalid-input", what, { fix });
  };
  if (!/^[^\s/]+(?:\/[^\s/]+)+$/.test(order.repository)) {
    refuse(`repository: "${order.repository}" is no repository.`, 'Write it as owner and name, such as "shop/app".');
  }
  if (!Number.isSafeInteger(order.pullRequest) || order.pullRequest < 1) {
    refuse(`pullRequest: ${order.pullRequest} is no pull request's number.`, "It is a whole number from 1 on.");
  }
  if (order.tenants.length === 0) refuse("tenants: there are none to be branched.", "Name some.");
  const twice = order.tenants.find(({ tenant }, i) => order.tenants.findIndex((one) => one.tenant === tenant) < i);
  if (twice) refuse(`tenants: "${twice.tenant}" is named twice.`, "Name each once.");
  const end = order.expiresAt === null ? undefined : Date.parse(order.expiresAt);
  if (end !== undefined && !(end > Date.now() + shortest)) {
    refuse(`expiresAt: "${order.expiresAt}" is not a moment to come.`, "A branch lives for a minute at least.");
  }
  if (order.mask && order.data !== "masked") {
    refuse(
      `data: there are rules for masking, and the data is "${order.data}".`,
      'Say "masked", or leave the rules out.',
    );
  }
  if (!order.mask && order.data === "masked") {
    refuse(`data: "masked" needs rules.`, 'An empty set of rules nulls every column: "{}".');
  }
  if (order.sourceTimestamp !== undefined && order.data === "schema-only") {
    refuse("sourceTimestamp: a branch without rows is of no moment.", 'Leave it out, or say "copy" or "masked".');
  }
  const lacks = lackOf(order, capabilities);
  if (lacks === undefined) return;
  throw new TenantryError("unsupported", `Preview branches: ${name} ${lacks.what}.`, { fix: lacks.instead });
}

const shortest = 60_000;

/** What the platform cannot do of it, and what to do instead. */
export function lackOf(
  { data, sourceTimestamp, access }: Pick<PreviewOrder, "data" | "sourceTimestamp" | "access">,
  can: Platform["capabilities"],
): { what: string; instead: string } | undefined {
  if (can.schemas !== "migrations" || !can.engines.includes("sqlite")) {
    return {
      what: "has no SQLite databases that could be branched",
      instead: "Use Turso, libsql-server or `tenantry local`.",
    };
  }
  if (!can.deletes) {
    return {
      what: "deletes no database for a program, so that a branch could not go with its pull request",
      instead: "Use Turso, libsql-server or `tenantry local` for previews.",
    };
  }
  if (data !== "schema-only" && !can.seedFromDatabase) {
    return { what: "makes no copies of a database", instead: 'Say "schema-only".' };
  }
  if (sourceTimestamp !== undefined && !can.seedAtTime) {
    return { what: "keeps no past moment of a database", instead: "Leave the moment out." };
  }
  if (access !== undefined && !can.tokenAccess.includes(access)) {
    return { what: `has no "${access}" tokens`, instead: `Use ${can.tokenAccess.join(" or ")}.` };
  }
  return undefined;
}

/** A tenant to be branched, with the database that it has now. */
export interface Source {
  readonly tenant: string;
  readonly database: PlatformDatabase;
}

/** Asked of the platform itself: what is cut off from a list a moment ago is not branched. */
export async function requireSources({ platform, listing }: Context, order: PreviewOrder): Promise<Source[]> {
  const found = await Promise.all(
    order.tenants.map(async ({ tenant, source }): Promise<Source | string> => {
      if (isReserved(source)) return `"${source}" is Tenantry's own`;
      const database = await platform.getDatabase(source);
      if (!database) {
        const names = [...(await listing.databases()).byName.keys()].filter((name) => !isReserved(name));
        const near = didYouMean(source, names);
        return `there is no database "${source}"${near === undefined ? "" : ` (did you mean "${near}"?)`}`;
      }
      if (database.group !== undefined && database.group !== order.group) {
        return `"${source}" is in group "${database.group}", not in "${order.group}"`;
      }
      if (database.archived) return `"${source}" is archived`;
      if (database.blockReads) return `"${source}" is closed to reads`;
      return { tenant, database };
    }),
  );
  const problems = found.filter((one) => typeof one === "string");
  if (problems.length === 0) return found.filter((one) => typeof one !== "string");
  const code = problems.some((text) => text.startsWith("there is no")) ? "database-not-found" : "invalid-input";
  throw new TenantryError(code, `tenants: ${problems.join("; ")}.`, { fix: "Nothing was made." });
}

/** What becomes of each tenant's columns. Fails with everything that is wrong with the rules, before anything is made. */
export async function planMasks(
  context: Context,
  order: PreviewOrder,
  sources: readonly Source[],
): Promise<ReadonlyMap<string, MaskPlan>> {
  const { mask, group } = order;
  if (!mask) return new Map();
  const plans = sources.map(async ({ tenant, database }): Promise<[string, MaskPlan]> => {
    const sql = context.sql({ name: database.name, hostname: database.hostname, group });
    const schema = await readSchema(async (statements) =>
      (await sql.batch(statements, "read")).map(({ rows }) => rows),
    );
    return [tenant, planMask(mask, schema, `mask: ${tenant}`)];
  });
  return new Map(await Promise.all(plans));
}

/** Whether a branch was made by these rules. */
export const digestOfRules = (rules: MaskRules | undefined): string =>
  rules === undefined
    ? ""
    : createHash("sha256")
        .update(JSON.stringify(sorted(rules)))
        .digest("hex")
        .slice(0, 16);

const sorted = (rules: MaskRules) =>
  Object.entries(rules)
    .map(([table, columns]) => [table, Object.entries(columns).sort()] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1));

/**
 * Fails with "plan-refused" where the plan has no room for so many databases more, before the first is made. What a
 * platform does not tell is not foreseen.
 */
export async function requireRoom({ platform, listing }: Context, wanted: number, title: string): Promise<void> {
  if (wanted === 0) return;
  const account = await platform.account().catch((error: unknown) => {
    if (error instanceof TenantryError) return undefined;
    throw error;
  });
  const quota = account?.quotas.find(({ what }) => what === "databases");
  if (typeof quota?.limit !== "number") return;
  const used = quota.used ?? (await listing.databases()).byName.size;
  const room = Math.max(0, quota.limit - used);
  if (wanted <= room) return;
  const plan = account?.plan === undefined ? "the plan" : `the plan "${account.plan}"`;
  throw new TenantryError(
    "plan-refused",
    `${title}: ${wanted} databases would be made, and ${plan} has room for ${room}: ${used} of ${quota.limit} are used.`,
    { fix: "Nothing was made. Branch fewer tenants, let `npx tenantry preview reap --yes` run, or upgrade the plan." },
  );
}
