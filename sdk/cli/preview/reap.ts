import { Command } from "commander";
import { type KnownBranch, type Reaped, listBranches, reapBranch, whyKept } from "../../../provider/preview/due";
import type { Sql } from "../../../provider/platform/sql";
import { inTurn } from "../../../provider/rollout/fleet/pool";
import type { EndingRow } from "../reap/endings";
import { tell } from "../reap/report";
import { type Ground, type GroundFlags, openPlainGround } from "../schema/ground";
import { groupsOf, onEach, openRegistries } from "../schema/registries";
import { withSettings } from "./flags";

interface Flags extends GroundFlags {
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Deletes at the same time. */
const concurrency = 8;

/** `tenantry preview reap`: deletes branches whose time is over. */
export function reapCommand(): Command {
  return withSettings(new Command("reap"))
    .description(
      "Delete branches whose time is over, also those that were never finished. Without --yes it only shows them.",
    )
    .option("--yes", "delete them")
    .option("--json", "print one JSON document in place of a table")
    .addHelpText(
      "after",
      `
Only what \`tenantry preview up\` has made and written down is deleted, and only
while registry and platform agree about it. It may run anywhere, as often as you
like, beside \`up\` and beside itself. \`tenantry reap\` deletes branches too, with
whatever else has come to its end.

Exit code: 0 nothing is due, or all of it is deleted; 2 something is due and
--yes was not given; 3 some could not be deleted or told; 1 an error.`,
    )
    .action(run);
}

interface Found {
  readonly group: string;
  readonly sql: Sql;
  readonly branch: KnownBranch;
  row: EndingRow;
}

async function run({ yes, json, ...flags }: Flags): Promise<void> {
  // To tell whether an unfinished one is empty, it is looked into.
  const ground = await openPlainGround(flags, yes ? "full-access" : "read-only", yes);
  const registries = await openRegistries(ground, await groupsOf(ground));
  const found = await onEach(ground, registries, ({ group, sql }) => endingsIn(ground, group, sql));
  if (yes) {
    await inTurn(
      found.filter(({ row }) => row.status === "due"),
      concurrency,
      async (one) => {
        const fate: Reaped = await reapBranch(ground.context, one.group, one.sql, one.branch);
        one.row = { ...one.row, ...fate };
      },
    );
  }
  const rows = found
    .map(({ row }) => row)
    .sort((a, b) => (a.endsAt < b.endsAt ? -1 : a.endsAt > b.endsAt ? 1 : a.name < b.name ? -1 : 1));
  const isWhole = !ground.notes.some((note) => note.includes("does not answer"));
  tell(ground, rows, { yes, json, isWhole });
}

/** What has no end is not shown. */
async function endingsIn({ context }: Ground, group: string, sql: Sql): Promise<Found[]> {
  const branches = (await listBranches(context, sql)).filter(({ claim }) => claim.expiresAt !== undefined);
  return Promise.all(
    branches.map(async (branch): Promise<Found> => {
      const { claim, place, isDue } = branch;
      const why = isDue ? await whyKept(context, group, branch) : undefined;
      const row: EndingRow = {
        ...{ name: claim.name, group, tenant: place.tenant, address: claim.address },
        status: !isDue ? "later" : why === undefined ? "due" : "kept",
        because: claim.state === "reaping" ? "unfinished" : "expired",
        ...{ endsAt: claim.expiresAt!, why: why ?? null, databaseId: claim.databaseId ?? null },
      };
      return { group, sql, branch, row };
    }),
  );
}
