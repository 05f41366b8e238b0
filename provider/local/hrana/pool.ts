import { type Connection, connectionTo } from "./connection";
import { DatabaseMissing, statementError } from "./fault";
import { openFile, type OpenFile } from "./open-file";
import { createReclaimer } from "./reclaim";

/**
 * The open files. Every stream gets a connection of its own, as on a hosted platform, so nothing set on one is seen by
 * the next. A connection that has only read is kept for the next stream of its kind, and with it the write-ahead log
 * stays in place; opening another one costs a fraction of a millisecond.
 */
export interface Pool {
  connect(databaseId: string, path: string, readOnly: boolean): Connection;
  release(databaseId: string): void;
  close(): void;
}

export interface PoolOptions {
  /** How many files are kept open while nobody uses them. */
  readonly maxOpen: number;
  readonly busyTimeout: number;
  readonly onWait: (waits: boolean) => void;
}

interface Idle extends OpenFile {
  readonly databaseId: string;
  readonly readOnly: boolean;
}

export function createPool({ maxOpen, busyTimeout, onWait }: PoolOptions): Pool {
  // In the order of their last use.
  const idle = new Set<Idle>();
  const onClosed = createReclaimer();
  const released = new Map<string, number>();

  const end = (file: Idle): void => {
    idle.delete(file);
    const hadKept = file.prepared.size > 0;
    file.prepared.clear();
    file.database.close();
    onClosed(hadKept);
  };
  const take = (databaseId: string, readOnly: boolean): Idle | undefined => {
    for (const file of idle) {
      if (file.databaseId !== databaseId || file.readOnly !== readOnly) continue;
      idle.delete(file);
      return file;
    }
    return undefined;
  };
  const open = (databaseId: string, path: string, readOnly: boolean): Idle => ({
    ...openFile(path, readOnly),
    databaseId,
    readOnly,
  });
  const keep = (file: Idle): void => {
    idle.add(file);
    for (const oldest of idle) {
      if (idle.size <= maxOpen) break;
      end(oldest);
    }
  };
  const openReadOnly = (databaseId: string, path: string): Idle => {
    // A read-only connection cannot make the log's index that it needs: one that can has to come first, and stay.
    const writable = take(databaseId, false) ?? open(databaseId, path, false);
    try {
      return open(databaseId, path, true);
    } finally {
      keep(writable);
    }
  };
  const generation = (databaseId: string): number => released.get(databaseId) ?? 0;

  return {
    connect: (databaseId, path, readOnly) => {
      try {
        const file =
          take(databaseId, readOnly) ?? (readOnly ? openReadOnly(databaseId, path) : open(databaseId, path, false));
        file.uses++;
        const opened = generation(databaseId);
        return connectionTo(file, {
          busyTimeout,
          onWait,
          onClosed: (_, asNew) => (asNew && generation(databaseId) === opened ? keep(file) : end(file)),
        });
      } catch (error) {
        throw error instanceof DatabaseMissing ? error : statementError(error);
      }
    },
    release: (databaseId) => {
      released.set(databaseId, generation(databaseId) + 1);
      for (const file of [...idle]) if (file.databaseId === databaseId) end(file);
    },
    close: () => [...idle].forEach(end),
  };
}
