import { SqlError, TenantryError } from "../../../provider/platform/errors";
import type { Sql } from "../../../provider/platform/sql";
import { inspectClaims } from "../../../provider/registry/inspect";
import { type Ending, endingsOf, reasonToKeep } from "../../../provider/registry/reap";
import { registryClock } from "../../../provider/registry/reaping";
import { inspectTrash } from "../../../provider/registry/trash";
import { type Ground, noteOnce } from "../schema/ground";
import { type OpenRegistry, groupsOf, openRegistries } from "../schema/registries";

/**
 * due: it is to be deleted. later: its time has not come. kept: its time is over, and it stays all the same. Afterwards
 * reaped: it was deleted. gone: it was not there any more. failed: it could not be deleted.
 */
export type EndingStatus = "due" | "later" | "kept" | "reaped" | "gone" | "failed";

/** One row of `tenantry reap --json`. */
export interface EndingRow {
  /** Of the database. */
  readonly name: string;
  readonly group: string;
  readonly tenant: string | null;
  /** organization/project/stack/resource of whoever has it. */
  readonly address: string;
  readonly status: EndingStatus;
  readonly because: Ending["because"];
  /** ISO 8601 */
  readonly endsAt: string;
  readonly why: string | null;
  readonly databaseId: string | null;
}

export interface OpenEnding {
  readonly row: EndingRow;
  readonly ending: Ending;
  /** On the registry that it is in. */
  readonly sql: Sql;
}

export interface Endings {
  /** The soonest first. */
  readonly found: readonly OpenEnding[];
  /** Every registry that there is was read. */
  readonly isWhole: boolean;
}

/** Everything that has an end. A registry that does not answer is noted. */
export async function findEndings(ground: Ground): Promise<Endings> {
  const registries = await openRegistries(ground, await groupsOf(ground));
  const each = await Promise.all(registries.map((registry) => endingsIn(ground, registry)));
  const found = each.flatMap((endings) => endings ?? []);
  return { found: found.sort(inOrder), isWhole: !each.includes(undefined) };
}

const inOrder = (a: OpenEnding, b: OpenEnding): number =>
  a.ending.at - b.ending.at || (a.row.name < b.row.name ? -1 : 1);

async function endingsIn(ground: Ground, { group, sql }: OpenRegistry): Promise<OpenEnding[] | undefined> {
  try {
    const endings = endingsOf(await inspectClaims(sql), await inspectTrash(sql));
    if (endings.length === 0) return [];
    // Whichever clock is behind: nothing ends early.
    const now = Math.min(Date.now(), await registryClock(sql));
    const { byName } = await ground.context.listing.databases();
    return endings.map((ending) => {
      const { claim, because, at } = ending;
      const why = at > now ? undefined : reasonToKeep(ending, group, byName.get(claim.name), ground.context.platform);
      const row: EndingRow = {
        ...{ name: claim.name, group, tenant: claim.tenant ?? null, address: claim.address, because },
        status: at > now ? "later" : why === undefined ? "due" : "kept",
        ...{ endsAt: new Date(at).toISOString(), why: why ?? null, databaseId: claim.databaseId ?? null },
      };
      return { row, ending, sql };
    });
  } catch (error) {
    // A run died between making the database and its tables: nothing was claimed there.
    if (error instanceof SqlError && error.message.includes("no such table")) return [];
    if (!(error instanceof TenantryError)) throw error;
    noteOnce(ground, `The registry of group "${group}" was not read: ${error.message}`);
    return undefined;
  }
}
