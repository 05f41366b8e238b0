import { TenantryError } from "../../provider/platform/errors";
import type { Client, ResultSet } from "../../provider/platform/libsql-client";
import type { Sql, SqlResult, SqlStatement, SqlValue } from "../../provider/platform/sql-connection";

type Asked = Parameters<Client["batch"]>[0][number];
type Arguments = Exclude<Asked, string | readonly unknown[]> extends { args?: infer Args } ? Args : never;

/**
 * What applications know as a client of `@libsql/client`, on a database that speaks something else. Its `close` does
 * nothing, as that of others from the cache.
 */
export function clientOn(tenant: string, sql: Sql): Client {
  const refuse = (what: string, fix: string) => (): never => {
    throw new TenantryError("unsupported", `${tenant}: its platform has no ${what}.`, { fix });
  };
  const client = {
    closed: false,
    protocol: "http",
    execute: async (asked: Asked, args?: Arguments) =>
      resultSet(await sql.execute(statementOf(args === undefined ? asked : ([asked, args] as Asked)))),
    batch: async (all: Asked[], mode = "deferred") => {
      const results = await sql.batch(all.map(statementOf), mode === "read" ? "read" : "write");
      return results.map(resultSet);
    },
    migrate: async (all: Asked[]) =>
      (await sql.batch(all.map(statementOf), "write", { foreignKeys: "off" })).map(resultSet),
    transaction: refuse("transactions that stay open between requests", "Use batch, which is one transaction."),
    executeMultiple: refuse("requests with several statements in one text", "Use batch, with a statement each."),
    sync: refuse("replicas to bring up to date", "Leave it out."),
    reconnect: () => undefined,
    close: () => undefined,
  };
  return client as unknown as Client;
}

function statementOf(asked: Asked): SqlStatement {
  const [sql, args = []] =
    typeof asked === "string" ? [asked] : Array.isArray(asked) ? asked : [asked.sql, asked.args ?? []];
  if (!Array.isArray(args)) {
    throw new TenantryError("unsupported", "Arguments by name are not to be had on this platform.", {
      fix: "Pass them as a list, in the order of the question marks.",
    });
  }
  return { sql: sql as string, args: args.map(valueOf) };
}

/** As `@libsql/client` sends them. */
function valueOf(value: unknown): SqlValue {
  if (value === undefined || value === null) return null;
  if (typeof value === "boolean") return Number(value);
  if (value instanceof Date) return value.valueOf();
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  return value as SqlValue;
}

function resultSet({ raw, rows, rowsAffected }: SqlResult): ResultSet {
  const columns = raw ? [...raw.columns] : Object.keys(rows[0] ?? {});
  const byPosition = raw ? raw.rows : rows.map((row) => columns.map((column) => row[column]));
  const made = byPosition.map((values) => {
    const row = {};
    values.forEach((value, i) => Object.defineProperty(row, i, { value, configurable: true, writable: true }));
    Object.defineProperty(row, "length", { value: values.length, configurable: true, writable: true });
    columns.forEach((column, i) => {
      if (Object.hasOwn(row, column)) return;
      Object.defineProperty(row, column, { value: values[i], enumerable: true, configurable: true, writable: true });
    });
    return row;
  });
  const columnTypes = columns.map(() => "");
  const result = { columns, columnTypes, rows: made, rowsAffected, lastInsertRowid: raw?.lastInsertRowid };
  return { ...result, toJSON: () => ({ ...result, rows: byPosition }) } as unknown as ResultSet;
}
