import Database from "libsql";

/** The libSQL HTTP protocol, as far as `@libsql/client` uses it for statements and batches (libSQL docs: Hrana 2). */
interface WireStatement {
  readonly sql?: string;
  readonly sql_id?: number;
  readonly args?: readonly WireValue[];
}
type WireValue = { readonly type: "null" } | { readonly type: "integer" | "text" | "float"; readonly value: string };
interface WireBatch {
  readonly steps: readonly { readonly stmt: WireStatement; readonly condition?: { readonly type: string } | null }[];
}
interface WireRequest {
  readonly type: string;
  /** Of "store_sql": a text that later statements name by its number. */
  readonly sql?: string;
  readonly sql_id?: number;
  readonly stmt?: WireStatement;
  readonly batch?: WireBatch;
}

const nothing = { cols: [], rows: [], affected_row_count: 0, last_insert_rowid: null };

export interface StubSql {
  pipeline(database: string, body: string): object;
  /** A new database has from now on what the other one has; it is only read. */
  copied(database: string, from: string): void;
}

/** Runs what is sent to Tenantry's own databases and to copies of them; every other one is empty and agrees to all. */
export function createStubSql(): StubSql {
  const sources = new Map<string, string>();
  const files = new Map<string, Database.Database>();
  const open = (name: string): Database.Database => {
    const file = files.get(name) ?? new Database(":memory:");
    files.set(name, file);
    return file;
  };
  return {
    copied: (database, from) => void sources.set(database, from),
    pipeline(database, body) {
      const { requests } = JSON.parse(body) as { requests: WireRequest[] };
      const source = sources.get(database) ?? database;
      if (!source.startsWith("tenantry-")) return reply(requests.map((request) => answer(agree, request)));
      const file = open(source);
      const texts = new Map(requests.flatMap(({ type, sql, sql_id: id }) => (type === "store_sql" ? [[id, sql]] : [])));
      const run = ({ sql, sql_id: id, args }: WireStatement) => execute(file, sql ?? texts.get(id) ?? "", args);
      return reply(requests.map((request) => answer(run, request)));
    },
  };
}

type Run = (statement: WireStatement) => object;
const agree: Run = () => nothing;
const reply = (results: object[]): object => ({ baton: null, base_url: null, results });

function answer(run: Run, { type, stmt, batch }: WireRequest): object {
  const response = (result?: object) => ({ type: "ok", response: { type, ...(result && { result }) } });
  try {
    if (stmt) return response(run(stmt));
    if (batch) return response(runBatch(run, batch));
    return response();
  } catch (error) {
    return { type: "error", error: { message: (error as Error).message, code: "SQL_ERROR" } };
  }
}

/** A step that hangs on the failure of another one (the ROLLBACK at the end) is left out, unless one has failed. */
function runBatch(run: Run, { steps }: WireBatch): object {
  const results: (object | null)[] = [];
  const errors: (object | null)[] = [];
  let failed = false;
  for (const { stmt, condition } of steps) {
    const afterFailure = condition?.type === "not";
    if (afterFailure !== failed) {
      results.push(null);
      errors.push(null);
      continue;
    }
    try {
      results.push(run(stmt));
      errors.push(null);
    } catch (error) {
      failed = true;
      results.push(null);
      errors.push({ message: (error as Error).message, code: "SQL_ERROR" });
    }
  }
  return { step_results: results, step_errors: errors };
}

function execute(file: Database.Database, sql: string, args: WireStatement["args"] = []): object {
  const statement = file.prepare(sql);
  const values = args.map((one) => (one.type === "null" ? null : one.type === "text" ? one.value : Number(one.value)));
  if (!/^\s*select\b/i.test(sql)) {
    const { changes } = statement.run(...values);
    return { ...nothing, affected_row_count: changes };
  }
  const rows = statement.all(...values) as Record<string, unknown>[];
  return {
    ...nothing,
    cols: Object.keys(rows[0] ?? {}).map((name) => ({ name })),
    rows: rows.map((row) => Object.values(row).map(toWire)),
  };
}

function toWire(value: unknown): WireValue {
  if (value === null) return { type: "null" };
  return { type: typeof value === "number" ? "integer" : "text", value: String(value) };
}
