import { Command } from "commander";
import { TenantryError } from "../../provider/platform/errors";
import { labelOf } from "./label-flag";
import { type DestinationFlags, destinationOf } from "./move/destination";
import { type MovePlan, type MoveScene, planMoves } from "./move/plan";
import { problemsText } from "../manifest/problems";
import { readManifest } from "./manifest/read";
import { type ForecastFlags, forecastMoves } from "./move/forecast";
import { forecastDocument, forecastText } from "./move/forecast-text";
import { afterwards, moveDocument, planReport, unclearReport } from "./move/report";
import { handOver, untaken } from "./move/write";
import { globs, parseNamePattern } from "./name-pattern";
import { consent } from "./registry/consent";
import { withSettings } from "./registry/flags";
import { contextLine } from "./registry/report";
import { type SceneFlags, openScene } from "./registry/scene";
import { openPlainGround } from "./schema/ground";
import { readState } from "./stack";

interface Flags extends SceneFlags, DestinationFlags, ForecastFlags {
  readonly plan?: boolean;
  readonly fromFleet?: string;
  readonly where?: Readonly<Record<string, string>>;
  readonly id?: string;
  readonly manifest?: string;
  readonly undo?: boolean;
  readonly skipUnclear?: boolean;
  readonly dryRun?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

/** `tenantry move`: the hand-over of tenants from one resource to another, before the `up` that performs it. */
export function moveCommand(): Command {
  return withSettings(new Command("move"))
    .description(
      "Hand tenants over to another resource, fleet or stack, whose next `pulumi up` takes them as they are.",
    )
    .argument("[names...]", 'databases, such as acme or "eu-*" (default: every TenantDatabase of the stack)')
    .option("--to-fleet <name>", "to this TenantFleet, each under its tenant's id")
    .option("--to-resources [pattern]", 'to a TenantDatabase each, called by this pattern (default: "{id}")')
    .option("--to <address>", "to ORGANIZATION/PROJECT/STACK/RESOURCE, with {id} in it where there are several")
    .option("--to-stack <name>", "in this stack, ORGANIZATION/PROJECT/STACK (default: the one where they are)")
    .option("--from-fleet <name>", "only tenants of this TenantFleet")
    .option("--where <label=value>", "only tenants with this label; repeatable", labelOf)
    .option(
      "--id <pattern>",
      "how a tenant's id is in its database's name, such as \"tenant-{id}\" (default: its `tenant`)",
    )
    .option("--manifest <path>", "only tenants of this manifest, under the ids that it gives them")
    .option("--plan", "show what moving their data would mean, to the group or connection named, and write nothing")
    .option("--to-connection <name>", 'with --plan: to this one of tenantry:connections; "" is the stack\'s own')
    .option("--to-group <name>", "with --plan: to this group (default: one of the name that each has now)")
    .option("--undo", "take back what was handed over and nobody has taken yet")
    .option("--skip-unclear", "leave out what cannot be handed over as things stand, and hand over the rest")
    .option("--dry-run", "show what would be written, and write nothing")
    .option("--yes", "do not ask")
    .option("--json", "print one JSON document")
    .addHelpText(
      "after",
      `
Without it, a tenant that moves in a program is refused where it should go, and not deleted where it was.

Data does not move: that does a changed group or connection, with onReplace: "copy",
and --plan shows what it would mean. Exit code of --plan: 2 where something cannot be
moved as things stand.

Examples:
  tenantry move --to-fleet prod
  tenantry move --to-fleet prod --manifest tenants.yaml
  tenantry move --from-fleet prod --to-resources
  tenantry move acme "eu-*" --to-fleet prod --to-stack organization/shop/eu
  tenantry move --undo
  tenantry move acme --plan --to-connection self-hosted --to-group eu`,
    )
    .action(move);
}

async function move(names: string[], { plan: isPlan, ...given }: Flags): Promise<void> {
  if (isPlan) return forecast(names, given);
  if (given.toConnection !== undefined || given.toGroup !== undefined) {
    throw new TenantryError("invalid-input", "This command moves no data to another group or connection.", {
      fix: 'See what it would mean with --plan; then declare it so, with onReplace: "copy", and run `pulumi up`.',
    });
  }
  return handOverTo(names, given);
}

/** Where the data would go, what that takes, and what stands in the way. */
async function forecast(names: string[], { json, toConnection, toGroup, ...flags }: Flags): Promise<void> {
  if (toConnection === undefined && toGroup === undefined) {
    throw new TenantryError("invalid-input", "--plan: where they would go was not said.", {
      fix: "Pass --to-group, --to-connection, or both.",
    });
  }
  const plain = await openPlainGround(flags, "read-only");
  const from = { ...plain, state: plain.stack && (await readState(plain.stack)) };
  const elsewhere = { stack: flags.stack, connection: toConnection || undefined };
  const to = toConnection === undefined ? from : await openPlainGround(elsewhere, "read-only");
  const forecasts = await forecastMoves(from, to, names, { toConnection, toGroup });
  process.stdout.write((json ? forecastDocument : forecastText)(from, to, forecasts));
  if (forecasts.some(({ hindrances }) => hindrances.length > 0)) process.exitCode = 2;
}

async function handOverTo(names: string[], { json, dryRun, yes, ...flags }: Flags): Promise<void> {
  const scene = requireState(await openScene(flags));
  const { plan, words, note = [] } = flags.undo ? undoPlan(scene, names) : planned(scene, names, flags);
  const say = (lines: readonly string[]): void =>
    void (json ? undefined : process.stdout.write(lines.map((line) => `${line}\n`).join("")));
  say([contextLine(scene), ...scene.notes, ...note, ...planReport(scene, plan, words)]);
  if (plan.unclear.length > 0 && !flags.skipUnclear && !dryRun) {
    if (json) process.stdout.write(moveDocument(scene, plan, false));
    throw new TenantryError("needs-decision", "Nothing was written, because not all of them can be handed over.", {
      fix: "Do what stands beside each, or pass --skip-unclear to hand over the others.",
    });
  }
  if (plan.moves.length === 0 || dryRun) {
    if (json) process.stdout.write(moveDocument(scene, plan, false));
    else if (dryRun) say(["Nothing was written."]);
    return;
  }
  await consent("Write this? No database is touched.", yes);
  const left = await handOver(scene, plan.moves);
  const gone = new Set(left.map(({ name }) => name));
  const done = plan.moves.filter(({ claim }) => !gone.has(claim.name));
  if (json)
    process.stdout.write(moveDocument(scene, { ...plan, moves: done, unclear: [...plan.unclear, ...left] }, true));
  if (flags.undo) say([`Taken back: ${done.length}. They are as they were.`]);
  else if (done.length > 0) say(afterwards(done, scene.stack.name));
  if (left.length === 0) return;
  say(unclearReport(left));
  throw new TenantryError("not-owner", `${left.length} of ${plan.moves.length} were not handed over.`, {
    fix: "Run it again.",
  });
}

function requireState(scene: Awaited<ReturnType<typeof openScene>>): MoveScene {
  const { stack, state } = scene;
  if (stack && state) return { ...scene, stack, state };
  throw new TenantryError(
    "not-configured",
    "Whose tenants are to be handed over is not known: there is no stack here.",
    { fix: "Run this in a project's folder, or with --stack organization/project/stack." },
  );
}

interface Planned {
  readonly plan: MovePlan;
  /** Where they go. */
  readonly words: string;
  /** What may be a slip. */
  readonly note?: readonly string[];
}

function planned(scene: MoveScene, names: string[], flags: Flags): Planned {
  const destination = destinationOf(flags, scene.stack.name, scene.state.resources);
  const { fromFleet, where = {}, id } = flags;
  if (id !== undefined && flags.manifest !== undefined) {
    throw new TenantryError("invalid-input", "--id: the manifest says which id each tenant has.", {
      fix: "Pass one of --id and --manifest.",
    });
  }
  const idPattern = id === undefined ? undefined : parseNamePattern(id, "--id", ["id"]);
  const ids = flags.manifest === undefined ? undefined : idsOf(flags.manifest);
  const idOf = ids ? (name: string) => ids.get(name) : idPattern && ((name: string) => idPattern(name)?.["id"]);
  const plan = planMoves(scene, { names, fromFleet, where, idOf, among: ids }, destination);
  return { plan, words: destination.words, note: destination.note === undefined ? [] : [destination.note] };
}

/** Ids of a manifest's tenants, by the names of their databases. */
function idsOf(path: string): ReadonlyMap<string, string> {
  // Where a tenant is does not matter here, and the manifest may leave that to its program.
  const { resolved, problems } = readManifest(path, "any");
  if (problems.all.length > 0) {
    throw new TenantryError("invalid-input", `${path}: it does not hold together.\n${problemsText(problems.all)}`);
  }
  return new Map(resolved.tenants.map(({ id, name }) => [name, id]));
}

function undoPlan(scene: MoveScene, names: string[]): Planned {
  const fits = globs(names);
  const moves = untaken(scene).filter(({ claim }) => fits(claim.name));
  return { plan: { moves, unclear: [], there: 0 }, words: "where they were, since nobody has taken them" };
}
