import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";
import { TenantryError } from "../../platform/errors";

/** Held while a platform runs on a folder. */
export interface FolderLock {
  release(): void;
}

/**
 * Takes a folder for this process, or fails naming the process that has it. The lock is SQLite's own on a small file:
 * the operating system drops it when its holder dies, however it dies, and a reused process number cannot fake it.
 */
export function lockFolder(directory: string): FolderLock {
  const holder = join(directory, "lock.json");
  // Only `exec` is used here: a prepared statement would keep the file open after `close`, until it is collected.
  const database = new Database(join(directory, "lock.db"));
  try {
    database.exec("BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    if ((error as { code?: string }).code !== "SQLITE_BUSY") throw error;
    throw new TenantryError("invalid-input", `The folder ${directory} is in use by ${holderOf(holder)}.`, {
      fix: "Stop that one, or choose another folder.",
    });
  }
  writeFileSync(holder, `${JSON.stringify({ pid: process.pid })}\n`);
  return {
    release() {
      rmSync(holder, { force: true });
      database.exec("ROLLBACK");
      database.close();
    },
  };
}

function holderOf(file: string): string {
  try {
    const { pid } = JSON.parse(readFileSync(file, "utf8")) as { pid: unknown };
    return `process ${String(pid)}`;
  } catch {
    return "another process";
  }
}
