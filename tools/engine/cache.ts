import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { pipeline } from "node:stream/promises";
import { placeParts } from "./parts";
import { cacheFolder, ENGINE } from "./release";
import type { Found, Way } from "./way";

/** Lists each file's sha256 as it was when the folder was filled: `{ "pulumi": "<hex>" }`. */
const RECORD = "sha256.json";
/** Temporary folders of runs that were killed are removed once they are this old. */
const LEFTOVER_MS = 2 * 60 * 60_000;

export async function sha256(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/** The engine that an earlier run downloaded or built, if it is still byte for byte the same. */
export function engineInCache(folder = cacheFolder()): Way {
  return {
    name: "the cache",
    async find() {
      const recorded = await readRecord(folder);
      if (!recorded) return { why: `nothing in ${folder}` };
      for (const [name, digest] of Object.entries(recorded)) {
        const actual = await sha256(path.join(folder, name)).catch(() => "missing");
        // Not repaired here: the next way fills the folder anew.
        if (actual !== digest) return { why: `${path.join(folder, name)} is not what was put there (sha256 differs)` };
      }
      await placeParts(folder, Object.keys(recorded));
      return { folders: [folder] };
    },
  };
}

async function readRecord(folder: string): Promise<Record<string, string> | undefined> {
  try {
    const record = JSON.parse(await readFile(path.join(folder, RECORD), "utf8")) as Record<string, string>;
    return ENGINE in record ? record : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Lets `fill` put the engine's files into a temporary folder beside the cache, records their digests and renames it
 * into place: a kill leaves nothing half-done, and of two runs at once each leaves a whole one.
 * `fill` may return a reason instead; then nothing is kept.
 */
export async function fillCache(
  fill: (folder: string) => Promise<{ why: string } | undefined>,
  folder = cacheFolder(),
): Promise<Found> {
  const parent = path.dirname(folder);
  await mkdir(parent, { recursive: true });
  await removeLeftovers(parent);
  const fresh = await mkdtemp(path.join(parent, ".new-"));
  try {
    const failed = await fill(fresh);
    if (failed) return failed;
    const files = await readdir(fresh);
    const record: Record<string, string> = {};
    for (const name of files) record[name] = await sha256(path.join(fresh, name));
    await writeFile(path.join(fresh, RECORD), JSON.stringify(record));
    await placeParts(fresh, files);
    await replace(fresh, folder);
    return { folders: [folder] };
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}

/** A folder cannot be renamed over another one: the old one is moved aside first. */
async function replace(fresh: string, folder: string): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const old = `${fresh}-old`;
    const moved = await rename(folder, old).then(
      () => true,
      () => false,
    );
    try {
      await rename(fresh, folder);
      return;
    } catch (error) {
      // Another run put its folder there between the two lines.
      if (attempt === 5) throw error;
    } finally {
      if (moved) await rm(old, { recursive: true, force: true });
    }
  }
}

async function removeLeftovers(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (!name.startsWith(".new-")) continue;
    const folder = path.join(parent, name);
    const age = Date.now() - (await stat(folder).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age > LEFTOVER_MS) await rm(folder, { recursive: true, force: true });
  }
}
