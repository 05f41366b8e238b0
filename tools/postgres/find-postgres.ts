import { existsSync } from "node:fs";
import path from "node:path";
import { withProgress } from "../progress";
import { cachedPostgres, programsIn, unpackDebian } from "./debian";

export interface Surroundings {
  readonly env?: NodeJS.ProcessEnv;
  /** Where Debian's packages are installed. Default "/". */
  readonly installed?: string;
  /** Where they are unpacked to, where they are not. */
  readonly cached?: string;
  /** To apt-get, beside its own. */
  readonly options?: readonly string[];
}

/**
 * The folder of PostgreSQL's programs: PG_BIN, Debian's package, PATH, what an earlier run has unpacked, or on a machine with
 * apt-get Debian's packages, downloaded and unpacked into a cache; nothing is installed. Fails with what to do.
 */
export async function findPostgres({
  env = process.env,
  installed = "/",
  ...more
}: Surroundings = {}): Promise<string> {
  const { cached = cachedPostgres(env), options } = more;
  const given = env["PG_BIN"];
  if (given) {
    if (isWhole(given)) return given;
    throw new Error(`PG_BIN: ${given} has not both of initdb and postgres in it.`);
  }
  const found =
    (await programsIn(installed)) ??
    (env["PATH"] ?? "").split(path.delimiter).find((folder) => folder && isWhole(folder)) ??
    (await programsIn(cached));
  if (found) return found;
  try {
    await withProgress("getting PostgreSQL", () => unpackDebian(cached, options));
    return (await programsIn(cached))!;
  } catch (error) {
    const why = (error as Error).message;
    throw new Error(
      `No PostgreSQL: ${why}. Install it (Debian: apt-get install postgresql), or name the folder of its programs in PG_BIN.`,
      { cause: error },
    );
  }
}

const isWhole = (folder: string): boolean =>
  ["initdb", "postgres"].every((name) => existsSync(path.join(folder, name)));
