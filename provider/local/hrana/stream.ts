import type { Access } from "./access";
import { runBatch, type WireBatchResult } from "./batch";
import type { Budget } from "./budget";
import type { Connection } from "./connection";
import { type CursorEntry, runCursor } from "./cursor";
import { ProtocolError, StatementError } from "./fault";
import type { Meter } from "./meter";
import type { WireBatch, WireRequest } from "./protocol";
import {
  describe,
  type Desk,
  execute,
  executeSequence,
  start,
  type WireDescription,
  type WireResult,
} from "./statement";

export type WireResponse =
  | { type: "execute"; result: WireResult }
  | { type: "batch"; result: WireBatchResult }
  | { type: "describe"; result: WireDescription }
  | { type: "get_autocommit"; is_autocommit: boolean }
  | { type: "sequence" | "store_sql" | "close_sql" | "close" };

/** One conversation with a database: a connection, opened when first needed, and the SQL texts stored for it. */
export interface Stream {
  /** @param budget What the rows of the whole answer may take. */
  respond(request: WireRequest, budget: Budget): Promise<WireResponse>;
  /** Runs a batch, telling its rows one by one. */
  cursor(batch: WireBatch): AsyncIterable<CursorEntry>;
  /** A method: a getter would live in the engine's description of the object, and what it sees with it, for long. */
  isClosed(): boolean;
  /** Rolls back what is open. A statement that waits for a lock fails. Idempotent. */
  close(): void;
}

// Limits of a libSQL server for the SQL texts that one stream may store.
const maxStored = 50;
const maxStoredLength = 5 * 1024;

export function openStream(access: Access, meter: Meter, connect: () => Connection): Stream {
  const stored = new Map<number, string>();
  let connection: Connection | undefined;
  let closed = false;

  const mustBeOpen = (): void => {
    if (closed) throw new StatementError("STREAM_CLOSED", "The stream was closed");
  };

  const desk = (): Desk => {
    mustBeOpen();
    return { connection: (connection ??= connect()), access, meter };
  };

  const textOf = ({ sql, sql_id: id }: { sql?: string | null; sql_id?: number | null }): string => {
    if ((sql == null) === (id == null)) throw new ProtocolError("exactly one of sql and sql_id must be given");
    const text = sql ?? stored.get(id ?? -1);
    if (text === undefined) throw new ProtocolError(`no SQL text is stored under sql_id ${id}`);
    return text;
  };

  const store = (id: number, sql: string): void => {
    if (stored.has(id)) throw new ProtocolError(`an SQL text is stored under sql_id ${id} already`);
    if (stored.size >= maxStored) {
      throw new StatementError("SQL_STORE_TOO_MANY", `A stream may store ${maxStored} SQL texts at most`);
    }
    if (sql.length > maxStoredLength) {
      throw new StatementError(
        "SQL_STORE_TOO_LARGE",
        `A stored SQL text may have ${maxStoredLength} characters at most`,
      );
    }
    stored.set(id, sql);
  };

  const isAutocommit = async (): Promise<boolean> => connection?.isAutocommit() ?? true;

  const close = (): void => {
    closed = true;
    connection?.close();
  };

  const respond = async (request: WireRequest, budget: Budget): Promise<WireResponse> => {
    mustBeOpen();
    switch (request.type) {
      case "execute":
        return { type: request.type, result: await execute(desk(), budget, textOf(request.stmt), request.stmt) };
      case "batch":
        return {
          type: request.type,
          result: await runBatch(
            { execute: (stmt) => execute(desk(), budget, textOf(stmt), stmt), isAutocommit },
            request.batch,
          ),
        };
      case "sequence":
        await executeSequence(desk(), budget, textOf(request));
        return { type: request.type };
      case "describe":
        return { type: request.type, result: await describe(desk(), textOf(request)) };
      case "store_sql":
        store(request.sql_id, request.sql);
        return { type: request.type };
      case "close_sql":
        stored.delete(request.sql_id);
        return { type: request.type };
      case "get_autocommit":
        return { type: request.type, is_autocommit: await isAutocommit() };
      case "close":
        close();
        return { type: request.type };
    }
  };

  return {
    respond,
    cursor: (batch) => runCursor({ start: async (stmt) => start(desk(), textOf(stmt), stmt), isAutocommit }, batch),
    isClosed: () => closed,
    close,
  };
}
