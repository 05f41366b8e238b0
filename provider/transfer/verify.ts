import { TenantryError } from "../platform/errors";
import { type Sql, SqlError } from "../platform/sql";
import { type Definition, type SchemaObject, readDefinition } from "./definition";
import { type TableDigest, digestOf } from "./digest";
import { quoted } from "./quoted-name";

export interface Verified {
  /** Of all tables. */
  readonly rows: number;
  readonly tables: ReadonlyMap<string, TableDigest>;
}

export const sameObject = (one: SchemaObject, other: SchemaObject): boolean =>
  one.type === other.type && one.name === other.name && one.table === other.table && one.sql === other.sql;

/**
 * Reads both, and compares definitions word for word, and each table's rows by number and checksum. `known`: digests of
 * tables of the source whose rows were all read a moment ago. Fails with "bad-answer", which names what differs.
 */
export async function verify(
  source: Sql,
  target: Sql,
  definition: Definition,
  known: ReadonlyMap<string, TableDigest> = new Map(),
): Promise<Verified> {
  const [before, after] = await Promise.all([readDefinition(source), readDefinition(target)]);
  requireSameDefinition(definition, before, "was changed while it was copied");
  requireSameDefinition(definition, after, "is not the same in the copy");
  const tables = new Map<string, TableDigest>();
  for (const table of [...definition.tables, ...(definition.sequence ? [definition.sequence] : [])]) {
    const given = known.get(table.name) ?? digestOf(source, table);
    const [its, copied] = await Promise.all([given, digestOf(target, table)]);
    if (its.rows !== copied.rows) {
      throw differs(`Table "${table.name}" has ${its.rows} rows, and the copy has ${copied.rows}.`);
    }
    if (its.checksum !== copied.checksum) {
      throw differs(`Table "${table.name}" has ${its.rows} rows, and the copy has as many, but not the same.`);
    }
    if (table !== definition.sequence) tables.set(table.name, its);
  }
  for (const name of definition.vectors) {
    const [its, copied] = await Promise.all([countOf(source, name), countOf(target, name)]);
    if (its !== copied) throw differs(`A vector index has ${its} rows in "${name}", and the copy's has ${copied}.`);
  }
  for (const name of definition.rebuilt) await requireWholeIndex(target, name, definition.fts5.includes(name));
  return { rows: [...tables.values()].reduce((sum, { rows }) => sum + rows, 0), tables };
}

function requireSameDefinition(one: Definition, other: Definition, what: string): void {
  const [first, second] = [one.objects, other.objects];
  const lacking =
    first.find((object) => !second.some((its) => sameObject(object, its))) ??
    second.find((object) => !first.some((its) => sameObject(object, its)));
  if (lacking) throw differs(`The ${lacking.type} "${lacking.name}" ${what}.`);
}

async function countOf(sql: Sql, table: string): Promise<number> {
  const { rows } = await sql.execute({ sql: `SELECT count(*) AS n FROM ${quoted(table)}`, args: [] });
  return Number(rows[0]!["n"]);
}

/** SQLite docs, FTS5 and FTS3/4: the "integrity-check" command; for FTS5 with rank 1 also against the other table. */
async function requireWholeIndex(target: Sql, name: string, isFts5: boolean): Promise<void> {
  const [columns, values] = isFts5 ? [", rank", ", 1"] : ["", ""];
  const text = `INSERT INTO ${quoted(name)} (${quoted(name)}${columns}) VALUES ('integrity-check'${values})`;
  try {
    await target.batch([text], "write", { idempotent: true });
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    throw differs(`The full-text index "${name}" is not whole in the copy: ${error.message}.`, error);
  }
}

const differs = (what: string, cause?: unknown): TenantryError =>
  new TenantryError("bad-answer", `The copy was not taken: ${what}`, { fix: "Run it again.", cause });
