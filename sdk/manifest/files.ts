import { readFileSync, readdirSync, statSync } from "node:fs";
import { TenantryError } from "../../provider/platform/errors";

/** Where a manifest's files come from: a disk, or a commit. Paths are as the user gave them. */
export interface ManifestFiles {
  /** Undefined: there is nothing. */
  kindOf(path: string): "file" | "folder" | undefined;
  /** Names in a folder. */
  namesIn(folder: string): readonly string[];
  read(file: string): Uint8Array;
}

/** Fails with "invalid-input" for what cannot be read. */
export const filesOnDisk: ManifestFiles = {
  kindOf: (path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    return found?.isDirectory() ? "folder" : found ? "file" : undefined;
  },
  namesIn: (folder) => attempt(folder, () => readdirSync(folder)),
  read: (file) => attempt(file, () => readFileSync(file)),
};

function attempt<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new TenantryError("invalid-input", `${path}: it cannot be read (${(error as NodeJS.ErrnoException).code}).`, {
      fix: "Look at its permissions.",
    });
  }
}
