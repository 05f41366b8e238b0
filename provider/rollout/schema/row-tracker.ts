import type { Statement } from "../statements";
import type { SchemaModel } from "./model";
import { type Held, type Origin, addTo, fillsUp, mentioned, originOf, valuesOf } from "./held-values";
import type { Scratch } from "./scratch";
import type { Selection, StatementShape } from "./statement-shape";
import { lowerCase, normalSql, tokensOf } from "./tokens";

export interface TrackedColumn {
  readonly holds: ReadonlyMap<Origin, Held>;
  /** What made or last changed it; undefined when the migration did not. */
  readonly made: Statement | undefined;
  /** A statement gave it values. */
  readonly written: boolean;
}

export interface TrackedTable {
  readonly temporary: boolean;
  readonly made: Statement | undefined;
  readonly columns: ReadonlyMap<string, TrackedColumn>;
}

export interface Loss {
  readonly statement: Statement;
  readonly by: "drop table" | "drop column" | "delete" | "overwrite" | "cascade";
  /** What deletes: a condition, or the table that was referred to and the action. */
  readonly detail: string;
}

type Editable<T> = { -readonly [K in keyof T]: T[K] };
type Column = Omit<Editable<TrackedColumn>, "holds"> & { holds: Map<Origin, Held> };
type Table = Omit<Editable<TrackedTable>, "columns"> & { columns: Map<string, Column> };

/** Follows where the values of each column go, statement by statement, through copies, renames and deletions. */
export interface RowTracker {
  /** Runs or compiles the statement, as its shape asks, and draws the conclusions. */
  apply(statement: Statement, shape: StatementShape): void;
  readonly tables: ReadonlyMap<string, TrackedTable>;
  readonly indexes: ReadonlyMap<string, Statement>;
  /** What took the values away; only of origins that no column holds whole any more. */
  losses(): Map<Origin, Loss>;
  /** True where some column still holds some of the values. */
  isPartlyHeld(origin: Origin): boolean;
}

