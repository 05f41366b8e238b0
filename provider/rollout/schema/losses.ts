import type { Observation } from "./finding";
import type { SchemaModel } from "./model";
import { originOf, placeOf } from "./held-values";
import type { Loss, RowTracker } from "./row-tracker";

/** What was there before the migration and is nowhere after it, a table and a statement at a time. */
export function observeLosses(before: SchemaModel, tracker: RowTracker): Observation[] {
  const losses = tracker.losses();
  const groups = new Map<string, { table: string; columns: string[]; loss: Loss; partly: boolean }>();
  for (const [origin, loss] of losses) {
    const [table, column] = placeOf(origin);
    const partly = tracker.isPartlyHeld(origin);
    const key = `${loss.statement.line} ${loss.by} ${partly} ${table} ${loss.detail}`;
    const group = groups.get(key);
    if (group) group.columns.push(column);
    else groups.set(key, { table, columns: [column], loss, partly });
  }
  return [...groups.values()].flatMap(({ table, columns, loss, partly }) => {
    const name = (before.tables.get(table) ?? before.virtualTables.get(table))?.name ?? table;
    const nameOf = (column: string): string =>
      `${name}.${before.tables.get(table)?.columns.get(column)?.name ?? column}`;
    const isAll = columnsWithRows(before, table).every((column) => losses.has(originOf(table, column)));
    const observe = (kind: Observation["kind"], what: string): Observation => ({
      kind,
      what,
      statement: loss.statement,
    });
    switch (loss.by) {
      case "drop table":
        if (partly) return observe("delete-rows", `${name} is dropped after a copy that may leave out rows`);
        if (isAll && columns.length === columnsWithRows(before, table).length) {
          return observe("drop-table", `table ${name} is dropped with its rows`);
        }
        return columns.map((column) =>
          observe("drop-column", `${nameOf(column)} is not taken over when ${name} is made anew`),
        );
      case "drop column":
        return columns.map((column) => observe("drop-column", `column ${nameOf(column)} is dropped`));
      case "overwrite":
        return columns.map((column) => observe("delete-rows", `${nameOf(column)} is overwritten in every row`));
      case "delete":
        return observe("delete-rows", loss.detail ? `rows of ${name} are deleted` : `all rows of ${name} are deleted`);
      case "cascade":
        return observe(
          "delete-rows",
          `rows of ${name} are ${isAll ? "deleted" : "changed"} because they refer to ${loss.detail}`,
        );
    }
  });
}

function columnsWithRows(model: SchemaModel, table: string): string[] {
  const columns = model.tables.get(table)?.columns;
  if (!columns) return [...(model.virtualTables.get(table)?.columns ?? [])];
  return [...columns].filter(([, { generated }]) => generated === undefined).map(([column]) => column);
}
