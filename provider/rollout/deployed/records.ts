import type { Sql, SqlStatement } from "../../platform/sql-connection";
import type { MigrationRef } from "../source";

/**
 * What a template's workspace has had, beside the registry in a database of our own: the platform keeps statements, and
 * knows nothing of migrations. Each statement is written down before it is run, and again when it was.
 */
const schema = [
  `CREATE TABLE IF NOT EXISTS templates (
     name TEXT PRIMARY KEY,
     deployed TEXT)`,
  `CREATE TABLE IF NOT EXISTS migrations (
     template TEXT NOT NULL,
     seq INTEGER NOT NULL,
     id TEXT NOT NULL,
     hash TEXT NOT NULL,
     version TEXT,
     PRIMARY KEY (template, seq))`,
  `CREATE TABLE IF NOT EXISTS statements (
     template TEXT NOT NULL,
     migration TEXT NOT NULL,
     seq INTEGER NOT NULL,
     sql TEXT NOT NULL,
     attempt TEXT NOT NULL,
     begun INTEGER NOT NULL,
     done INTEGER NOT NULL,
     PRIMARY KEY (template, migration, seq))`,
];

/** A migration that the workspace has had, and the blueprint's version after it. */
export interface Recorded extends MigrationRef {
  readonly version: string | undefined;
}

export interface RecordedStatement {
  readonly sql: string;
  readonly attempt: string;
  /** How long ago it was begun, in seconds. */
  readonly age: number;
  readonly done: boolean;
}

const now = "CAST(strftime('%s', 'now') AS INTEGER)";
const once = { idempotent: true };

export interface Records {
  /** Whether the workspace of that name is ours. */
  isOurs(template: string): Promise<boolean>;
  /** Written before the workspace is made. */
  intend(template: string): Promise<void>;
  forget(template: string): Promise<void>;
  migrations(template: string): Promise<Recorded[]>;
  statement(template: string, migration: string, seq: number): Promise<RecordedStatement | undefined>;
  /** False: another attempt has begun it. */
  begin(template: string, migration: string, seq: number, sql: string, attempt: string): Promise<boolean>;
  done(template: string, migration: string, seq: number): Promise<void>;
  /** The texts of all that was done. */
  allDone(template: string): Promise<string[]>;
  takeBack(template: string, migration: string, seq: number): Promise<void>;
  applied(template: string, seq: number, migration: MigrationRef, version: string | undefined): Promise<void>;
  /** The version up to which all tenants were deployed. */
  deployed(template: string): Promise<string | undefined>;
  setDeployed(template: string, version: string): Promise<void>;
}

export async function openRecords(sql: Sql): Promise<Records> {
  await sql.batch(schema, "write", once);
  const rows = async (text: string, args: SqlStatement["args"]) => (await sql.execute({ sql: text, args }, once)).rows;
  const write = async (text: string, args: SqlStatement["args"]) => sql.batch([{ sql: text, args }], "write", once);
  const text = (value: unknown): string | undefined => (value == null ? undefined : String(value));
  const which = "template = ? AND migration = ? AND seq = ?";
  return {
    isOurs: async (template) => (await rows("SELECT name FROM templates WHERE name = ?", [template])).length > 0,
    intend: async (template) =>
      void (await write("INSERT INTO templates (name) VALUES (?) ON CONFLICT DO NOTHING", [template])),
    forget: async (template) => void (await write("DELETE FROM templates WHERE name = ?", [template])),
    migrations: async (template) =>
      (await rows("SELECT id, hash, version FROM migrations WHERE template = ? ORDER BY seq", [template])).map(
        (row) => ({ id: String(row["id"]), hash: String(row["hash"]), version: text(row["version"]) }),
      ),
    async statement(template, migration, seq) {
      const [row] = await rows(`SELECT sql, attempt, done, ${now} - begun AS age FROM statements WHERE ${which}`, [
        template,
        migration,
        seq,
      ]);
      return (
        row && {
          sql: String(row["sql"]),
          attempt: String(row["attempt"]),
          age: Number(row["age"]),
          done: Number(row["done"]) === 1,
        }
      );
    },
    async begin(template, migration, seq, statement, attempt) {
      const insert = `INSERT INTO statements (template, migration, seq, sql, attempt, begun, done)
        VALUES (?, ?, ?, ?, ?, ${now}, 0) ON CONFLICT DO NOTHING`;
      await write(insert, [template, migration, seq, statement, attempt]);
      const [row] = await rows(`SELECT attempt FROM statements WHERE ${which}`, [template, migration, seq]);
      return row?.["attempt"] === attempt;
    },
    done: async (template, migration, seq) =>
      void (await write(`UPDATE statements SET done = 1 WHERE ${which}`, [template, migration, seq])),
    allDone: async (template) =>
      (await rows("SELECT sql FROM statements WHERE template = ? AND done = 1", [template])).map((row) =>
        String(row["sql"]),
      ),
    takeBack: async (template, migration, seq) =>
      void (await write(`DELETE FROM statements WHERE done = 0 AND ${which}`, [template, migration, seq])),
    async applied(template, seq, { id, hash }, version) {
      const insert = `INSERT INTO migrations (template, seq, id, hash, version) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`;
      await write(insert, [template, seq, id, hash, version ?? null]);
    },
    deployed: async (template) =>
      text((await rows("SELECT deployed FROM templates WHERE name = ?", [template]))[0]?.["deployed"]),
    setDeployed: async (template, version) =>
      void (await write("UPDATE templates SET deployed = ? WHERE name = ?", [version, template])),
  };
}
