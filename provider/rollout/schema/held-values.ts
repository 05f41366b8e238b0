import type { Scratch } from "./scratch";
import type { SelectionPart } from "./statement-shape";
import { type Token, isWord } from "./tokens";

/** A column as it was before the migration: "table\ncolumn", in lower case. */
export type Origin = string;
export const originOf = (table: string, column: string): Origin => `${table}\n${column}`;
export const placeOf = (origin: Origin): readonly [table: string, column: string] =>
  origin.split("\n") as [string, string];

/** How a column holds the values of an origin. */
export interface Held {
  /** Of every row. */
  readonly whole: boolean;
  /** Not computed from them. */
  readonly asIs: boolean;
  /** Computed so that NULL becomes something else. */
  readonly filledUp: boolean;
}

/** What the columns of tables hold, by names in lower case. */
type Holding = ReadonlyMap<
  string,
  { readonly columns: ReadonlyMap<string, { readonly holds: ReadonlyMap<Origin, Held> }> }
>;

export function addTo(holds: Map<Origin, Held>, more: ReadonlyMap<Origin, Held>): void {
  for (const [origin, held] of more) {
    const known = holds.get(origin);
    if (!known?.whole) holds.set(origin, held);
  }
}

/** What each column of a query holds. */
export function valuesOf(scratch: Scratch, tables: Holding, part: SelectionPart, whole: boolean): Map<Origin, Held>[] {
  const result = scratch.resultOf(part.sql);
  return result.map(({ table, column }, at) => {
    const source = tables.get(table ?? "")?.columns.get(column ?? "");
    if (source) return changed(source.holds, (held) => ({ ...held, whole: held.whole && whole }));
    const item = itemAt(part.items, at, result.length);
    return mentioned(tables, part.indirect ? part.tokens : item, part.tokens, whole, fillsUp(item));
  });
}

/** The expression behind a query's column: a star stands for as many columns as the others leave. */
function itemAt(items: SelectionPart["items"], at: number, count: number): readonly Token[] {
  const star = items.findIndex((item) => isWord(item.at(-1), "*"));
  if (star < 0 || at < star) return items[at] ?? [];
  return items[items.length - (count - at)] ?? [];
}

/** Whether an expression makes something of NULL. */
export const fillsUp = (expression: readonly Token[]): boolean =>
  expression.some((token) => isWord(token, "coalesce", "ifnull", "iif", "case"));

/** What an expression holds: it is made of every column that it names, of the tables that the statement names. */
export function mentioned(
  tables: Holding,
  expression: readonly Token[],
  statement: readonly Token[],
  whole: boolean,
  filledUp: boolean,
): Map<Origin, Held> {
  const [names, around] = [expression, statement].map((tokens) => new Set(tokens.map(({ bare }) => bare)));
  const holds = new Map<Origin, Held>();
  for (const [name, table] of tables) {
    if (!around!.has(name)) continue;
    for (const [column, { holds: source }] of table.columns) {
      if (!names!.has(column)) continue;
      addTo(
        holds,
        changed(source, (held) => ({ whole: held.whole && whole, asIs: false, filledUp: held.filledUp || filledUp })),
      );
    }
  }
  return holds;
}

const changed = (holds: ReadonlyMap<Origin, Held>, change: (held: Held) => Held): Map<Origin, Held> =>
  new Map([...holds].map(([origin, held]) => [origin, change(held)]));