export function trackRows(scratch: Scratch, before: SchemaModel, foreignKeys: boolean): RowTracker {
  const tables = startingPoint(before);
  const indexes = new Map<string, Statement>();
  const taken = new Map<Origin, { readonly loss: Loss; readonly some: boolean }>();
  const copies = new Set<string>();

  /** What took the values from where they were counts, and not what became of copies later. */
  const note = (origin: Origin, loss: Loss, some: boolean): void => {
    const known = taken.get(origin);
    if (!known || (known.some && !some)) taken.set(origin, { loss, some });
  };
  /** Takes the values out of a column, or some of them. */
  const take = (column: Column, loss: Loss, some = false): void => {
    for (const [origin, held] of column.holds) {
      note(origin, loss, some);
      if (some) column.holds.set(origin, { ...held, whole: false });
      else column.holds.delete(origin);
    }
  };
  const takeAll = (table: Table | undefined, loss: Loss, some = false): void =>
    table?.columns.forEach((column) => take(column, loss, some));

  /** What deleting a table's rows does to those that refer to them; dropping the table deletes them too. */
  const cascade = (name: string, statement: Statement, seen = new Set<string>()): void => {
    if (!foreignKeys || seen.has(name) || !holdsRows(tables.get(name))) return;
    seen.add(name);
    const references = scratch.rows(
      `SELECT s.name, f."from", f.on_delete FROM sqlite_schema s CROSS JOIN pragma_foreign_key_list(s.name) f
       WHERE s.type = 'table' AND lower(f."table") = ? AND lower(s.name) <> lower(f."table")`,
      name,
    );
    for (const row of references) {
      const [child, action] = [lowerCase(String(row["name"])), String(row["on_delete"])];
      const loss: Loss = { statement, by: "cascade", detail: `${name} (ON DELETE ${action})` };
      const table = tables.get(child);
      if (action === "CASCADE" && holdsRows(table)) {
        cascade(child, statement, seen);
        takeAll(table, loss, true);
      } else if (action.startsWith("SET")) {
        const column = table?.columns.get(lowerCase(String(row["from"])));
        if (column) take(column, loss, true);
      }
    }
  };

  /** Takes over columns that the statement made, as the database has them. */
  const refresh = (name: string, statement: Statement, temporary = tables.get(name)?.temporary ?? false): Table => {
    const table: Table = tables.get(name) ?? { temporary, made: statement, columns: new Map() };
    for (const column of columnsOf(scratch, name)) {
      if (!table.columns.has(column)) table.columns.set(column, { holds: new Map(), made: statement, written: false });
    }
    table.made = statement;
    tables.set(name, table);
    return table;
  };

  const receive = (columns: readonly (Column | undefined)[], select: Selection): void => {
    for (const part of select.parts) {
      const given = valuesOf(scratch, tables, part, select.whole);
      columns.forEach((column, at) => column && given[at] && addTo(column.holds, given[at]));
      if (select.where === undefined) continue;
      const named = new Set(part.tokens.map(({ bare }) => bare));
      for (const name of tables.keys()) if (named.has(name)) copies.add(`${name} ${normalSql(select.where)}`);
    }
  };

  const apply = (statement: Statement, shape: StatementShape): void => {
    const { sql } = statement;
    switch (shape.does) {
      case "nothing":
        return;
      case "set":
      case "change schema":
        return scratch.run(sql);
      case "create index":
        indexes.set(shape.index, statement);
        return scratch.run(sql);
      case "create table": {
        const { select } = shape;
        if (select) scratch.createFrom(sql.slice(0, select.start), sql.slice(select.start));
        else scratch.run(sql);
        if (tables.has(shape.table)) return;
        const table = refresh(shape.table, statement, shape.temporary);
        if (select) receive([...table.columns.values()], select);
        return;
      }
      case "drop table":
        cascade(shape.table, statement);
        takeAll(tables.get(shape.table), { statement, by: "drop table", detail: "" });
        tables.delete(shape.table);
        return scratch.run(sql);
      case "alter table":
        scratch.run(sql);
        return void refresh(shape.table, statement);
      case "rename table":
        scratch.run(sql);
        return rename(tables, shape.table, shape.to);
      case "rename column":
        scratch.run(sql);
        return rename(tables.get(shape.table)?.columns ?? new Map(), shape.column, shape.to);
      case "drop column": {
        scratch.run(sql);
        const columns = tables.get(shape.table)?.columns;
        const column = columns?.get(shape.column);
        if (column) take(column, { statement, by: "drop column", detail: "" });
        return void columns?.delete(shape.column);
      }
      case "insert": {
        scratch.compile(sql);
        const table = tables.get(shape.table);
        const names = shape.columns ?? (table ? columnsOf(scratch, shape.table) : []);
        const targets = names.map((name) => table?.columns.get(name));
        for (const target of targets) if (target) target.written = true;
        if (shape.select) receive(targets, shape.select);
        return;
      }
      case "update": {
        scratch.compile(sql);
        const table = tables.get(shape.table);
        if (!table) return;
        const everyRow = shape.where === undefined;
        const around = tokensOf(sql);
        // All are computed from what was there before, so that two columns can change places.
        const values = shape.sets.map(({ value }) => mentioned(tables, value, around, everyRow, fillsUp(value)));
        shape.sets.forEach(({ column: name }, at) => {
          const column = table.columns.get(name);
          if (!column) return;
          const given = values[at]!;
          if (everyRow) {
            for (const origin of column.holds.keys()) {
              if (given.has(origin)) continue;
              note(origin, { statement, by: "overwrite", detail: "" }, false);
              column.holds.delete(origin);
            }
          }
          column.written = true;
          addTo(column.holds, given);
        });
        return;
      }
      case "delete": {
        scratch.compile(sql);
        const { table, where } = shape;
        cascade(table, statement);
        // What was copied under the same condition just before is still there.
        if (where !== undefined && copies.has(`${table} ${normalSql(where)}`)) return;
        return takeAll(tables.get(table), { statement, by: "delete", detail: where ?? "" }, where !== undefined);
      }
      case "read":
        return scratch.compile(sql);
    }
  };

  const holders = (origin: Origin): Held[] =>
    [...tables.values()]
      .filter(({ temporary }) => !temporary)
      .flatMap((table) => [...table.columns.values()].flatMap((column) => column.holds.get(origin) ?? []));

  return {
    apply,
    tables,
    indexes,
    losses: () =>
      new Map(
        [...taken]
          .filter(([origin]) => !holders(origin).some(({ whole }) => whole))
          .map(([origin, { loss }]) => [origin, loss]),
      ),
    isPartlyHeld: (origin) => holders(origin).length > 0,
  };
}

function startingPoint(model: SchemaModel): Map<string, Table> {
  const tables = new Map<string, Table>();
  const add = (name: string, columns: readonly string[]): void => {
    const held = { whole: true, asIs: true, filledUp: false };
    const tracked = columns.map((column): [string, Column] => [
      column,
      { holds: new Map([[originOf(name, column), held]]), made: undefined, written: false },
    ]);
    tables.set(name, { temporary: false, made: undefined, columns: new Map(tracked) });
  };
  for (const [name, table] of model.tables) {
    add(
      name,
      [...table.columns].filter(([, { generated }]) => generated === undefined).map(([column]) => column),
    );
  }
  for (const [name, table] of model.virtualTables) add(name, table.keepsRows ? table.columns : []);
  return tables;
}

const holdsRows = (table: Table | undefined): boolean =>
  table !== undefined && [...table.columns.values()].some(({ holds }) => holds.size > 0);

/** Those that can be written, in order. */
const columnsOf = (scratch: Scratch, table: string): string[] =>
  scratch
    .rows("SELECT name FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid", table)
    .map((row) => lowerCase(String(row["name"])));

function rename<T>(items: Map<string, T>, from: string, to: string): void {
  const item = items.get(from);
  if (item === undefined) return;
  items.delete(from);
  items.set(to, item);
}
