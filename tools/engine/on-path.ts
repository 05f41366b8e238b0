import { realpathSync } from "node:fs";
import path from "node:path";
import { atLeast, isExecutable, onPath, outputOf } from "./command";
import { cacheFolder, COMMANDS_FOLDER, ENGINE, LANGUAGE_HOST, PROVIDER_LAUNCHER, SDK_FOLDER, VERSION } from "./release";
import type { Way } from "./way";

/** A `pulumi` launcher may try to download something; this bounds it. */
const VERSION_MS = 10_000;

/** The user's own engine: new enough, with its language host on PATH or beside it. */
export function engineOnPath(whole = process.env["PATH"] ?? "", cache = cacheFolder()): Way {
  // Who put our cache on PATH still wants its parts kept up to date: that is the next way's work.
  const searchPath = whole
    .split(path.delimiter)
    .filter((folder) => path.resolve(folder) !== cache)
    .join(path.delimiter);
  return {
    name: "PATH",
    async find() {
      const engine = onPath(ENGINE, searchPath);
      if (!engine) return { why: "no pulumi on PATH" };
      let version;
      try {
        const env = { ...process.env, PATH: searchPath, PULUMI_SKIP_UPDATE_CHECK: "true" };
        version = await outputOf(engine, ["version"], { ms: VERSION_MS, env });
      } catch (error) {
        return { why: `${engine} version: ${(error as Error).message}` };
      }
      if (!atLeast(version, VERSION)) return { why: `${engine} is ${version}, older than v${VERSION}` };
      // A link such as /usr/local/bin/pulumi: the engine looks for its parts beside the real file too.
      const beside = path.dirname(realpathSync(engine));
      const has = (name: string) => Boolean(onPath(name, searchPath)) || isExecutable(path.join(beside, name));
      if (!has(LANGUAGE_HOST)) return { why: `${engine} has no ${LANGUAGE_HOST} on PATH or beside it` };
      // The engine's own folder is not repeated: one such as /usr/bin would hide the user's node. Nor is a second
      // launcher put before the engine's own: it warns about that in every run. An empty list would not do either:
      // in `PATH="$(npm run -s engine):$PATH"` it would mean the current folder.
      return { folders: [has(PROVIDER_LAUNCHER) ? COMMANDS_FOLDER : SDK_FOLDER] };
    },
  };
}
