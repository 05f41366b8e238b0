import type { RolloutProgress } from "../../../provider/rollout/fleet/progress";
import { versionsOf } from "../../../provider/rollout/fleet/report";
import { ageOf } from "../registry/report";
import { bar, percent } from "./bar";
import { reasonLines, shortReason } from "./reasons";
import { type KnownRun, stateOfRun } from "./registries";
import { type Style, fold, paint } from "./screen";
import { type FleetStanding, type StandingTenant, asOutcome, standings } from "./standing";
import { counted, indented, table } from "./table";

const widest = 40;

/** For people: versions as bars, states as counts, who is not where it should be and why, and the last run. */
export function drawStatus(fleet: FleetStanding, style: Style & { live: boolean }, now = Date.now()): string[] {
  const { template, history, tenants, runs, statementOf } = fleet;
  const target = history.at(-1)!.id;
  const off = tenants
    .filter(({ state }) => state !== "current" && state !== "behind")
    .map((one) => ({ ...one, statement: statementOf(one.why) }));
  const [last] = runs;
  return [
    `${template}: ${counted(tenants.length, "tenant")}, to be at ${target}`,
    "",
    ...indented(drawVersions(fleet, style)),
    "",
    ...indented([drawCounts(fleet, style)]),
    ...(off.length > 0 ? ["", ...indented(reasonLines(off, style))] : []),
    ...(last ? ["", ...drawRun(withoutSettled(last, tenants), style, now)] : []),
  ];
}

/** The target first, what has nothing or is not known last. */
function drawVersions({ tenants, history }: FleetStanding, style: Style): string[] {
  const outcomes = tenants.map(asOutcome);
  const target = history.at(-1)!.id;
  const found = versionsOf({ outcomes, history }).reverse();
  const versions = found.some(([version]) => version === target) ? found : [[target, 0] as const, ...found];
  const rows = versions.map(([version, count]) => [version, String(count), percent(count, tenants.length)]);
  const numbers = table(
    rows.map(([, count = "", share = ""]) => [count, share]),
    [0, 1],
  );
  const label = Math.max(0, ...rows.map(([version = ""]) => version.length));
  const width = Math.max(
    10,
    Math.min(widest, style.width - 2 - label - 4 - Math.max(0, ...numbers.map((n) => n.length))),
  );
  return versions.map(([version, count], i) => {
    const drawn = bar(count, tenants.length, width, style, version === target ? "green" : "yellow");
    return `${version.padEnd(label)}  ${drawn}  ${numbers[i]}`;
  });
}

function drawCounts({ tenants }: FleetStanding, style: Style): string {
  const counts = standings.map((state) => [state, tenants.filter((one) => one.state === state).length] as const);
  const text = counts.filter(([, count]) => count > 0).map(([state, count]) => `${count} ${state}`);
  return paint(style, "bold", text.length > 0 ? text.join(", ") : "no tenants");
}

/** A failure of somebody who is current since, or who stands above with the same error, says nothing more. */
function withoutSettled(run: KnownRun, tenants: readonly StandingTenant[]): KnownRun {
  const states = new Map(tenants.map(({ name, state }) => [name, state]));
  const failures = run.progress.failures.filter(({ name }) => (states.get(name) ?? "behind") === "behind");
  return { ...run, progress: { ...run.progress, failures } };
}

/** Whether a run is under way, how far it came, and whom it failed on. */
function drawRun(run: KnownRun, style: Style & { live: boolean }, now: number): string[] {
  const { progress, startedAt, startedBy, beatAt, endedAt, target, stop } = run;
  const state = stateOfRun(run, now);
  const done = `${progress.done} of ${progress.planned} done (${percent(progress.done, progress.planned)})`;
  const by = `begun ${ageOf(startedAt, now)} ago by ${startedBy}`;
  const head = {
    "under way": `Under way to ${target}: ${progress.stage}, ${done}, ${by}.${stop ? " It was asked to stop." : ""}`,
    "broken off": `The last run, to ${target}, broke off in ${progress.stage}: ${done}, not heard of for ${ageOf(beatAt, now)}, ${by}. The next one goes on with it.`,
    ended: `The last run, to ${target}, ended ${ageOf(endedAt ?? null, now)} ago: ${done}, begun by ${startedBy}.`,
  }[state];
  const early = progress.stopped === undefined ? [] : [`It ended early: ${progress.stopped}.`];
  return [
    ...[head, ...early].flatMap((text) => fold(text, style, style.width)),
    ...indented(drawFailures(progress, style)),
  ];
}

function drawFailures({ failures }: RolloutProgress, style: Style & { live: boolean }): string[] {
  return failures
    .slice(0, 10)
    .flatMap(({ name, error }) => fold(`${name}: ${shortReason(name, error)}`, style, style.width - 2))
    .map((line) => paint(style, "red", line));
}
