import { type ScriptedReply, type ScriptedRequest, fakeJwt } from "./scripted-server";

/** A small Turso that remembers: the Platform API of one organization, and SQL on its databases as far as is asked here. */
export interface TursoModel {
  /** The true answer; what it changes is in `effects`. */
  answer(request: ScriptedRequest): ScriptedReply;
  /** Each effect in words, in order, e.g. "create database new". Reading has none. */
  readonly effects: readonly string[];
  /** Tokens that were given out: no error may show one. */
  readonly minted: readonly string[];
}

/** Databases "a" and "b" in group "eu" and the empty group "spare" exist. A page of databases holds one. */
export function tursoModel(): TursoModel {
  const groups = new Set(["eu", "spare"]);
  const databases = new Map([
    ["a", "eu"],
    ["b", "eu"],
  ]);
  const members = new Map([["ada", "member"]]);
  const invites = new Set(["grace@example.com"]);
  const apiTokens = new Map([["t-1", "one"]]);
  const effects: string[] = [];
  const minted: string[] = [];
  const database = (name: string) => ({ Name: name, DbId: `id-${name}`, Hostname: `${name}.invalid` });
  const member = (username: string) => ({ username, email: `${username}@example.com`, role: members.get(username) });
  const group = (name: string) => ({ name, uuid: `id-${name}`, primary: "aws-eu-west-1" });
  const absent = (what: string) => failure(404, `${what} not found`);

  const routes: [string, (parts: string[], request: ScriptedRequest) => ScriptedReply][] = [
    ["GET /v1/locations", () => ({ json: { locations: { "aws-eu-west-1": "Ireland" } } })],
    ["GET /v1/auth/validate", () => ({ json: { exp: -1 } })],
    ["GET /v1/auth/api-tokens", () => ({ json: { tokens: [] } })],
    [
      "GET /org/usage",
      () => {
        const each = [...databases.keys()].map((uuid) => ({ uuid, total: { rows_read: 1 } }));
        return { json: { organization: { usage: { databases: databases.size, groups: 2 }, databases: each } } };
      },
    ],
    ["GET /org/subscription", () => ({ json: { subscription: { plan: "scaler" } } })],
    ["GET /org/plans", () => ({ json: { plans: [{ name: "scaler", quotas: { databases: null, groups: 9 } }] } })],
    ["GET /org/groups", () => ({ json: { groups: [...groups].map(group) } })],
    ["GET /org/groups/*", ([name]) => (groups.has(name!) ? { json: { group: group(name!) } } : absent("group"))],
    [
      "POST /org/groups",
      (_, { body }) => {
        const { name } = body as { name: string };
        if (groups.has(name)) return failure(409, "group already exists");
        groups.add(name);
        effects.push(`create group ${name}`);
        return { json: { group: group(name) } };
      },
    ],
    [
      "DELETE /org/groups/*",
      ([name]) => {
        if (!groups.delete(name!)) return absent("group");
        effects.push(`delete group ${name}`);
        return { json: { group: group(name!) } };
      },
    ],
    ["PATCH /org/groups/*/configuration", ([name], { body }) => configure(`group ${name}`, body)],
    [
      "GET /org/databases",
      (_, { query }) => {
        const names = [...databases.keys()].filter(
          (name) => query.group === undefined || databases.get(name) === query.group,
        );
        const at = Number(query.cursor ?? 0);
        const next = at + 1 < names.length ? String(at + 1) : null;
        return { json: { databases: names.slice(at, at + 1).map(database), pagination: { next } } };
      },
    ],
    [
      "GET /org/databases/*",
      ([name]) => (databases.has(name!) ? { json: { database: database(name!) } } : absent("database")),
    ],
    [
      "POST /org/databases",
      (_, { body }) => {
        const { name, group } = body as { name: string; group: string };
        if (databases.has(name)) return failure(400, "database with same name already exists");
        databases.set(name, group);
        effects.push(`create database ${name}`);
        return { json: { database: database(name) } };
      },
    ],
    [
      "DELETE /org/databases/*",
      ([name]) => {
        if (!databases.delete(name!)) return absent("database");
        effects.push(`delete database ${name}`);
        return { json: { database: name } };
      },
    ],
    ["GET /org/databases/*/configuration", () => ({ json: { block_reads: false, size_limit: "0", allowed_ips: [] } })],
    [
      "GET /org/databases/*/usage",
      ([name]) => ({ json: { database: { uuid: `id-${name}`, total: { rows_read: 1 } } } }),
    ],
    ["GET /org/databases/*/stats", () => ({ json: { top_queries: null } })],
    [
      "GET /org/databases/*/instances",
      ([name]) => ({ json: { instances: [{ uuid: `id-${name}`, name: "a", type: "primary", region: "a" }] } }),
    ],
    ["GET /org/members", () => ({ json: { members: [...members.keys()].map(member) } })],
    ["GET /org/members/*", ([name]) => (members.has(name!) ? { json: { member: member(name!) } } : absent("user"))],
    [
      "POST /org/members",
      (_, { body }) => {
        const { username, role } = body as { username: string; role: string };
        if (members.has(username)) return failure(409, "already a member");
        members.set(username, role);
        effects.push(`add member ${username}`);
        return { json: { member: username, role } };
      },
    ],
    [
      "PATCH /org/members/*",
      ([name]) => {
        effects.push(`set role of ${name}`);
        return { json: { member: member(name!) } };
      },
    ],
    [
      "DELETE /org/members/*",
      ([name]) => {
        if (!members.delete(name!)) return absent("user");
        effects.push(`remove member ${name}`);
        return { json: { member: name } };
      },
    ],
    ["GET /v2/org/invites", () => ({ json: { invites: [...invites].map((email) => ({ email, role: "member" })) } })],
    [
      "POST /v2/org/invites",
      (_, { body }) => {
        const { email, username, role } = body as { email?: string; username?: string; role: string };
        invites.add(email ?? `${username}@example.com`);
        effects.push(`invite ${email ?? username}`);
        return { json: { invited: { email: email ?? `${username}@example.com`, role } } };
      },
    ],
    [
      "DELETE /v2/org/invites/*",
      ([email]) => {
        if (!invites.delete(decodeURIComponent(email!))) return absent("invite");
        effects.push(`revoke invite of ${decodeURIComponent(email!)}`);
        return { text: "" };
      },
    ],
    [
      "GET /org/api-tokens",
      () => ({ json: { tokens: [...apiTokens].map(([id, name]) => ({ id, name, owner: { username: "ada" } })) } }),
    ],
    [
      "POST /v1/auth/api-tokens/*",
      ([name]) => {
        if ([...apiTokens.values()].includes(name!)) return failure(409, "token already exists");
        apiTokens.set(`t-${name}`, name!);
        effects.push(`create API token ${name}`);
        const token = fakeJwt({ jti: `secret-${minted.length}` });
        minted.push(token);
        return { json: { name, id: `t-${name}`, token } };
      },
    ],
    [
      "DELETE /org/api-tokens/*",
      ([id]) => {
        if (!apiTokens.delete(id!)) return absent("token");
        effects.push(`revoke API token ${id}`);
        return { json: {} };
      },
    ],
    [
      "GET /org/audit-logs",
      (_, { query }) => {
        const entry = { code: "db-create", author: "ada", created_at: "2026-01-01T00:00:00Z", data: { name: "a" } };
        return { json: { audit_logs: [entry], pagination: { page: Number(query.page), total_pages: 2 } } };
      },
    ],
    ["PATCH /org/databases/*/configuration", ([name], { body }) => configure(`database ${name}`, body)],
    ["POST /org/databases/*/auth/tokens", ([name]) => mint(`database ${name}`)],
    ["POST /org/groups/*/auth/tokens", ([name]) => mint(`group ${name}`)],
    ["POST /org/databases/*/auth/rotate", ([name]) => rotate(`database ${name}`)],
    ["POST /org/groups/*/auth/rotate", ([name]) => rotate(`group ${name}`)],
    ["POST /db/*/v2/pipeline", ([name], { body }) => pipeline(name!, body as Pipeline)],
  ];

  const configure = (what: string, body: unknown): ScriptedReply => {
    effects.push(`configure ${what}`);
    return { json: body };
  };
  const mint = (what: string): ScriptedReply => {
    effects.push(`mint for ${what}`);
    const jwt = fakeJwt({ a: "ro", exp: 2_000_000_000, jti: `secret-${minted.length}` });
    minted.push(jwt);
    return { json: { jwt } };
  };
  const rotate = (what: string): ScriptedReply => {
    effects.push(`rotate ${what}`);
    return { text: "" };
  };
  const pipeline = (name: string, { requests }: Pipeline): ScriptedReply => {
    const run = (sql: string | undefined): typeof noRows => {
      if (/^insert/i.test(sql ?? "")) effects.push(`insert into ${name}`);
      return noRows;
    };
    const stored = new Map(requests.map(({ sql_id, sql }) => [sql_id, sql]));
    const results = requests.map(({ type, stmt, batch }) => {
      if (type === "execute") return ok({ type, result: run(stmt?.sql ?? stored.get(stmt?.sql_id)) });
      if (type !== "batch") return ok({ type });
      // The last step is ROLLBACK, on the condition that COMMIT failed: it is skipped.
      const steps = batch!.steps.slice(0, -1).map((step) => run(step.stmt.sql ?? stored.get(step.stmt.sql_id)));
      return ok({ type, result: { step_results: [...steps, null], step_errors: [...steps.map(() => null), null] } });
    });
    return { json: { baton: null, base_url: null, results } };
  };

  return {
    effects,
    minted,
    answer(request) {
      const path = request.path.replace("/v1/organizations/acme", "/org").replace("/organizations/acme", "/org");
      for (const [pattern, reply] of routes) {
        const [method, shape] = pattern.split(" ") as [string, string];
        const parts = new RegExp(`^${shape.replaceAll("*", "([^/]+)")}$`).exec(path);
        if (method === request.method && parts) return reply(parts.slice(1), request);
      }
      throw new Error(`The model has no ${request.method} ${request.path}.`);
    },
  };
}

interface Statement {
  readonly sql?: string;
  readonly sql_id?: number;
}

interface Pipeline {
  readonly requests: readonly (Statement & {
    readonly type: string;
    readonly stmt?: Statement;
    readonly batch?: { readonly steps: readonly { readonly stmt: Statement }[] };
  })[];
}

const noRows = { cols: [], rows: [], affected_row_count: 0, last_insert_rowid: null };

const ok = (response: unknown) => ({ type: "ok", response });

const failure = (status: number, error: string): ScriptedReply => ({ status, json: { error } });
