import { parseTemplateRef } from "../../../provider/rollout/template-ref";
import { changedProperties, changesNothing } from "../../../provider/resources/tenant-fleet/changes";
import { count, someOf } from "../../../provider/resources/tenant-fleet/change-text";
import { type Style, clip, fold, paint } from "../schema/screen";
import { indented, table } from "../schema/table";
import type { Comparison } from "./comparison";
import type { KnownFleet, OpenRecord } from "./fleets";
import { type Fate, databaseFate } from "./plan-document";

/** Rows of what happens to whom; with more, a verb has one kind and the rest is counted. */
const mostRows = 10;
/** Kinds of one verb that are told apart. */
const mostKinds = 4;
/** Tenants of a kind that are named. */
const named = 4;
/** Lines about what is lost, and about why it would be refused. */
const mostFindings = 4;
const mostReasons = 3;

/** What happens to one tenant. */
interface Event {
  readonly id: string;
  readonly kind: string;
}

/**
 * Those to whom the same happens stand together, the first ones by name. With the head it is at most 25 lines, but for
 * what a narrow terminal folds.
 */
export function drawPlan(
  comparison: Comparison,
  { open }: Pick<KnownFleet, "open">,
  style: Style & { readonly live: boolean },
): string[] {
  const { changes, unchanged, findings, refusal } = comparison;
  const stay = `${count(unchanged)} ${unchanged === 1 ? "stays as it is" : "stay as they are"}`;
  const lines = changesNothing(changes) ? [`Nothing to do: ${stay}.`] : [...drawEvents(comparison), "", `${stay}.`];
  if (open.length > 0) lines.push("", ...drawOpen(open, style, 2));
  if (findings.length > 0) lines.push("", ...findings.slice(0, mostFindings).map((text) => `  ${text}`));
  if (refusal) {
    const text = refusal.message.split("\n");
    const cut = text.length > mostReasons ? [...text.slice(0, mostReasons - 1), text.at(-1)!] : text;
    const reasons = cut.flatMap((one) => fold(one, style, style.width));
    lines.push("", paint(style, "red", "It cannot be deployed like this."), ...reasons);
  }
  return lines;
}

function drawEvents({ changes, otherwise }: Comparison): string[] {
  const { create, change, replace, bring, remove } = changes;
  const whats = (those: typeof change): Event[] =>
    those.map((one) => ({ id: one.tenant.id, kind: whatOf(changedProperties(one), one.record.state) }));
  const brought = [...bring].flatMap(([schema, those]) =>
    those.map(({ tenant: { id } }) => ({ id, kind: `to ${parseTemplateRef(schema)?.version ?? schema}` })),
  );
  const verbs: readonly (readonly [string, readonly Event[]])[] = [
    ["create", create.map(({ id, group }) => ({ id, kind: `in ${group}` }))],
    ["destroy and make anew", whats(replace)],
    ["change", whats(change)],
    ["bring", brought],
    ["remove", remove.map((record) => ({ id: record.id, kind: fates[databaseFate(record, otherwise)] }))],
  ];
  const all = (kinds: number): string[][] => verbs.flatMap(([verb, events]) => rows(verb, events, kinds));
  const most = all(mostKinds);
  return indented(table(most.length > mostRows ? all(1) : most, [1]));
}

export function drawOpen(open: readonly OpenRecord[], style: Style, shown: number): string[] {
  const lines = table(
    open.slice(0, shown).map(({ record: { id, state }, why = "" }) => [`  ${state}`, id, clip(why, style.width)]),
  );
  const rest = open.length - shown;
  return [`${count(open.length)} not as declared:`, ...lines, ...(rest > 0 ? [`  and ${count(rest)} more`] : [])];
}

const fates: Readonly<Record<Fate, string>> = {
  deleted: "its database is deleted with its data",
  "deleted softly": "its database is deleted, and can be brought back for a while",
  kept: "its database stays as it is",
  protected: "fails: its database is protected from deletion",
  none: "it has no database",
};

const whatOf = (properties: readonly string[], state: string): string =>
  properties.length > 0 ? properties.join(", ") : state === "ready" ? "its address" : `again: ${state}`;

/** A row a kind, the largest first. */
function rows(verb: string, events: readonly Event[], kinds: number): string[][] {
  const groups = new Map<string, string[]>();
  for (const { id, kind } of events) {
    const ids = groups.get(kind) ?? [];
    groups.set(kind, ids);
    ids.push(id);
  }
  const sorted = [...groups].sort(([, a], [, b]) => b.length - a.length);
  const rest = sorted.slice(kinds).flatMap(([, ids]) => ids);
  return [
    ...sorted.slice(0, kinds).map(([kind, ids]) => [verb, count(ids.length), clip(kind, 60), someOf(ids, named)]),
    ...(rest.length > 0 ? [[verb, count(rest.length), "otherwise", someOf(rest, named)]] : []),
  ];
}
