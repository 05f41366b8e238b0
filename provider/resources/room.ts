import type { Context } from "../context";
import type { Capabilities } from "../platform/capabilities";
import { TenantryError } from "../platform/errors";
import type { Platform } from "../platform/platform";
import { registryName, templateName } from "../registry/reserved-names";
import { parseTemplateRef } from "../rollout/template-ref";
import { count } from "./tenant-fleet/change-text";

/** A database that is to be made. */
export interface NewDatabase {
  readonly name: string;
  readonly group: string;
  readonly schema?: string;
  /** Given: it is a copy of another one than the template. */
  readonly seed?: unknown;
}

export interface NewThings {
  readonly databases: readonly NewDatabase[];
  /** Names. */
  readonly groups: readonly string[];
}

/** For what the plan has no room, a sentence each. What is there already is not counted; what a platform does not tell is not foreseen. */
export async function shortagesOf(things: NewThings, context: Context): Promise<string[]> {
  if (things.databases.length === 0 && things.groups.length === 0) return [];
  const { platform, listing } = context;
  const plan = await planOf(platform);
  // What is beyond the limits is paid for then, and not refused.
  if (!plan || plan.overages === true) return [];
  const [{ byName }, present] = await Promise.all([listing.databases(), listing.groups()]);
  const { createsGroups } = platform.capabilities;
  const groups = [...new Set(createsGroups ? things.groups : [])].filter((name) => !present.byName.has(name));
  const made = new Set(things.databases.map(({ name }) => name).filter((name) => !byName.has(name)));
  const own = ownOf(things.databases, groups, platform.capabilities).filter((name) => !byName.has(name)).length;
  const databases = made.size === 0 && groups.length === 0 ? 0 : made.size + own;
  const counts = { databases: byName.size, groups: present.byName.size };
  const name = plan.name === undefined ? "the plan" : `the plan "${plan.name}"`;
  return plan.limits.flatMap(({ what, limit, used: told }) => {
    if (what !== "databases" && what !== "groups") return [];
    const wanted = what === "databases" ? databases : groups.length;
    const used = told ?? counts[what];
    const room = typeof limit === "number" ? Math.max(0, limit - used) : Infinity;
    if (wanted <= room) return [];
    const makes = what === "databases" ? made.size : groups.length;
    const ours = what === "databases" && own > 0 ? `, and ${count(own)} of Tenantry's own,` : "";
    const whose =
      makes === 0 ? `${plural(own, "database")} of Tenantry's own` : `${plural(makes, what.slice(0, -1))}${ours}`;
    const fewer = what === "databases" ? "declare fewer tenants" : "put the tenants into fewer groups";
    return [
      `${whose} would be made, and ${name} has room for ${count(room)}: ` +
        `${count(used)} of ${count(limit as number)} are used. Free some, upgrade the plan, or ${fewer}.`,
    ];
  });
}

const plural = (number: number, noun: string): string => `${count(number)} ${noun}${number === 1 ? "" : "s"}`;

interface Plan {
  readonly name: string | undefined;
  readonly overages: boolean | undefined;
  readonly limits: readonly {
    readonly what: string;
    readonly used: number | undefined;
    readonly limit: number | "unlimited" | undefined;
  }[];
}

async function planOf(platform: Platform): Promise<Plan | undefined> {
  try {
    if (platform.directory) return await platform.directory.plan();
    const { plan: name, quotas } = await platform.account();
    return { name, overages: undefined, limits: quotas };
  } catch (error) {
    if (error instanceof TenantryError) return undefined;
    throw error;
  }
}

/** Names of the databases that Tenantry needs besides: a registry for each group, and what new tenants are copied from. */
function ownOf(
  databases: readonly NewDatabase[],
  groups: readonly string[],
  { seedFromDatabase }: Capabilities,
): string[] {
  const names = databases.flatMap(({ group, schema, seed }) => {
    const template = schema === undefined || seed || !seedFromDatabase ? undefined : parseTemplateRef(schema);
    const copied = template?.start === "copy" ? [templateName(group, template.name, template.digest)] : [];
    return [registryName(group), ...copied];
  });
  return [...new Set([...names, ...groups.map(registryName)])];
}
