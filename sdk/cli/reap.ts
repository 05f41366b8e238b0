import { Command } from "commander";
import { TenantryError } from "../../provider/platform/errors";
import { reap } from "../../provider/registry/reap";
import { randomId } from "../../provider/random-id";
import { inTurn } from "../../provider/rollout/fleet/pool";
import { globs } from "./name-pattern";
import { withSettings } from "./registry/flags";
import { type EndingRow, type OpenEnding, findEndings } from "./reap/endings";
import { tell } from "./reap/report";
import { type GroundFlags, openPlainGround } from "./schema/ground";

interface Flags extends GroundFlags {
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** Deletes at the same time. */
const concurrency = 8;

/** `tenantry reap`: deletes what has come to its end. */
export function reapCommand(): Command {
  return withSettings(new Command("reap"))
    .description(
      "Delete databases whose time is over, as the groups' registries say. Without --yes it only shows them.",
    )
    .argument("[databases...]", 'only these; "*" and "?" stand for any letters')
    .option("--yes", "delete them")
    .option("--json", "print one JSON document in place of a table")
    .addHelpText(
      "after",
      `
Only what Tenantry has made and recorded with an end is deleted, and only while
registry and platform agree about it. It may run anywhere, as often as you like,
beside \`pulumi up\` and beside itself.

Exit code: 0 nothing is due, or all of it is deleted; 2 something is due and
--yes was not given; 3 some could not be deleted or told; 1 an error.

Examples:
  tenantry reap
  tenantry reap "preview-*" --yes --json`,
    )
    .action(run);
}

async function run(names: string[], { yes, json, ...flags }: Flags): Promise<void> {
  const ground = await openPlainGround(flags, yes ? "full-access" : "read-only", yes);
  const isChosen = globs(names);
  const { found: all, isWhole } = await findEndings(ground);
  const found = all.filter(({ row }) => isChosen(row.name));
  const rows = yes ? await reapAll(ground.context.platform, found) : found.map(({ row }) => row);
  tell(ground, rows, { yes, json, isWhole });
}

async function reapAll(platform: Parameters<typeof reap>[0], found: readonly OpenEnding[]): Promise<EndingRow[]> {
  const rows = new Map<OpenEnding, EndingRow>(found.map((one) => [one, one.row]));
  const due = found.filter(({ row }) => row.status === "due");
  await inTurn(due, concurrency, async (one) => {
    const { row, ending, sql } = one;
    rows.set(one, { ...row, ...(await reapOne(() => reap(platform, sql, ending, row.group, randomId()))) });
  });
  return [...rows.values()];
}

/** One that fails keeps no other from its end. */
async function reapOne(work: () => ReturnType<typeof reap>): Promise<Pick<EndingRow, "status" | "why">> {
  try {
    const fate = await work();
    return { status: fate.is, why: fate.is === "kept" ? fate.why : null };
  } catch (error) {
    if (!(error instanceof TenantryError)) throw error;
    return { status: "failed", why: error.message };
  }
}
