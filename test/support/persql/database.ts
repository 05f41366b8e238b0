import Libsql from "libsql";

/** PerSQL docs, tokens: what each role may do with SQL. */
export type Role = "read" | "write" | "admin";

export interface Asked {
  readonly sql: string;
  readonly params?: readonly unknown[];
}

/** What SQLite, or a role, refuses. */
export class SqlRefusal extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** One SQLite of PerSQL: real, in memory, with foreign keys on, as a Durable Object has them. */
export interface TenantSqlite {
  query(asked: Asked, role: Role): object;
  /** PerSQL docs, batch: one transaction, of which the first error takes everything back; or one after the other. */
  batch(asked: readonly Asked[], role: Role, transaction: boolean): object[];
  tables(): { name: string; rowCount: number }[];
  /** Everything but the rows. */
  schema(): string[];
  close(): void;
}

const reads = /^(?:select|pragma|with|values|explain)\b/i;
/** PerSQL docs, tokens: what the role "write" may not. */
const changesSchema = /^(?:create|alter|drop|truncate|attach|detach|reindex|vacuum)\b/i;
/** A Durable Object has its own way to transactions, and takes no statement for it. */
const transactions = /^(?:begin|commit|end|rollback|savepoint|release)\b/i;

/** What a Durable Object lets through (workerd, src/workerd/util/sqlite.c++: its lists of pragmas). */
const pragmas = new Set(
  (
    "data_version case_sensitive_like foreign_keys defer_foreign_keys ignore_check_constraints legacy_alter_table " +
    "recursive_triggers reverse_unordered_selects foreign_key_check foreign_key_list index_info index_list index_xinfo " +
    "quick_check optimize table_list table_info table_xinfo"
  ).split(" "),
);

export function openSqlite(schema: readonly string[] = []): TenantSqlite {
  const database = new Libsql(":memory:");
  database.exec("PRAGMA foreign_keys = ON");
  for (const statement of schema) database.exec(statement);

  const query: TenantSqlite["query"] = ({ sql, params = [] }, role) => {
    const text = sql.replace(/^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)+/, "");
    if (transactions.test(text)) throw new SqlRefusal(400, "transactions are for /batch");
    for (const [, pragma] of text.matchAll(/(?:^pragma\s+|\bpragma_)(\w+)/gi)) {
      if (!pragmas.has(pragma!.toLowerCase())) throw new SqlRefusal(400, "not authorized: SQLITE_AUTH");
    }
    if (role === "read" && !reads.test(text)) throw new SqlRefusal(403, "this token can only read");
    if (role === "write" && changesSchema.test(text)) throw new SqlRefusal(403, "this token cannot change the schema");
    database.exec(`PRAGMA query_only = ${role === "read" ? "ON" : "OFF"}`);
    try {
      const statement = database.prepare(sql);
      const columns = statement.columns().map(({ name }) => name);
      const before = total();
      const bound = params.map((value) =>
        typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : value,
      );
      if (columns.length === 0) {
        const { changes, lastInsertRowid } = statement.run(...bound);
        return { columns, rows: [], rowsRead: 0, rowsWritten: total() - before, changes, lastInsertRowid };
      }
      const rows = statement.raw().all(...bound) as unknown[][];
      const rowsWritten = total() - before;
      return { columns, rows, rowsRead: rows.length, rowsWritten, changes: rowsWritten };
    } catch (error) {
      throw error instanceof SqlRefusal ? error : new SqlRefusal(400, (error as Error).message);
    } finally {
      database.exec("PRAGMA query_only = OFF");
    }
  };

  const total = (): number => (database.prepare("SELECT total_changes()").raw().get([]) as number[])[0]!;

  return {
    query,
    batch(asked, role, transaction) {
      if (!transaction) return asked.map((one) => query(one, role));
      database.exec("BEGIN IMMEDIATE");
      try {
        const results = asked.map((one) => query(one, role));
        database.exec("COMMIT");
        return results;
      } catch (error) {
        if (database.inTransaction) database.exec("ROLLBACK");
        throw error instanceof SqlRefusal ? error : new SqlRefusal(400, (error as Error).message);
      }
    },
    tables: () =>
      (database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all([]) as { name: string }[]).map(
        ({ name }) => ({
          name,
          rowCount: (database.prepare(`SELECT count(*) FROM "${name}"`).raw().get([]) as number[])[0]!,
        }),
      ),
    schema: () =>
      (
        database
          .prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid")
          .all([]) as { sql: string }[]
      ).map(({ sql }) => sql),
    close: () => void database.close(),
  };
}
