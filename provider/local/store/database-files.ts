import { randomBytes } from "node:crypto";
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import Database from "libsql";
import AsyncDatabase from "libsql/promise";

/** Whose file it is. */
export interface FileKey {
  readonly organization: string;
  readonly id: string;
}

/**
 * The libSQL files, `databases/<organization>/<id>.db`. A file is made before its row and unlinked after it, so that
 * whatever a killed process leaves behind is a file without a row: `sweep` removes those at the next start.
 */
export interface DatabaseFiles {
  path(database: FileKey): string;
  /** Bytes on disk, the log that is not merged yet included. */
  size(database: FileKey): number;
  exists(database: FileKey): boolean;
  create(database: FileKey): Promise<void>;
  /** A new file with the source's committed content as of some moment of the call. The source can be used meanwhile. */
  copy(source: FileKey, target: FileKey): Promise<void>;
  /** A name beside a database's file, for what is to take its place. Swept at the next start when it is left behind. */
  besides(database: FileKey): string;
  /** True while nothing was ever made in it. */
  isEmpty(database: FileKey): boolean;
  /** Puts a file in the place of an empty one. Its connections must be closed. */
  replace(database: FileKey, file: string): void;
  /** Removes a file that was to take the place of another. Absence is success. */
  discard(file: string): void;
  /** Absence is success. Its connections must be closed. */
  remove(database: FileKey): void;
  /** Removes every file that was made for a database which is not among those known. */
  sweep(known: readonly FileKey[]): void;
}

/** What this platform names files, and what is beside them; others it leaves alone. */
const own = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.db/;

const rootOf = (directory: string): string => join(directory, "databases");

/** True where a folder has files in the place of the databases, whoever made them. */
export function hasDatabaseFiles(directory: string): boolean {
  const root = rootOf(directory);
  return existsSync(root) && readdirSync(root, { recursive: true, withFileTypes: true }).some((each) => each.isFile());
}

export function openDatabaseFiles(directory: string): DatabaseFiles {
  const root = rootOf(directory);
  mkdirSync(root, { recursive: true });
  chmodSync(root, 0o700);
  const empty = emptyDatabase(root);
  const path = (database: FileKey): string => join(root, database.organization, `${database.id}.db`);
  const folders = new Set<string>();
  const makeFolder = async (organization: string): Promise<void> => {
    if (folders.has(organization)) return;
    await mkdir(join(root, organization), { recursive: true });
    folders.add(organization);
  };

  return {
    path,
    size: (database) => bytesOf(path(database)) + bytesOf(`${path(database)}-wal`),
    exists: (database) => existsSync(path(database)),
    async create(database) {
      await makeFolder(database.organization);
      await writeFile(path(database), empty, { flag: "wx", mode: 0o600 });
    },
    async copy(source, target) {
      await makeFolder(target.organization);
      const aside = `${path(target)}.copying`;
      removeWithLogs(aside);
      // VACUUM INTO reads one snapshot and blocks no writer; unlike a plain VACUUM it keeps every rowid, on which
      // full-text tables over ordinary ones depend. It runs in libSQL's own thread, so the other tenants are served.
      await execute(path(source), `PRAGMA busy_timeout = 5000; VACUUM INTO '${aside.replaceAll("'", "''")}'`);
      await rename(aside, path(target));
      removeWithLogs(aside);
    },
    besides: (database) => `${path(database)}.${randomBytes(6).toString("hex")}`,
    isEmpty(database) {
      const opened = new Database(path(database));
      try {
        const [count] = opened.prepare("SELECT count(*) FROM sqlite_schema").raw().get([]) as [number];
        return count === 0;
      } finally {
        opened.close();
      }
    },
    replace(database, file) {
      removeLogs(path(database));
      renameSync(file, path(database));
    },
    discard: removeWithLogs,
    remove: (database) => removeWithLogs(path(database)),
    sweep(known) {
      const keep = new Set(known.map(path));
      for (const folder of readdirSync(root, { withFileTypes: true })) {
        if (!folder.isDirectory()) continue;
        for (const name of readdirSync(join(root, folder.name))) {
          if (!own.test(name)) continue;
          const file = join(root, folder.name, name);
          if (!keep.has(file.replace(/-(?:wal|shm|journal)$/, ""))) rmSync(file, { force: true });
        }
      }
    },
  };
}

/** On a file that exists: one that is deleted meanwhile is not made anew, empty. */
async function execute(file: string, sql: string): Promise<void> {
  const database = new AsyncDatabase(`${pathToFileURL(file).href}?mode=rw`, {});
  try {
    await database.exec(sql);
  } finally {
    database.close();
  }
}

/** The bytes of an empty database in WAL mode: writing them is ten times quicker than asking SQLite for each file. */
function emptyDatabase(root: string): Buffer {
  const file = join(root, ".empty.db");
  removeWithLogs(file);
  const database = new Database(file);
  database.exec("PRAGMA journal_mode = WAL");
  database.close();
  const bytes = readFileSync(file);
  removeWithLogs(file);
  return bytes;
}

function bytesOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function removeWithLogs(file: string): void {
  rmSync(file, { force: true });
  removeLogs(file);
}

function removeLogs(file: string): void {
  for (const suffix of ["-wal", "-shm", "-journal"]) rmSync(`${file}${suffix}`, { force: true });
}
