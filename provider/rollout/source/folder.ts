import { existsSync, readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { invalid } from "./invalid";

/** A folder of migrations, listed once. */
export interface Folder {
  readonly path: string;
  /** As the user wrote it, for errors. */
  readonly shown: string;
  /** Names of the `.sql` files in it, sorted. */
  readonly files: readonly string[];
  /** Names of the folders in it, sorted. */
  readonly folders: readonly string[];
}

export interface SqlText {
  readonly bytes: Uint8Array;
  /** With LF line ends. */
  readonly text: string;
}

export function openFolder(path: string, shown: string): Folder {
  try {
    const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    return {
      path,
      shown,
      files: entries.filter((one) => one.name.endsWith(".sql") && !one.isDirectory()).map(({ name }) => name),
      folders: entries.filter((one) => one.isDirectory()).map(({ name }) => name),
    };
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === "ENOTDIR" ? "is not a folder" : "does not exist";
    throw invalid(`the folder "${shown}" ${why}.`, "It is looked up from the program's folder.");
  }
}

export const has = (folder: Folder, name: string): boolean => existsSync(join(folder.path, name));

/** Fails when it is not UTF-8. */
export function readSql(folder: Folder, name: string): SqlText {
  const bytes = readFileSync(join(folder.path, name));
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes).replace(/\r\n/g, "\n");
    return { bytes, text };
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw invalid(`"${folder.shown}/${name}" is not UTF-8 text.`, "Save it as UTF-8.");
  }
}
