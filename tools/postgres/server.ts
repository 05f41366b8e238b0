import { execFile, execFileSync, spawn } from "node:child_process";
import { chownSync, mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { librariesOf } from "./debian";
import { findPostgres } from "./find-postgres";

const run = promisify(execFile);

/** A PostgreSQL of its own in a temporary folder, reachable by a socket in that folder alone. */
export interface PostgresServer {
  /** Runs SQL in a database; what is refused is pg's error. */
  query(database: string, sql: string): Promise<pg.QueryResult>;
  createDatabase(name: string): Promise<void>;
  dropDatabase(name: string): Promise<void>;
  close(): Promise<void>;
}

const user = "tenantry";

/** `bin`: the folder of its programs. Default: found. */
export async function startPostgres(bin?: string): Promise<PostgresServer> {
  bin ??= await findPostgres();
  const libraries = await librariesOf(bin);
  const env = libraries === undefined ? process.env : { ...process.env, LD_LIBRARY_PATH: libraries };
  const folder = mkdtempSync(path.join(os.tmpdir(), "tenantry-pg-"));
  const account = unprivileged();
  if (account) chownSync(folder, account.uid, account.gid);
  const data = path.join(folder, "data");
  await run(path.join(bin, "initdb"), ["-D", data, "-U", user, "-A", "trust", "-E", "UTF8", "--locale=C", "-N"], {
    cwd: folder,
    env,
    ...account,
  });
  const settings = {
    listen_addresses: "",
    unix_socket_directories: folder,
    // Nothing here outlives the tests.
    fsync: "off",
    synchronous_commit: "off",
    full_page_writes: "off",
    max_connections: "200",
    shared_buffers: "16MB",
    // Unpacked, it may lack the compiler.
    jit: "off",
  };
  const flags = Object.entries(settings).flatMap(([key, value]) => ["-c", `${key}=${value}`]);
  const server = spawn(path.join(bin, "postgres"), ["-D", data, ...flags], {
    cwd: folder,
    stdio: ["ignore", "ignore", "pipe"],
    env,
    ...account,
  });
  let said = "";
  server.stderr.on("data", (part: Buffer) => (said = (said + part.toString()).slice(-4_000)));
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  // A test that dies leaves no server behind.
  const kill = (): void => void server.kill("SIGQUIT");
  process.once("exit", kill);

  const pools = new Map<string, pg.Pool>();
  const poolOf = (database: string): pg.Pool => {
    const known = pools.get(database);
    if (known) return known;
    const pool = new pg.Pool({ host: folder, user, database, max: 4, idleTimeoutMillis: 1_000, allowExitOnIdle: true });
    pool.on("error", () => undefined);
    pools.set(database, pool);
    return pool;
  };

  const close = async (): Promise<void> => {
    await Promise.all([...pools.values()].map((pool) => pool.end()));
    server.kill("SIGINT");
    await ended;
    process.off("exit", kill);
    rmSync(folder, { recursive: true, force: true });
  };

  for (let attempt = 1; ; attempt++) {
    try {
      await poolOf("postgres").query("SELECT 1");
      break;
    } catch (error) {
      if (attempt < 200 && server.exitCode === null) {
        await sleep(25);
        continue;
      }
      await close();
      throw new Error(`PostgreSQL did not start: ${said}`, { cause: error });
    }
  }

  return {
    query: (database, sql) => poolOf(database).query(sql),
    createDatabase: async (name) =>
      void (await poolOf("postgres").query(`CREATE DATABASE ${pg.escapeIdentifier(name)}`)),
    async dropDatabase(name) {
      await pools.get(name)?.end();
      pools.delete(name);
      await poolOf("postgres").query(`DROP DATABASE IF EXISTS ${pg.escapeIdentifier(name)} WITH (FORCE)`);
    },
    close,
  };
}

/** PostgreSQL does not run as root: then as the user that its package made, or as nobody. */
function unprivileged(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  for (const name of ["postgres", "nobody"]) {
    try {
      const id = (flag: string): number => Number(execFileSync("id", [flag, name], { stdio: "pipe" }).toString());
      return { uid: id("-u"), gid: id("-g") };
    } catch {
      // The next one.
    }
  }
  throw new Error("PostgreSQL does not run as root, and there is neither a user postgres nor nobody.");
}
