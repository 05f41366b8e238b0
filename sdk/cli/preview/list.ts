import { Command, InvalidArgumentError } from "commander";
import { type BranchState, listBranches } from "../../../provider/preview/due";
import { type Ground, type GroundFlags, groundLine, openPlainGround } from "../schema/ground";
import { groupsOf, onEach, openRegistries } from "../schema/registries";
import { counted, table } from "../schema/table";
import { type PullRequestFlags, withPullRequest, withSettings } from "./flags";

interface Flags extends GroundFlags, PullRequestFlags {
  readonly json?: boolean;
}

/** One row of `tenantry preview list --json`. */
interface BranchRow {
  readonly name: string;
  readonly group: string;
  readonly repository: string;
  readonly pullRequest: number;
  readonly tenant: string;
  readonly source: string | null;
  readonly data: string | null;
  readonly state: BranchState;
  /** ISO 8601; null: without end. */
  readonly expiresAt: string | null;
  readonly isDue: boolean;
  readonly databaseId: string | null;
  /** It is what rows are being masked from. */
  readonly isSnapshot: boolean;
}

/** `tenantry preview list`: which branches there are, and whose. */
export function listCommand(): Command {
  return withSettings(withPullRequest(new Command("list"), "all"))
    .description("List branches of pull requests, as the groups' registries have them.")
    .option("--json", "print one JSON document")
    .addHelpText("after", "\nExit code: 0; 3 where a registry could not be read; 1 an error.")
    .action(run);
}

async function run({ json, repository, pullRequest, ...flags }: Flags): Promise<void> {
  if (repository !== undefined && !repository.includes("/")) throw new InvalidArgumentError("It must be owner/name.");
  const ground = await openPlainGround(flags, "read-only");
  const rows = (await rowsOf(ground))
    .filter((one) => repository === undefined || one.repository === repository)
    .filter((one) => pullRequest === undefined || one.pullRequest === pullRequest)
    .sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  if (json) {
    const document = { format: 1, scope: ground.scope, branches: rows, notes: ground.notes };
    return void process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  }
  const lines = [groundLine(ground), ...ground.notes, ""];
  if (rows.length > 0) {
    const cells = rows.map((one) => [
      ...[`${one.repository}#${one.pullRequest}`, one.tenant, one.name, one.group, one.source ?? "-"],
      ...[one.isSnapshot ? "copy to mask from" : (one.data ?? "-"), stateText(one), one.expiresAt ?? "never"],
    ]);
    lines.push(...table([["PULL REQUEST", "TENANT", "BRANCH", "GROUP", "SOURCE", "DATA", "", "ENDS"], ...cells]), "");
  }
  const due = rows.filter(({ isDue }) => isDue).length;
  const end = due > 0 ? ` ${due} to be reaped: \`npx tenantry preview reap\`.` : "";
  lines.push(rows.length === 0 ? "There are no branches." : `${counted(rows.length, "database")}.${end}`);
  process.stdout.write(`${lines.join("\n")}\n`);
}

async function rowsOf(ground: Ground): Promise<BranchRow[]> {
  const registries = await openRegistries(ground, await groupsOf(ground));
  const rows = await onEach(ground, registries, async ({ group, sql }) =>
    (await listBranches(ground.context, sql)).map(({ claim, place, record, state, isDue }): BranchRow => ({
      ...{
        name: claim.name,
        group,
        repository: place.repository,
        pullRequest: place.pullRequest,
        tenant: place.tenant,
      },
      ...{
        source: record?.source ?? null,
        data: record?.data ?? null,
        state,
        expiresAt: claim.expiresAt ?? null,
        isDue,
      },
      ...{ databaseId: claim.databaseId ?? null, isSnapshot: place.isSnapshot },
    })),
  );
  if (ground.notes.some((note) => note.includes("does not answer"))) process.exitCode = 3;
  return rows;
}

const keyOf = ({ repository, pullRequest, tenant, name }: BranchRow): string =>
  `${repository}\n${String(pullRequest).padStart(12, "0")}\n${tenant}\n${name}`;

const stateText = ({ state, isDue }: BranchRow): string =>
  `${{ ready: "ready", unfinished: "unfinished", reaping: "being deleted", gone: "gone", another: "another's" }[state]}${isDue && state !== "reaping" ? ", over" : ""}`;
