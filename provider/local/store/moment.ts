import { statSync } from "node:fs";
import Database from "libsql";

/** Watches one database's file while it is copied as of a moment in the past. */
export interface Moment {
  /** When it was last written to, at most `clockTick` ms before the truth. */
  readonly lastWrite: Date;
  /** True when something has been written since the watch began. */
  changed(): boolean;
  close(): void;
}

/** Files' times are the kernel's clock at its last tick: at 100 ticks a second up to this many ms behind. */
export const clockTick = 10;

/**
 * This platform keeps no history, but a file that nothing has written to since a moment holds the content of that
 * moment. Merging a log counts as a write, so this errs to one side only.
 */
export function watchFile(file: string): Moment {
  // An open connection keeps the copy's own from merging the log as the last one out, which would look like a write.
  const open = new Database(file);
  open.exec("SELECT 1 FROM sqlite_schema");
  const begun = stamps(file);
  return {
    lastWrite: new Date(Math.max(...begun.map(({ mtimeMs }) => mtimeMs))),
    changed: () =>
      stamps(file).some(({ mtimeMs, size }, i) => mtimeMs !== begun[i]?.mtimeMs || size !== begun[i]?.size),
    close: () => void open.close(),
  };
}

/** A log of no bytes was made by a reader. */
function stamps(file: string): { readonly mtimeMs: number; readonly size: number }[] {
  return [file, `${file}-wal`].map((path) => {
    const found = statSync(path, { throwIfNoEntry: false });
    return found && found.size > 0 ? { mtimeMs: found.mtimeMs, size: found.size } : { mtimeMs: 0, size: 0 };
  });
}
