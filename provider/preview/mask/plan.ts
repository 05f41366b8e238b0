import { didYouMean } from "../../platform/did-you-mean";
import { TenantryError } from "../../platform/errors";
import type { SchemaModel, Table } from "../../rollout/schema/model";
import type { MaskRules, MaskTreatment } from "./rules";

/** "key": whole numbers stay, since rows hang on them, all else is hashed. "blank": 0, or nothing in its type. */
export type Treatment = MaskTreatment | "key" | "blank";

export interface MaskPlan {
  /** By table and column, both in lower case; what is not in it is nulled. */
  readonly columns: ReadonlyMap<string, ReadonlyMap<string, Treatment>>;
  /** What was decided for columns that no rule names and that cannot be null, for people. */
  readonly notes: readonly string[];
}

interface Place {
  readonly table: string;
  readonly column: string;
}

const keyOf = ({ table, column }: Place): string => `${table}\n${column}`;
const shown = ({ table, column }: Place): string => `${table}.${column}`;

/**
 * What becomes of every column of a database. Keys that refer to each other get one treatment, so that rows still find
 * theirs: that of the rule for one of them, else "key". What must be told apart is hashed, what must not be null is blank.
 *
 * Fails with "invalid-input", all at once, for tables and columns that are not there, for rules that contradict each other
 * and for values that cannot be null. `where` is the rules' file, or whatever they are called.
 */
export function planMask(rules: MaskRules, schema: SchemaModel, where: string): MaskPlan {
  const problems: string[] = [];
  const given = givenRules(rules, schema, problems);
  const groups = keyGroups(schema);
  const columns = new Map<string, Map<string, Treatment>>();
  const notes: string[] = [];
  for (const [name, table] of schema.tables) {
    const treatments = new Map<string, Treatment>();
    const [primary, unique] = [new Set(table.primaryKey), uniqueColumns(schema, name, table)];
    for (const [column, of] of table.columns) {
      const place = { table: name, column };
      if (of.generated !== undefined) continue;
      const rule = given.get(keyOf(place));
      const group = groups.get(keyOf(place));
      const isKey = group !== undefined || primary.has(column);
      const needsValue = of.notNull || primary.has(column);
      if (rule === "null" && (needsValue || group?.parents.has(keyOf(place)))) {
        const why = primary.has(column)
          ? "is a primary key"
          : of.notNull
            ? "is NOT NULL"
            : "is what other rows refer to";
        problems.push(`${shown(place)} ${why}, so it cannot be null: choose keep or hash`);
      }
      const others = group
        ? [...group.members].map((one) => given.get(one)).filter((one) => one && one !== "null")
        : [];
      const treatment =
        rule ?? (isKey ? (others[0] ?? "key") : !needsValue ? "null" : unique.has(column) ? "hash" : "blank");
      treatments.set(column, treatment);
      if (rule === undefined && treatment !== "null") notes.push(`${shown(place)}: ${wordsOf(treatment, isKey)}`);
    }
    columns.set(name, treatments);
  }
  for (const { members } of new Set(groups.values())) {
    const said = [...members].filter((one) => given.has(one) && given.get(one) !== "null").sort();
    if (new Set(said.map((one) => given.get(one))).size < 2) continue;
    const list = said.map((one) => `${one.replace("\n", ".")} ${given.get(one)}`).join(", ");
    problems.push(`columns that refer to each other need one rule: ${list}`);
  }
  for (const [name, table] of schema.virtualTables) {
    columns.set(
      name,
      new Map(table.columns.map((one) => [one, given.get(keyOf({ table: name, column: one })) ?? "null"])),
    );
  }
  if (problems.length === 0) return { columns, notes };
  throw new TenantryError("invalid-input", `${where}: ${problems.join("; ")}.`, {
    fix: "Nothing was made. Correct the rules, as table, then column: keep, null or hash.",
  });
}

const wordsOf = (treatment: Treatment, isKey: boolean): string => {
  const why = isKey ? "rows hang on it" : treatment === "hash" ? "its values must differ" : "it must not be null";
  const what = {
    key: "whole numbers kept, the rest hashed",
    hash: "hashed",
    keep: "kept",
    blank: "blank",
    null: "null",
  };
  return `${what[treatment]}, since ${why}`;
};

function givenRules(rules: MaskRules, schema: SchemaModel, problems: string[]): Map<string, MaskTreatment> {
  const given = new Map<string, MaskTreatment>();
  const tables = new Map<string, ReadonlyMap<string, string | undefined>>([
    ...[...schema.tables].map(([name, table]) => {
      const columns = [...table.columns].map(([column, of]) => [column, of.generated] as const);
      return [name, new Map(columns)] as const;
    }),
    ...[...schema.virtualTables].map(
      ([name, { columns }]) => [name, new Map(columns.map((one) => [one, undefined]))] as const,
    ),
  ]);
  const near = (word: string, known: Iterable<string>): string => {
    const found = didYouMean(word, known);
    return found === undefined ? "" : ` (did you mean "${found}"?)`;
  };
  for (const [table, of] of Object.entries(rules)) {
    const columns = tables.get(table.toLowerCase());
    if (!columns) {
      problems.push(`there is no table "${table}"${near(table, tables.keys())}`);
      continue;
    }
    for (const [column, treatment] of Object.entries(of)) {
      const place = { table: table.toLowerCase(), column: column.toLowerCase() };
      if (!columns.has(place.column)) {
        problems.push(`table "${table}" has no column "${column}"${near(column, columns.keys())}`);
      } else if (columns.get(place.column) !== undefined) {
        problems.push(`${table}.${column} is generated from other columns, whose rules count`);
      }
      given.set(keyOf(place), treatment);
    }
  }
  return given;
}

interface KeyGroup {
  readonly members: Set<string>;
  /** Those that others refer to. */
  readonly parents: Set<string>;
}

/** Columns that foreign keys tie to each other, directly or by others. */
function keyGroups(schema: SchemaModel): ReadonlyMap<string, KeyGroup> {
  const groups = new Map<string, KeyGroup>();
  const groupOf = (key: string): KeyGroup => {
    const known = groups.get(key) ?? { members: new Set([key]), parents: new Set() };
    groups.set(key, known);
    return known;
  };
  for (const [name, table] of schema.tables) {
    for (const { columns, table: other, to } of table.foreignKeys) {
      const parent = other.toLowerCase();
      const targets = to.length > 0 ? to : (schema.tables.get(parent)?.primaryKey ?? []);
      columns.forEach((column, i) => {
        const child = groupOf(keyOf({ table: name, column: column.toLowerCase() }));
        const target = targets[i]?.toLowerCase();
        if (target === undefined) return;
        const key = keyOf({ table: parent, column: target });
        const its = groupOf(key);
        its.parents.add(key);
        if (its === child) return;
        for (const one of its.members) child.members.add(one);
        for (const one of its.parents) child.parents.add(one);
        for (const one of its.members) groups.set(one, child);
      });
    }
  }
  return groups;
}

function uniqueColumns(schema: SchemaModel, name: string, table: Table): ReadonlySet<string> {
  const indexes = [...schema.indexes.values()].filter((one) => one.unique && one.table.toLowerCase() === name);
  const parts = [...table.uniques.flatMap((text) => text.split(", ")), ...indexes.flatMap(({ columns }) => columns)];
  return new Set(parts.map((part) => part.replace(/ (?:collate .*|desc|asc)$/g, "").toLowerCase()));
}
