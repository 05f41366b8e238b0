import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { accountApi } from "./api/account";
import { apiTokensApi, organizationTokensApi } from "./api/api-tokens";
import { audited, auditLogApi } from "./api/audit-log";
import { authorize } from "./api/authorize";
import { databaseActivityApi } from "./api/database-activity";
import { databasesApi } from "./api/databases";
import { groupsApi } from "./api/groups";
import { invitesApi } from "./api/invites";
import { locationsApi } from "./api/locations";
import { membersApi } from "./api/members";
import { organizationsApi } from "./api/organizations";
import { peopleApi } from "./api/people";
import { type FaultOptions, faults } from "./faults";
import type { Fleet } from "./fleet";
import { refuseForeignPages } from "./foreign-page";
import { requireOneHost } from "./one-host";
import type { Plan } from "./plan";
import { answerProblem } from "./problem";
import type { Control } from "./store/control";
import type { DatabaseFiles } from "./store/database-files";
import type { Usage } from "./store/usage";

/** One answered request. `path` is without the query; `status` is the one that was meant where the reply was lost. */
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
  readonly usage: Usage;
  readonly plan: Plan;
  readonly faults: FaultOptions;
  /** False: who gives no token may do everything. */
  readonly auth: boolean;
  /** What it listens on. */
  readonly host: string;
  readonly onRequest: ((entry: RequestEntry) => void) | undefined;
}

// libsql-server bounds answers, not requests; a bound here keeps one client from filling this process's memory.
const largestBody = 64 * 1024 * 1024;

/** The platform's HTTP surface: the Platform API, libSQL over HTTP, and who it is. */
export function createApp(options: AppOptions): Hono {
  const { control, plan, auth, host, onRequest } = options;
  const app = new Hono();
  app.onError(answerProblem);
  app.notFound((c) => c.json({ error: `no such call: ${c.req.method} ${c.req.path}` }, 404));
  app.use(async (c, next) => {
    await next();
    onRequest?.({ method: c.req.method, path: c.req.path, status: c.res.status });
  });
  app.use(requireOneHost());
  for (const fault of faults(options.faults)) app.use(fault);
  if (!auth) app.use(refuseForeignPages(host));
  const bounded = bodyLimit({
    maxSize: largestBody,
    onError: (c) => c.json({ error: "the request body is too large" }, 413),
  });
  // An upload goes to the disk, not into memory.
  app.use((c, next) => (c.req.path.endsWith("/v1/upload") ? next() : bounded(c, next)));
  app.get("/tenantry/identity", (c) => c.json({ id: control.id }));
  app.route("/v1/locations", locationsApi());
  // Not all of /v1 and /v2: libSQL has calls of its own there, which take a database's token.
  for (const part of [
    ...["/v1/auth/*", "/v1/organizations/*", "/v2/organizations/*"],
    ...["/tenantry/users/*", "/tenantry/organizations/*"],
  ])
    app.use(part, authorize({ control, required: auth }), audited(control));
  app.route("/tenantry", peopleApi(control));
  app.route("/v1/auth", apiTokensApi(control));
  app.route("/v1/organizations", organizationsApi(control, plan));
  app.route("/v1/organizations/:organization", accountApi(options));
  app.route("/v1/organizations/:organization/members", membersApi(control));
  app.route("/v2/organizations/:organization/invites", invitesApi(control, plan));
  app.route("/v1/organizations/:organization/audit-logs", auditLogApi(control, plan));
  app.route("/v1/organizations/:organization/api-tokens", organizationTokensApi(control));
  app.route("/v1/organizations/:organization/groups", groupsApi(options));
  app.route("/v1/organizations/:organization/databases", databasesApi(options));
  app.route("/v1/organizations/:organization/databases", databaseActivityApi(options));
  return app.route("/", options.sql);
}
