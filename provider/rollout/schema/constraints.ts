import type { Statement } from "../statements";
import type { Observation } from "./finding";
import type { Column, SchemaModel, Table } from "./model";
import { type Origin, originOf, placeOf } from "./held-values";
import type { RowTracker, TrackedTable } from "./row-tracker";
import { normalTokens, tokensOf } from "./tokens";

/** What rows that were there before the migration may not fit, in the tables that hold them after it. */
export function observeConstraints(before: SchemaModel, after: SchemaModel, tracker: RowTracker): Observation[] {
  return [...after.tables].flatMap(([key, table]) => {
    const tracked = tracker.tables.get(key);
    const mayRefuse = tracked !== undefined && (tracked.made !== undefined || tracker.indexes.size > 0);
    if (!mayRefuse || !holdsRows(tracked)) return [];
    const judged = [...uniqueOf(before, after, key, tracked, tracker)];
    if (!tracked.made) return judged;
    const { made } = tracked;
    return [...columnsOf(before, table, tracked, made), ...tableOf(before, table, tracked, made), ...judged];
  });
}

const holdsRows = (table: TrackedTable): boolean => [...table.columns.values()].some(({ holds }) => holds.size > 0);

function* columnsOf(before: SchemaModel, table: Table, tracked: TrackedTable, made: Statement): Iterable<Observation> {
  for (const [key, column] of table.columns) {
    const own = tracked.columns.get(key);
    if (!own || column.generated !== undefined) continue;
    const name = `${table.name}.${column.name}`;
    const statement = own.made ?? made;
    if (own.holds.size === 0 && column.notNull && column.default === undefined && !own.written) {
      yield { kind: "not-null", what: `${name} is new, NOT NULL, and has no DEFAULT`, statement };
    }
    for (const [origin, held] of own.holds) {
      const source = columnAt(before, origin);
      if (!source) continue;
      if (column.notNull && !source.notNull && !held.filledUp && !isRowid(before, origin)) {
        yield { kind: "not-null", what: `${name} becomes NOT NULL`, statement };
      }
      if (isNarrower(source.type, column.type)) {
        yield {
          kind: "narrowing",
          what: `${name} becomes ${column.type || "without type"}, which was ${source.type || "without type"}`,
          statement,
        };
      }
    }
  }
}

function* tableOf(before: SchemaModel, table: Table, tracked: TrackedTable, made: Statement): Iterable<Observation> {
  const sources = sourcesOf(before, tracked);
  if (table.strict && sources.some(({ strict }) => !strict)) {
    yield { kind: "narrowing", what: `table ${table.name} becomes STRICT`, statement: made };
  }
  // A column that was renamed is called by its new name in the conditions too.
  const renamed = new Map<string, string>();
  for (const [key, { holds }] of tracked.columns)
    for (const origin of holds.keys()) renamed.set(placeOf(origin)[1], key);
  const known = new Set(sources.flatMap(({ checks }) => checks.flatMap((check) => [check, withNames(check, renamed)])));
  for (const check of table.checks) {
    if (!known.has(check)) {
      yield { kind: "narrowing", what: `table ${table.name} gets CHECK (${check})`, statement: made };
    }
  }
  const knownKeys = sources.flatMap(({ foreignKeys }) => foreignKeys.map(({ columns }) => columns.join()));
  for (const { columns, table: parent } of table.foreignKeys) {
    const origins = columns.map((column) => [...(tracked.columns.get(column)?.holds.keys() ?? [])][0]);
    if (origins.includes(undefined)) continue;
    if (knownKeys.includes(origins.map((origin) => placeOf(origin!)[1]).join())) continue;
    const what = `${table.name}.${columns.join(", ")} must refer to rows of ${parent}`;
    yield { kind: "narrowing", what, statement: made };
  }
}

const withNames = (sql: string, names: ReadonlyMap<string, string>): string =>
  normalTokens(tokensOf(sql).map((token) => ({ ...token, bare: names.get(token.bare) ?? token.bare })));

interface Key {
  /** What they were before; a name where it is new, an expression as it is. */
  readonly parts: readonly string[];
  readonly where: string | undefined;
}

