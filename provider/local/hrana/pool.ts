import type Database from "libsql";
import { type Connection, openConnection, openFile } from "./connection";
import { DatabaseMissing, statementError } from "./fault";
import { createReclaimer } from "./reclaim";

/**
 * The open databases. Every stream gets a connection of its own, as on a hosted platform, so nothing set on one is
 * seen by the next; what is kept open is one idle connection for each recently used database. With it the write-ahead
 * log stays in place, and opening another connection costs a fraction of a millisecond.
 */
export interface Pool {
  connect(databaseId: string, file: string, readOnly: boolean): Promise<Connection>;
  release(databaseId: string): void;
  close(): void;
}

export function createPool(options: { readonly maxOpen: number; readonly busyTimeout: number }): Pool {
  // A Map keeps the order of insertion: the least recently used comes first.
  const kept = new Map<string, Database.Database>();
  const onClosed = createReclaimer();

  const release = (databaseId: string): void => {
    kept.get(databaseId)?.close();
    kept.delete(databaseId);
  };

  const keep = (databaseId: string, file: string): void => {
    let database = kept.get(databaseId);
    if (database === undefined) {
      database = openFile(file, false);
      // With a write-ahead log readers do not stop writers. Turning it on, once in the life of a file and while it is
      // empty, need not wait for the disk. `exec` leaves no prepared statement behind, so closing closes at once.
      database.exec("PRAGMA synchronous = OFF; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
      database.exec("SELECT 1 FROM sqlite_schema");
    }
    kept.delete(databaseId);
    kept.set(databaseId, database);
    for (const oldest of kept.keys()) {
      if (kept.size <= options.maxOpen) break;
      release(oldest);
    }
  };

  return {
    connect: async (databaseId, file, readOnly) => {
      try {
        keep(databaseId, file);
        return await openConnection(file, { readOnly, busyTimeout: options.busyTimeout, onClosed });
      } catch (error) {
        throw error instanceof DatabaseMissing ? error : statementError(error);
      }
    },
    release,
    close: () => {
      for (const databaseId of [...kept.keys()]) release(databaseId);
    },
  };
}
