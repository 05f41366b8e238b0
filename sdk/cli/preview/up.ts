import { Command, Option } from "commander";
import { parseDuration } from "../../../provider/duration";
import { TenantryError } from "../../../provider/platform/errors";
import type { Access } from "../../../provider/platform/platform";
import { branchName } from "../../../provider/preview/branch-name";
import type { PreviewOrder, PreviewToken } from "../../../provider/preview/order";
import { type PreviewData, type PreviewReport, previewData } from "../../../provider/preview/report";
import { requireRoom } from "../../../provider/preview/requirements";
import { previewUp, projected } from "../../../provider/preview/up";
import { type MigrationFormat, migrationFormats } from "../../../provider/rollout/source";
import type { Where } from "../../client";
import { whereOf } from "../each/flags";
import { requireWritable, variablesOf } from "../fleet/env-file";
import { type KnownFleet, readFleets, requireFleet } from "../fleet/fleets";
import { type Ground, type GroundFlags, openGround, openPlainGround } from "../schema/ground";
import { counted, listed } from "../schema/table";
import {
  type PullRequest,
  type PullRequestFlags,
  numberOf,
  pullRequestOf,
  withPullRequest,
  withSettings,
} from "./flags";
import { type HandOnFlags, handOn, requireGitHub } from "./hand-on";
import { readMask } from "./mask-file";
import { type Candidate, candidates, select } from "./selection";
import { upText } from "./up-text";

interface Flags extends GroundFlags, PullRequestFlags, HandOnFlags {
  readonly where?: Where;
  readonly sample?: number;
  readonly fleet?: string | true;
  readonly data: PreviewData;
  readonly mask?: string;
  readonly migrations?: string;
  readonly format?: MigrationFormat;
  readonly expiresIn: string;
  readonly tokenTtl: string;
  readonly access?: Access;
  readonly at?: string;
  readonly reset?: boolean;
  readonly json?: boolean;
}

/** `tenantry preview up`: makes a pull request's branches, or brings them up to its last push. */
export function upCommand(): Command {
  const command = new Command("up")
    .description("Give a pull request branches of some tenants' databases, with its migrations applied.")
    .argument("[tenants...]", "these; named as in the manifest or the fleet, else as their databases")
    .addOption(new Option("--where <what>", "group=eu, or a label such as ring=beta; repeatable").argParser(whereOf))
    .addOption(
      new Option("--sample <count>", "so many of them, the same at every push of a pull request").argParser(numberOf),
    )
    .option("--manifest <path>", "the tenants of this manifest")
    .option("--fleet [name]", "the tenants of this TenantFleet, as the stack's state has it")
    .addOption(
      new Option("--data <what>", "what a branch has: no rows, all of them, or all with values out of sight")
        .choices(previewData)
        .makeOptionMandatory(),
    )
    .option("--mask <file>", "of masked data: keep, null or hash for columns of tables; what is not in it is nulled")
    .option("--migrations <folder>", "apply what the branches lack of these")
    .addOption(
      new Option("--format <name>", "how that folder is laid out (default: detected)").choices(migrationFormats),
    )
    .option("--at <moment>", "rows as of that moment, such as 2027-01-31T08:00:00Z, where the platform keeps it")
    .option("--expires-in <duration>", 'until a reaper takes them, from the last push on; or "never"', "7d")
    .option("--token-ttl <duration>", "how long the tokens live, and never longer than the branches", "7d")
    .addOption(
      new Option(
        "--access <rights>",
        "of the tokens (default: read-write, or full-access where there is no such)",
      ).choices(["read-only", "read-write", "full-access"]),
    )
    .option("--reset", "start over: the rows of branches that are there are deleted")
    // Not --env-file: Node.js 20 takes that for itself, wherever it stands on the command line.
    .option(
      "--to-env-file <file>",
      "write url and token of each, and TENANTRY_PREVIEW, into this file, for its owner only",
    )
    .option("--github-output", "the same as outputs of a step of GitHub Actions, masked in its log")
    .option("--name <pattern>", "there <pattern>_URL and <pattern>_TOKEN", "TENANT_{ID}")
    .option("--json", "print the report as one JSON document, without any token; `preview comment` reads it");
  return withSettings(withPullRequest(command, "of this job on GitHub or GitLab"))
    .addHelpText(
      "after",
      `
Branches that are there keep their rows, and get the migrations that they lack.
A token opens one branch alone: each was tried on the branch's source first, and
refused there. Two runs at once make one set of branches.

Exit code: 0 every branch is ready; 3 some could not be made or migrated; 1 an
error, before anything was made or with all of it taken back.

Examples:
  tenantry preview up acme globex --data schema-only --migrations ./migrations
  tenantry preview up --manifest tenants.yaml --sample 5 --data masked --mask mask.yaml \\
    --migrations ./migrations --github-output --json > preview.json`,
    )
    .action(run);
}

