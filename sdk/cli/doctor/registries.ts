import type { Platform, PlatformDatabase, PlatformGroup } from "../../../provider/platform/platform";
import { SqlError, openSql } from "../../../provider/platform/sql";
import type { Claim } from "../../../provider/registry/claim";
import { openRegistry } from "../../../provider/registry/registry";
import { registryName } from "../../../provider/registry/reserved-names";
import { type Check, counted, failed, ok, warning } from "./check";

/** Enough for reading one table. In seconds. */
const tokenLifetime = 300;
const shown = 20;

/** Each group's registry: whether it is there, and what in it looks unfinished. */
export async function registryChecks(
  platform: Platform,
  groups: readonly PlatformGroup[],
  databases: ReadonlyMap<string, PlatformDatabase>,
): Promise<Check[]> {
  return (await Promise.all(groups.map((group) => ofGroup(platform, group, databases)))).flat();
}

async function ofGroup(
  platform: Platform,
  group: PlatformGroup,
  databases: ReadonlyMap<string, PlatformDatabase>,
): Promise<Check[]> {
  const name = `registry of group "${group.name}"`;
  const database = databases.get(registryName(group.name));
  if (!database) return [ok(name, "none yet: Tenantry has made nothing in this group")];
  if (group.archived) {
    return [warning(name, "not read: the group is archived", "Unarchive it before the next deploy.")];
  }
  try {
    return judge(name, await readClaims(platform, group.name, database));
  } catch (error) {
    if (error instanceof SqlError) {
      return [warning(name, `it cannot be read: ${error.message}`, "The next `pulumi up` lays out what is missing.")];
    }
    return [failed(name, error, "warning")];
  }
}

/** With a token that can only read and is soon over. */
async function readClaims(platform: Platform, group: string, database: PlatformDatabase): Promise<Claim[]> {
  const spec = { access: "read-only", lifetime: tokenLifetime } as const;
  const { token } = await platform.mintToken({ group }, spec);
  const sql = openSql({ url: platform.databaseUrl(database), token: async () => token });
  try {
    return await openRegistry(sql, "").all();
  } finally {
    sql.close();
  }
}

function judge(name: string, claims: readonly Claim[]): Check[] {
  const unfinished = claims.filter((claim) => claim.state !== "held");
  const found = `${counted(claims.length - unfinished.length, "name")} held, ${unfinished.length} unfinished`;
  const more = unfinished.length - shown;
  return [
    ok(name, found),
    ...unfinished.slice(0, shown).map((claim) => ofClaim(name, claim)),
    ...(more > 0 ? [warning(name, `${more} more are unfinished`, "Finish these first.")] : []),
  ];
}

function ofClaim(name: string, { kind, name: of, state, address }: Claim): Check {
  const begun = state === "open" ? "a create was begun and not finished" : "a delete was begun and not finished";
  const again = state === "open" ? "`pulumi up`" : "`pulumi up` or `pulumi destroy`";
  return warning(
    name,
    `${kind} "${of}": ${begun} (${address})`,
    `If no run is at work there, run ${again} on that stack again.`,
  );
}
