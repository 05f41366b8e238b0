import type { SqlStatement } from "../platform/sql";

/** Made and dropped within one transaction. */
const before = "_tenantry_violations";
const mark = "foreign keys broken: ";

const count = `SELECT "table" AS child, parent, count(*) AS n FROM pragma_foreign_key_check GROUP BY 1, 2`;

/**
 * What goes around a migration that runs with foreign keys off. At its end no more rows than at its beginning may refer
 * to nothing; else the last statement fails, and with it the transaction. SQL can only raise an error of its own words
 * inside a trigger, so the words are a JSON path that SQLite refuses and repeats.
 */
export const foreignKeyGuard: { readonly before: SqlStatement[]; readonly after: SqlStatement[] } = {
  before: [{ sql: `CREATE TABLE ${before} AS ${count}`, args: [] }],
  after: [
    {
      sql: `SELECT json_extract('{}', '${mark}' || group_concat(now.child || ' -> ' || now.parent || ' (' || now.n || ')', ', '))
            FROM (${count}) AS now LEFT JOIN ${before} AS was ON was.child = now.child AND was.parent = now.parent
            WHERE now.n > coalesce(was.n, 0)
            HAVING (SELECT count(*) FROM pragma_foreign_key_check) > (SELECT coalesce(sum(n), 0) FROM ${before})`,
      args: [],
    },
    { sql: `DROP TABLE ${before}`, args: [] },
  ],
};

/** Which tables' rows lost what they refer to, such as `books -> authors (2)`; undefined: it failed for another reason. */
export function brokenReferences(message: string): string | undefined {
  return new RegExp(`'${mark}([^]*)'`).exec(message)?.[1]?.replaceAll("''", "'");
}