function* uniqueOf(
  before: SchemaModel,
  after: SchemaModel,
  name: string,
  tracked: TrackedTable,
  tracker: RowTracker,
): Iterable<Observation> {
  const table = after.tables.get(name)!;
  const sourceNames = new Set(
    [...tracked.columns.values()].flatMap(({ holds }) => [...holds.keys()].map((origin) => placeOf(origin)[0])),
  );
  const known = [...sourceNames].flatMap((source) =>
    keysOf(before, source).map(({ parts, where }) => ({ parts: parts.map((part) => originOf(source, part)), where })),
  );
  for (const { parts, where, index, shown } of keysOf(after, name)) {
    const statement = (index ? tracker.indexes.get(index) : undefined) ?? tracked.made;
    // New columns that nothing has filled are NULL in every row, and NULLs are different.
    const isEmpty = parts.every((part) => {
      const own = tracked.columns.get(part);
      return own && own.holds.size === 0 && !own.written && table.columns.get(part)?.default === undefined;
    });
    if (!statement || isEmpty) continue;
    const origins = parts.map((part) => originNow(tracked, part, sourceNames));
    if (known.some((key) => isImplied(key, { parts: origins, where }))) continue;
    yield { kind: "unique", what: `${table.name} must have no two rows with the same ${shown}`, statement };
  }
}

function originNow(tracked: TrackedTable, part: string, sources: ReadonlySet<string>): string {
  const held = [...(tracked.columns.get(part)?.holds ?? [])].find(([, { asIs }]) => asIs);
  if (held) return held[0];
  const [only] = sources;
  // An expression over columns that kept their names.
  return sources.size === 1 && !tracked.columns.has(part) ? originOf(only!, part) : part;
}

const isImplied = (known: Key, asked: Key): boolean =>
  (known.where === undefined || known.where === asked.where) && known.parts.every((part) => asked.parts.includes(part));

/** Every set of columns in which a table has no two equal rows. */
function keysOf(model: SchemaModel, name: string): (Key & { index?: string; shown: string })[] {
  const table = model.tables.get(name);
  const indexes = [...model.indexes].filter(([, index]) => index.unique && index.table === name);
  const written = [
    ...indexes.map(([index, { columns, where }]) => ({ columns, where, index })),
    ...(table?.uniques ?? []).map((text) => ({ columns: text.split(", "), where: undefined, index: undefined })),
    { columns: table?.primaryKey ?? [], where: undefined, index: undefined },
  ];
  return written
    .filter(({ columns }) => columns.length > 0)
    .map(({ columns, where, index }) => ({
      parts: columns.map((column) => column.replace(/ desc$/, "")),
      where,
      index,
      shown:
        columns.map((column) => column.replace(/ (?:collate|desc)\b.*$/, "")).join(", ") +
        (where ? ` where ${where}` : ""),
    }));
}

function sourcesOf(before: SchemaModel, tracked: TrackedTable): Table[] {
  const origins = [...tracked.columns.values()].flatMap(({ holds }) => [...holds.keys()]);
  const names = new Set(origins.map((origin) => placeOf(origin)[0]));
  return [...names].flatMap((name) => before.tables.get(name) ?? []);
}

function columnAt(model: SchemaModel, origin: Origin): Column | undefined {
  const [table, column] = placeOf(origin);
  return model.tables.get(table)?.columns.get(column);
}

/** INTEGER PRIMARY KEY is never NULL, whatever it says. */
function isRowid(model: SchemaModel, origin: Origin): boolean {
  const [table, column] = placeOf(origin);
  const key = model.tables.get(table)?.primaryKey ?? [];
  return key.length === 1 && key[0] === column && columnAt(model, origin)?.type === "integer";
}

type Affinity = "blob" | "text" | "numeric" | "real" | "integer";

/** SQLite's rules, in their order: https://sqlite.org/datatype3.html, 3.1. */
function affinityOf(type: string): Affinity {
  if (type.includes("int")) return "integer";
  if (/char|clob|text/.test(type)) return "text";
  if (type === "" || type === "any" || type.includes("blob")) return "blob";
  return /real|floa|doub/.test(type) ? "real" : "numeric";
}

/** What each can keep as it is given, of what the one before the arrow held. */
const widening: Record<Affinity, readonly Affinity[]> = {
  blob: ["blob"],
  text: ["text", "blob"],
  numeric: ["numeric", "text", "blob"],
  real: ["real", "numeric", "text", "blob"],
  integer: ["integer", "real", "numeric", "text", "blob"],
};

function isNarrower(before: string, after: string): boolean {
  if (before === after) return false;
  if (!widening[affinityOf(before)].includes(affinityOf(after))) return true;
  const [was, is] = [sizeOf(before), sizeOf(after)];
  // A vector has exactly its number of dimensions.
  if (/^f\d+\w*_blob/.test(after)) return true;
  return is !== undefined && (was === undefined ? affinityOf(before) === affinityOf(after) : is < was);
}

function sizeOf(type: string): number | undefined {
  const size = /\(\s*(\d+)/.exec(type)?.[1];
  return size === undefined ? undefined : Number(size);
}
