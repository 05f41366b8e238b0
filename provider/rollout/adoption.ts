import { SqlError, TenantryError } from "../platform/errors";
import type { Sql, SqlStatement } from "../platform/sql";
import type { Row } from "../platform/sql-values";
import { type LedgerEntry, hasNoLedger, ledgerEntry, ledgerTable, selectLedger } from "./ledger";
import type { Migration } from "./source";

type Tool = NonNullable<Migration["recorded"]>["tool"];

/** What another tool has written down in a database, oldest first. Failed and rolled back migrations of Prisma's too. */
export interface ForeignHistory {
  readonly tool: Tool;
  readonly rows: readonly Row[];
}

export interface History {
  readonly ledger: readonly LedgerEntry[];
  /** Only where there is no ledger of ours, and a table of another tool's that holds something. */
  readonly foreign: readonly ForeignHistory[];
}

const tables: Record<Tool, { readonly table: string; readonly called: string; readonly select: string }> = {
  drizzle: {
    table: "__drizzle_migrations",
    called: "drizzle-kit",
    select: "SELECT * FROM __drizzle_migrations ORDER BY created_at, rowid",
  },
  prisma: {
    table: "_prisma_migrations",
    called: "Prisma",
    select: "SELECT * FROM _prisma_migrations WHERE rolled_back_at IS NULL ORDER BY migration_name",
  },
  dbmate: {
    table: "schema_migrations",
    called: "dbmate",
    select: "SELECT version FROM schema_migrations ORDER BY version",
  },
};
const tools = Object.keys(tables) as Tool[];

const mark = "migrations of others: ";
// Others have a table of dbmate's name too, with more columns than its only one.
const lookForOthers: SqlStatement = {
  sql: `SELECT CASE WHEN count(*) > 0 THEN json_extract('{}', '${mark}' || group_concat(name, ' ')) END FROM sqlite_schema AS s
        WHERE type = 'table' AND name IN (${tools.map((tool) => `'${tables[tool].table}'`).join(", ")})
          AND (name <> 'schema_migrations' OR (SELECT group_concat(name) FROM pragma_table_info(s.name)) = 'version')
          AND NOT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '${ledgerTable}')`,
  args: [],
};

/**
 * What a database has had applied, by us or, where we never were, by another tool. One call, and a second only where
 * there is such a tool: a look at the ledger fails where there is none, and the look before it fails with the names of
 * the others' tables.
 */
export async function readHistory(sql: Sql): Promise<History> {
  try {
    const [, ledger] = await sql.batch([lookForOthers, selectLedger], "read");
    return { ledger: ledger!.rows.map(ledgerEntry), foreign: [] };
  } catch (error) {
    if (hasNoLedger(error)) return { ledger: [], foreign: [] };
    const names = error instanceof SqlError ? new RegExp(`'${mark}([^']*)'`).exec(error.message)?.[1] : undefined;
    if (names === undefined) throw error;
    const found = tools.filter((tool) => names.split(" ").includes(tables[tool].table));
    const results = await sql.batch(
      found.map((tool) => tables[tool].select),
      "read",
    );
    const foreign = found.map((tool, i) => ({ tool, rows: results[i]!.rows }));
    return { ledger: [], foreign: foreign.filter(({ rows }) => rows.length > 0) };
  }
}

/**
 * The same for databases that have a ledger as a rule, as those of a fleet: then it is one statement and no transaction,
 * a third less work for everybody; where there is none it is a call more.
 */
export async function readUsualHistory(sql: Sql): Promise<History> {
  try {
    const { rows } = await sql.execute(selectLedger, { idempotent: true });
    return { ledger: rows.map(ledgerEntry), foreign: [] };
  } catch (error) {
    if (!hasNoLedger(error)) throw error;
    return readHistory(sql);
  }
}

/**
 * Which of the template's migrations another tool has already applied: the first so many. Fails with
 * "migration-invalid" where that history is not the beginning of the template's, and where it is another tool's than the
 * template's; nothing was written then.
 */
export function adoptable<M extends Migration>(
  foreign: readonly ForeignHistory[],
  migrations: readonly M[],
  database: string,
): M[] {
  return foreign.flatMap(({ tool, rows }) => {
    const { table, called } = tables[tool];
    const refuse = (what: string, fix: string) =>
      new TenantryError("migration-invalid", `${database}: ${what}`, { fix });
    if (!migrations.some(({ recorded }) => recorded?.tool === tool)) {
      throw refuse(
        `${called} has applied ${rows.length} migrations (${table}), and the template's are not ${called}'s.`,
        `Name ${called}'s folder in the template, or rename the table if its history no longer counts.`,
      );
    }
    rows.forEach((row, i) => {
      const failed = tool === "prisma" && row["finished_at"] === null;
      if (failed) {
        throw refuse(
          `Prisma began ${nameOf(tool, row)} and did not finish it (${table}).`,
          "Settle it with `prisma migrate resolve`, then run `pulumi up` again.",
        );
      }
      const why = difference(tool, row, i, migrations);
      if (why)
        throw refuse(`${why} (${table}).`, "Let the template's folder hold what was applied, in the same order.");
    });
    return migrations.slice(0, rows.length);
  });
}

function difference(tool: Tool, row: Row, at: number, migrations: readonly Migration[]): string | undefined {
  const declared = migrations[at];
  if (declared && isSame(row, declared)) return undefined;
  const { called } = tables[tool];
  const name = nameOf(tool, row);
  const elsewhere = migrations.find((one) => isSame(row, one));
  if (elsewhere && declared) {
    return `${called} has applied ${elsewhere.file}${then(row)}, but not ${declared.file}${now(declared)} before it`;
  }
  const namesake = migrations.find((one) => one.id === name || isOfMoment(one, row));
  if (namesake && tool !== "dbmate") {
    return `${namesake.file} was edited since ${called} applied it: then ${hash(row)}, now ${checksum(namesake)}`;
  }
  const instead = declared ? `; in its place the template has ${declared.file}${now(declared)}` : "";
  return `${called} has applied ${name}${then(row)}, which is not among the template's migrations${instead}`;
}

function isSame(row: Row, { recorded }: Migration): boolean {
  switch (recorded?.tool) {
    case "drizzle":
      return recorded.checksums.includes(String(row["hash"]));
    case "prisma":
      return recorded.name === row["migration_name"] && recorded.checksums.includes(String(row["checksum"]));
    case "dbmate":
      return recorded.version === row["version"];
    case undefined:
      return false;
  }
}

/** drizzle-kit 0.x keeps no name: it is told by the moment at which the migration was generated. */
const nameOf = (tool: Tool, row: Row): string =>
  String(
    (tool === "drizzle" ? row["name"] : tool === "prisma" ? row["migration_name"] : row["version"]) ??
      `the migration of ${new Date(Number(row["created_at"])).toISOString()}`,
  );

const isOfMoment = ({ recorded }: Migration, row: Row): boolean =>
  recorded?.tool === "drizzle" && recorded.when !== undefined && recorded.when === row["created_at"];

const hash = (row: Row): string => String(row["hash"] ?? row["checksum"] ?? "").slice(0, 12);
const then = (row: Row): string => (hash(row) ? ` (${hash(row)})` : "");

const checksum = ({ recorded }: Migration): string =>
  recorded && "checksums" in recorded ? recorded.checksums[0]!.slice(0, 12) : "";
const now = (migration: Migration): string => (checksum(migration) ? ` (${checksum(migration)})` : "");
