import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { findSqld } from "./find-sqld";

export interface Sqld {
  /** Of the SQL API, without a slash at its end. */
  readonly url: string;
  /** Of the admin API. */
  readonly adminUrl: string;
  readonly pid: number;
  close(): Promise<void>;
}

export interface SqldOptions {
  /** Where it keeps its files. */
  readonly directory: string;
  /** Several databases, told apart by the first label of the Host header. Default false: one database. */
  readonly namespaces?: boolean;
  /** How many of them are kept open. Default: the server's own, 100. */
  readonly activeNamespaces?: number;
  /** What the admin API asks for. Default: nothing. */
  readonly adminKey?: string;
  /** Further settings, by their variables. */
  readonly environment?: Readonly<Record<string, string>>;
}

const START_MS = 60_000;

/** Starts a libsql-server without authentication on free ports of this machine, and waits until it answers. */
export async function startSqld({
  directory,
  namespaces = false,
  activeNamespaces,
  adminKey,
  environment,
}: SqldOptions): Promise<Sqld> {
  const program = await findSqld();
  const [port, adminPort] = [await freePort(), await freePort()];
  const addresses = ["--http-listen-addr", `127.0.0.1:${port}`, "--admin-listen-addr", `127.0.0.1:${adminPort}`];
  const several = namespaces ? ["--enable-namespaces"] : [];
  if (activeNamespaces !== undefined) several.push("--max-active-namespaces", String(activeNamespaces));
  if (adminKey !== undefined) several.push("--admin-auth-key", adminKey);
  const args = ["--no-welcome", "--db-path", directory, ...addresses, ...several];
  // Its log is one line a request.
  const child = spawn(program, args, { stdio: "ignore", env: { ...process.env, RUST_LOG: "error", ...environment } });
  let ended: string | undefined;
  child.once("error", (error) => (ended = error.message));
  child.once("exit", (code, signal) => (ended ??= `exit code ${code ?? signal}`));
  const close = async () => {
    if (ended !== undefined) return;
    child.kill("SIGKILL");
    await once(child, "exit");
  };
  const url = `http://127.0.0.1:${port}`;
  for (const until = Date.now() + START_MS; ; await sleep(50)) {
    if (ended !== undefined) throw new Error(`${program} did not start: ${ended}`);
    if (
      await fetch(`${url}/health`).then(
        ({ ok }) => ok,
        () => false,
      )
    )
      break;
    if (Date.now() < until) continue;
    await close();
    throw new Error(`${program} did not answer within ${START_MS / 1_000} s`);
  }
  return { url, adminUrl: `http://127.0.0.1:${adminPort}`, pid: child.pid!, close };
}

/** It takes no port 0. Whoever else takes this one in the meantime makes its start fail. */
async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
