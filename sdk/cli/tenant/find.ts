import { didYouMean } from "../../../provider/platform/did-you-mean";
import { SqlError, TenantryError } from "../../../provider/platform/errors";
import type { PlatformDatabase } from "../../../provider/platform/platform";
import type { Sql } from "../../../provider/platform/sql";
import { restoreCommand } from "../../../provider/registry/commands";
import { type RecordedClaim, inspectClaims } from "../../../provider/registry/inspect";
import { reapedMeanwhile } from "../../../provider/registry/reaping";
import type { Ground } from "../schema/ground";
import { groupsOf, onEach, openRegistries } from "../schema/registries";

/** A tenant as a registry has it. */
export interface FoundTenant {
  readonly claim: RecordedClaim;
  readonly group: string;
  /** On that registry. */
  readonly sql: Sql;
}

/** Finds a tenant by the name of its database, or by its id. Fails with "database-not-found". */
export async function findTenant(ground: Ground, text: string): Promise<FoundTenant> {
  const registries = await openRegistries(ground, await groupsOf(ground));
  const all = await onEach(ground, registries, async ({ group, sql }) =>
    (await claimsIn(sql)).map((claim): FoundTenant => ({ claim, group, sql })),
  );
  const named = all.filter(({ claim }) => claim.name === text);
  const found = named.length > 0 ? named : all.filter(({ claim }) => claim.tenant === text);
  if (found.length === 1) return found[0]!;
  if (found.length > 1) {
    const which = found.map(({ claim, group }) => `"${claim.name}" in group "${group}"`).join(" and ");
    throw new TenantryError("needs-decision", `Several databases are those of "${text}": ${which}.`, {
      fix: "Say which one by its database's name, with --group.",
    });
  }
  const near = didYouMean(
    text,
    all.flatMap(({ claim }) => [claim.name, ...(claim.tenant === undefined ? [] : [claim.tenant])]),
  );
  const unread = ground.notes.length > 0 ? ` ${ground.notes.join(" ")}` : "";
  throw new TenantryError("database-not-found", `No registry has a tenant "${text}".${unread}`, {
    fix:
      near === undefined
        ? "`npx tenantry registry orphans --unclaimed` lists what is not Tenantry's."
        : `Did you mean "${near}"?`,
  });
}

async function claimsIn(sql: Sql): Promise<RecordedClaim[]> {
  try {
    return (await inspectClaims(sql)).filter(({ kind }) => kind === "database");
  } catch (error) {
    // A run died between making the database and its tables: nothing was claimed there.
    if (error instanceof SqlError && error.message.includes("no such table")) return [];
    throw error;
  }
}

/** The tenant's database, where it is there and nobody is about to end it. */
export async function requireLiving(ground: Ground, { claim, group }: FoundTenant): Promise<PlatformDatabase> {
  const { name, state } = claim;
  if (state === "trashed") {
    throw new TenantryError("needs-decision", `${name}: it is in the trash.`, {
      fix: `Bring it back first: \`${restoreCommand(claim, "--group", group)}\`.`,
    });
  }
  if (state === "reaping") throw reapedMeanwhile(name);
  if (state !== "held") {
    const what = { open: "being made", deleting: "being deleted", gone: "gone" }[state];
    throw new TenantryError("not-ready", `${name}: it is ${what}, as its registry says.`, {
      fix: "Run `pulumi up` on its stack first.",
    });
  }
  const present = await ground.context.platform.getDatabase(name);
  if (present && present.id === claim.databaseId) return present;
  const why = present ? "another database has its name since" : "its database is not on the platform any more";
  throw new TenantryError("database-not-found", `${name}: ${why}.`, { fix: "Run `pulumi refresh` on its stack." });
}
