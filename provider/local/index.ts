/**
 * `tenantry/local`: the embedded platform. It speaks the Turso Platform API and libSQL over HTTP on real libSQL files,
 * so that programs, tests and quickstarts run against the real protocols without an account or a network.
 */
import { randomInt } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createApp } from "./app";
import type { RequestEntry } from "./app";
import { removeEndpoint, writeEndpoint } from "./endpoint";
import { type Latency, requireFaults } from "./faults";
import { createFleet } from "./fleet";
import { inFolder, makeFolder } from "./folder";
import { createGate } from "./gate";
import { type PlanName, plans } from "./plan";
import { createSqlProcesses } from "./processes/sql-processes";
import { listen } from "./server";
import { sqlRoutes } from "./sql-routes";
import { openControl, requireSlugs } from "./store/control";
import { openDatabaseFiles } from "./store/database-files";
import { lockFolder } from "./store/lock";
import { createUsage } from "./store/usage";

export type { RequestEntry } from "./app";
export { readEndpoint } from "./endpoint";
export type { Endpoint } from "./endpoint";
export type { Latency } from "./faults";
export type { PlanName } from "./plan";

export interface LocalPlatformOptions {
  /**
   * Where everything is kept; made when missing, with a `.gitignore` that keeps it out of version control. Default: a
   * fresh temporary folder, removed on close.
   */
  readonly directory?: string;
  /** Default "127.0.0.1": only this machine can connect. */
  readonly host?: string;
  /** Default 0: any free port; see `url`. */
  readonly port?: number;
  /** Slugs of the organizations to serve, the first being the default one. Default: those of the last start, at first ["local"]. */
  readonly organizations?: readonly string[];
  /** Milliseconds added to every answer, or to those of the Platform API (control) and of SQL (data). Default 0. */
  readonly latency?: Latency;
  /** Platform API calls a second, above which the answer is 429 with Retry-After. Default: no limit. */
  readonly rate?: number;
  /**
   * Share of Platform API calls that fail, from 0 to 1: half of them before they take effect (500 or 503), half after it
   * (the connection is cut: the reply is lost). Default 0.
   */
  readonly fail?: number;
  /** Decides which calls `fail`: the same calls in the same order fail in the same way. Default: a random one. */
  readonly seed?: number;
  /** "free" has the limits of Turso's free plan, so that they can be met. Default "local": no limits. */
  readonly plan?: PlanName;
  /**
   * False lets in everybody who gives no token, as to everything; a token that is given is checked. Pages of the web are
   * refused, and so are names of this machine other than `host`, localhost and addresses in numbers. Default true.
   */
  readonly auth?: boolean;
  /** Called after each answer, for counting and for logs. */
  readonly onRequest?: (entry: RequestEntry) => void;
}

export interface LocalPlatform {
  /** Base URL of the Platform API, without a slash at its end. */
  readonly url: string;
  /** The Platform API token; the same at the next start on this folder. */
  readonly apiToken: string;
  /** The folder's identity, e.g. "local-3f9a51c07b2e"; the same at the next start on this folder. */
  readonly id: string;
  readonly directory: string;
  /** Slugs, the default organization first. */
  readonly organizations: readonly string[];
  /** The seed of `fail`. */
  readonly seed: number;
  /** What `@libsql/client` takes as `url` for a database, which need not exist yet. Default: the default organization. */
  databaseUrl(name: string, organization?: string): string;
  /** Lets requests under way finish, then closes every file. May be called again. */
  close(): Promise<void>;
}

/**
 * Starts an embedded platform in this process.
 *
 * Fails with TenantryError "invalid-input" when the folder is in use by another one (naming its process) or cannot be
 * used, or the port is taken, before anything is changed.
 *
 * @example
 * const platform = await startLocalPlatform();
 * const groups = await fetch(`${platform.url}/v1/organizations/local/groups`, {
 *   headers: { authorization: `Bearer ${platform.apiToken}` },
 * });
 * await platform.close();
 */
export async function startLocalPlatform(options: LocalPlatformOptions = {}): Promise<LocalPlatform> {
  const { host = "127.0.0.1", port = 0, organizations, onRequest, plan = "local", auth = true } = options;
  const { latency = 0, rate, fail = 0, seed = randomInt(2 ** 32) } = options;
  const faults = { latency, rate, fail, seed };
  requireFaults(faults);
  if (organizations) requireSlugs(organizations);
  const undo: (() => Promise<void> | void)[] = [];
  // One step that fails must not keep the next ones, the lock's release above all, from being taken.
  const close = async (): Promise<void> => {
    const step = undo.pop();
    if (!step) return;
    try {
      await step();
    } finally {
      await close();
    }
  };
  try {
    const directory =
      options.directory === undefined ? await mkdtemp(join(tmpdir(), "tenantry-local-")) : resolve(options.directory);
    if (options.directory === undefined) undo.push(() => rm(directory, { recursive: true, force: true }));
    await makeFolder(directory);
    const lock = inFolder(directory, () => lockFolder(directory));
    undo.push(() => lock.release());
    const control = inFolder(directory, () => openControl(directory, organizations));
    undo.push(() => control.close());
    const files = openDatabaseFiles(directory);
    files.sweep(control.databases.all());
    const usage = createUsage((id) => control.databases.has(id));
    const processes = createSqlProcesses({
      onUsage: (counted) => counted.forEach(({ databaseId, statements }) => usage.add(databaseId, statements)),
    });
    undo.push(() => processes.close());
    const defaultOrganization = control.organizations[0] ?? "";
    const fleet = createFleet(control, files, processes);
    const gate = createGate(control, { required: auth });
    const sql = sqlRoutes({ control, files, processes, gate, defaultOrganization });
    const app = createApp({ control, fleet, files, sql, usage, plan: plans[plan], faults, auth, host, onRequest });
    const server = await listen(app, host, port);
    undo.push(() => server.close(() => processes.close({ now: true })));
    writeEndpoint(directory, { url: server.url, apiToken: control.apiToken, id: control.id, pid: process.pid });
    undo.push(() => removeEndpoint(directory));
    let closing: Promise<void> | undefined;
    return {
      url: server.url,
      apiToken: control.apiToken,
      id: control.id,
      directory,
      organizations: control.organizations,
      seed,
      databaseUrl: (name, organization = defaultOrganization) =>
        `${server.url}${organization === defaultOrganization ? "" : `/org/${organization}`}/db/${name}/`,
      close: () => (closing ??= close()),
    };
  } catch (error) {
    await close();
    throw error;
  }
}