async function run(names: string[], flags: Flags): Promise<void> {
  const pullRequest = pullRequestOf(flags);
  requireGitHub(flags);
  if (flags.toEnvFile !== undefined) await requireWritable(flags.toEnvFile);
  if (flags.manifest !== undefined && flags.fleet !== undefined) {
    throw new TenantryError("invalid-input", "--manifest and --fleet both say which tenants there are.", {
      fix: "Pass one of them.",
    });
  }
  const mask = flags.mask === undefined ? undefined : readMask(flags.mask);
  const { ground, fleet } = await groundOf(flags);
  const all = await candidates(ground, { manifest: flags.manifest, fleet });
  const { where, sample } = flags;
  if (where?.labels && flags.manifest === undefined && !fleet) {
    throw new TenantryError(
      "invalid-input",
      `--where: "${Object.keys(where.labels)[0]}" is a label, and databases have none.`,
      { fix: "Pass --manifest or --fleet, or group=NAME." },
    );
  }
  const chosen = select(all, { names, where, sample }, pullRequest);
  if (flags.toEnvFile !== undefined || flags.githubOutput) variablesOf(chosen, flags.name);
  const order = orderOf(flags, pullRequest, all.length);
  const byGroup = await groupsOf(ground, chosen);
  if (byGroup.size > 1) await requireRoomForAll(ground, byGroup, pullRequest);
  const reports: PreviewReport[] = [];
  const tokens = new Map<string, PreviewToken>();
  const notes = new Map<string, readonly string[]>();
  const others: string[] = [];
  for (const [group, members] of byGroup) {
    const tenants = members.map(({ id, name }) => ({ tenant: id, source: name }));
    const made = await previewUp(ground.context, { ...order, mask, group, tenants }, { onWait: sayWaiting });
    reports.push(made.report);
    others.push(...made.others);
    for (const [tenant, token] of made.tokens) tokens.set(tenant, token);
    for (const [tenant, own] of made.notes) notes.set(tenant, own);
  }
  const report = together(reports);
  if (others.length > 0) {
    const whose = `${counted(others.length, "other branch").replace(/branchs$/, "branches")} of this pull request`;
    process.stderr.write(`${whose} from an earlier push stay as they are: ${listed(others)}.\n`);
  }
  await handOn(report, tokens, flags);
  if (report.branches.some(({ state }) => state !== "ready")) process.exitCode = 3;
  process.stdout.write(flags.json ? `${JSON.stringify(report, undefined, 2)}\n` : upText(ground, report, notes, flags));
}

async function groundOf(flags: Flags): Promise<{ ground: Ground; fleet: KnownFleet | undefined }> {
  if (flags.fleet === undefined) return { ground: await openPlainGround(flags, "full-access", true), fleet: undefined };
  const read = await readFleets(flags.stack);
  const fleet = requireFleet(read, flags.fleet === true ? undefined : flags.fleet);
  return { ground: await openGround({ ...flags, connection: fleet.outputs.connection }, true, read), fleet };
}

function orderOf(
  flags: Flags,
  { repository, number }: PullRequest,
  tenants: number,
): Omit<PreviewOrder, "group" | "tenants"> {
  const life = parseDuration(flags.expiresIn, "--expires-in");
  const { data, at, reset, access, migrations, format } = flags;
  return {
    ...{
      repository,
      pullRequest: number,
      data,
      sourceTimestamp: at === undefined ? undefined : momentOf(at),
      reset,
      access,
    },
    migrations: migrations === undefined ? undefined : { folder: migrations, format },
    expiresAt: life === undefined ? null : new Date(Date.now() + life * 1000).toISOString(),
    tokenTtl: parseDuration(flags.tokenTtl, "--token-ttl"),
    fleetTenants: tenants,
  };
}

function momentOf(text: string): string {
  const time = Date.parse(text);
  if (!Number.isNaN(time) && /\d{4}-\d\d-\d\dT.*(?:Z|[+-]\d\d:?\d\d)$/.test(text)) return new Date(time).toISOString();
  throw new TenantryError("invalid-input", `--at: "${text}" is no moment.`, {
    fix: 'Write it with its zone, such as "2027-01-31T08:00:00Z".',
  });
}

/** Only within a group a platform copies. */
async function groupsOf({ context, group }: Ground, chosen: readonly Candidate[]): Promise<Map<string, Candidate[]>> {
  const groups = new Map<string, Candidate[]>();
  for (const one of chosen) {
    const of = one.group ?? (await context.platform.getDatabase(one.name))?.group ?? group;
    if (of === undefined) {
      throw new TenantryError("needs-decision", `${one.id}: which group its database is in is not known.`, {
        fix: "Pass --group.",
      });
    }
    groups.set(of, [...(groups.get(of) ?? []), one]);
  }
  return groups;
}

/** Each group sees to its own; here it is for all of them together that nothing is begun which could not be ended. */
async function requireRoomForAll(
  { context }: Ground,
  groups: ReadonlyMap<string, readonly Candidate[]>,
  { repository, number }: PullRequest,
): Promise<void> {
  const { byName } = await context.listing.databases();
  const missing = [...groups.values()].flat().filter(({ id: tenant }) => {
    const place = { repository, pullRequest: number, tenant, isSnapshot: false };
    return !byName.has(branchName(place, context.platform.capabilities));
  });
  await requireRoom(context, missing.length, `${repository}#${number}`);
}

function together([first, ...others]: readonly PreviewReport[]): PreviewReport {
  if (others.length === 0) return first!;
  const branches = [first!, ...others]
    .flatMap((one) => one.branches)
    .sort((a, b) => (a.tenant < b.tenant ? -1 : a.tenant > b.tenant ? 1 : 0));
  const { tenants } = first!.fleet;
  return { ...first!, branches, fleet: { tenants, projectedMs: projected(branches, tenants) } };
}

const sayWaiting = (): void =>
  void process.stderr.write("Another run is at work on these branches: waiting for its end.\n");
