/**
 * What a platform can do about one database beside making, setting and deleting it. Each method is there where its flag
 * says so (capabilities.ts), and only there.
 */
import type { PlatformDatabase } from "./platform";

export interface Life {
  /**
   * `softDelete`: deletes it so that `undeleteDatabase` brings it back. Absence is success. Where the trash does not promise
   * its rows, a backup is taken and they are counted first, and `onSecured` is waited for before anything is deleted.
   */
  softDeleteDatabase?(name: string, onSecured?: (secured: Secured) => Promise<void>): Promise<void>;
  /** `softDelete`: brings it back, and waits until it is there. Fails with "database-not-found" where the trash lacks it. */
  undeleteDatabase?(name: string): Promise<PlatformDatabase>;

  /** `softDelete`: its rows as they are now, to be compared with those that were counted before it was deleted. */
  countRows?(name: string): Promise<Counted>;
  /** `softDelete`: what is in the trash under that name. */
  trashedDatabase?(name: string): Promise<PlatformDatabase | undefined>;

  /** `backups`: the newest first. */
  listBackups?(name: string): Promise<Backup[]>;
  /** `backupOnDemand`: takes one now; answers it where the platform tells. */
  takeBackup?(name: string): Promise<Backup | undefined>;
  /** `restoreInPlace`: puts the database back to what it was, and waits until it is there. Answers the end of the undo. */
  restoreDatabase?(name: string, to: RestorePoint): Promise<Restored>;
  /** `restoreUndo`: takes the last restore back. Fails with "expired" after its window. */
  undoRestore?(name: string): Promise<void>;

  /** `logs`: the newest first; pages by itself. */
  logs?(name: string, of: LogQuery): AsyncIterable<LogEntry>;
  /** `metrics`: what the database uses now, or in the present period of billing. */
  metrics?(name: string): Promise<Figure[]>;
  /** `statistics`: figures about its queries, and those that cost the most. */
  statistics?(name: string): Promise<Statistics>;
  /** `instances`: where it runs. */
  instances?(name: string): Promise<Instance[]>;
}

/** A name of a backup, or a moment, ISO 8601. */
export type RestorePoint = { readonly backup: string } | { readonly timestamp: string };

/** How many rows each table has, by a name that says which database it is in: "app.public.notes". */
export type RowCounts = Readonly<Record<string, number>>;

export interface Counted {
  /** Undefined where they could not be counted; then `why` says it. */
  readonly rows: RowCounts | undefined;
  readonly why?: string;
}

/** What is known of a tenant's rows before it is deleted softly. */
export interface Secured extends Counted {
  /** Ids; a tenant of several databases may have one of each. */
  readonly backups: readonly string[];
}

export interface Backup {
  /** What `restoreFrom.backup` takes. */
  readonly id: string;
  /** ISO 8601; undefined where the platform does not tell. */
  readonly takenAt: string | undefined;
  /** The platform's word, such as "manual". */
  readonly kind: string;
  readonly bytes: number | undefined;
}

export interface Restored {
  /** Until when it can be undone, ISO 8601; undefined: not at all. */
  readonly undoUntil: string | undefined;
}

export interface LogQuery {
  readonly type?: "error" | "slow";
  /** A text that the query has in it. */
  readonly search?: string;
  /** Where the query came from, in the platform's words. */
  readonly source?: string;
  /** How far back, in seconds. */
  readonly since?: number;
}

export interface LogEntry {
  /** ISO 8601. */
  readonly at: string;
  readonly query: string;
  readonly source: string;
  readonly ok: boolean;
  readonly milliseconds: number | undefined;
}

export interface Figure {
  /** In words, such as "rows read". */
  readonly name: string;
  readonly value: number | string;
  readonly unit?: "bytes" | "ms" | "%";
}

export interface Statistics {
  readonly figures: readonly Figure[];
  /** The most expensive first. */
  readonly queries: readonly { readonly query: string; readonly figures: readonly Figure[] }[];
}

export interface Instance {
  readonly id: string;
  readonly name: string;
  /** Such as "primary". */
  readonly kind: string;
  readonly region: string;
  readonly hostname: string | undefined;
}
