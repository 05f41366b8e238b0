import { Hono } from "hono";
import type { MiddlewareHandler } from "hono";
import { bodyLimit } from "hono/body-limit";
import { createHash, timingSafeEqual } from "node:crypto";
import { setTimeout as wait } from "node:timers/promises";
import { accountApi } from "./api/account";
import { apiTokensApi } from "./api/api-tokens";
import { databasesApi } from "./api/databases";
import { groupsApi } from "./api/groups";
import { locationsApi } from "./api/locations";
import { organizationsApi } from "./api/organizations";
import type { Fleet } from "./fleet";
import { answerProblem, ApiProblem } from "./problem";
import type { Control } from "./store/control";
import type { DatabaseFiles } from "./store/database-files";

/** One answered request. `path` is without the query. */
export interface RequestEntry {
  readonly method: string;
  readonly path: string;
  readonly status: number;
}

export interface AppOptions {
  readonly control: Control;
  readonly fleet: Fleet;
  readonly files: DatabaseFiles;
  readonly sql: Hono;
  /** Milliseconds added to every answer. */
  readonly latency: number;
  readonly onRequest: ((entry: RequestEntry) => void) | undefined;
}

// libsql-server bounds answers, not requests; a bound here keeps one client from filling this process's memory.
const largestBody = 64 * 1024 * 1024;

/** The platform's HTTP surface: the Platform API, libSQL over HTTP, and who it is. */
export function createApp({ control, fleet, files, sql, latency, onRequest }: AppOptions): Hono {
  const app = new Hono();
  app.onError(answerProblem);
  app.notFound((c) => c.json({ error: `no such call: ${c.req.method} ${c.req.path}` }, 404));
  app.use(async (c, next) => {
    if (latency > 0) await wait(latency);
    await next();
    onRequest?.({ method: c.req.method, path: c.req.path, status: c.res.status });
  });
  const bounded = bodyLimit({
    maxSize: largestBody,
    onError: (c) => c.json({ error: "the request body is too large" }, 413),
  });
  // An upload goes to the disk, not into memory.
  app.use((c, next) => (c.req.path.endsWith("/v1/upload") ? next() : bounded(c, next)));
  app.get("/tenantry/identity", (c) => c.json({ id: control.id }));
  app.route("/v1/locations", locationsApi());
  app.route("/", sql);
  app.use("/v1/*", requireToken(control.apiToken));
  app.route("/v1/auth", apiTokensApi(control));
  app.route("/v1/organizations", organizationsApi(control));
  app.route("/v1/organizations/:organization", accountApi(control, files));
  app.route("/v1/organizations/:organization/groups", groupsApi(control, fleet));
  app.route("/v1/organizations/:organization/databases", databasesApi(control, fleet));
  return app;
}

function requireToken(apiToken: string): MiddlewareHandler {
  // Digests have one length, so the comparison's time tells nothing about the token.
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const expected = digest(apiToken);
  return async (c, next) => {
    const given = /^Bearer +(\S+)$/i.exec(c.req.header("authorization") ?? "")?.[1];
    if (!given) throw new ApiProblem(401, "unauthorized: an API token is required");
    if (!timingSafeEqual(digest(given), expected)) throw new ApiProblem(401, "unauthorized: the API token is invalid");
    await next();
  };
}
