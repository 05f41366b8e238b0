import type { Statement } from "../statements";
import type { Observation } from "./finding";
import { shapeOf } from "./statement-shape";
import { isWord, tokensOf } from "./tokens";

/**
 * What a migration may destroy, by the first words of its statements: for one that cannot be run on an empty database.
 * Careful: a table that is made anew counts as dropped, since nobody knows what was copied.
 */
export function guessFindings(statements: readonly Statement[]): Observation[] {
  const made = new Set<string>();
  const observations: Observation[] = [];
  for (const statement of statements) {
    const observe = (kind: Observation["kind"], what: string): void =>
      void observations.push({ kind, what, statement });
    const shape = shapeOf(statement.sql);
    if (shape.does === "create table") made.add(shape.table);
    if (!("table" in shape) || made.has(shape.table)) continue;
    switch (shape.does) {
      case "drop table":
        observe("drop-table", `table ${shape.table} is dropped, perhaps with rows that are in no other`);
        break;
      case "drop column":
        observe("drop-column", `column ${shape.table}.${shape.column} is dropped`);
        break;
      case "alter table":
        if (addsRequired(statement.sql))
          observe("not-null", `${shape.table} gets a column that is NOT NULL without DEFAULT`);
        break;
      case "create index":
        if (shape.unique) observe("unique", `${shape.table} gets the unique index ${shape.index}`);
        break;
      case "delete":
        observe("delete-rows", `${shape.where ? "rows" : "all rows"} of ${shape.table} are deleted`);
        break;
      case "update":
        if (shape.where === undefined) {
          const columns = shape.sets.map(({ column }) => `${shape.table}.${column}`);
          observe("delete-rows", `${columns.join(", ")} may be overwritten in every row`);
        }
        break;
    }
  }
  return observations;
}

function addsRequired(sql: string): boolean {
  const tokens = tokensOf(sql);
  const has = (word: string): boolean => tokens.some((token) => isWord(token, word));
  const notNull = tokens.some((token, at) => isWord(token, "not") && isWord(tokens[at + 1], "null"));
  return has("add") && notNull && !has("default") && !has("generated") && !has("as");
}
