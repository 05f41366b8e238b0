import type { ScriptedReply, ScriptedRequest } from "../scripted-server";
import { type Asked, type Role, SqlRefusal } from "./database";
import { type Database, Namespace, type Token, slugOf } from "./namespace";

/**
 * A stand-in for PerSQL's /v1: one namespace, as its docs describe it, on real SQLite. Each answer says after which page
 * of the docs it is made; what no page says, is refused or left out here.
 */
export interface PersqlModel {
  answer(request: ScriptedRequest): ScriptedReply;
  readonly namespace: Namespace;
  /** An admin token of the namespace, without a limit. */
  readonly adminToken: string;
  /** Each effect in words, in order. Reading has none. */
  readonly effects: readonly string[];
}

export interface PersqlModelOptions {
  readonly slug?: string;
  /** In ms. */
  readonly now?: () => number;
  /** Queries that a new database refuses before it is healthy. Default 0. */
  readonly provisioning?: number;
  /** Databases on one page at most. Default 1,000. */
  readonly largestPage?: number;
  /** Whether /v1/users tells the id of the database, which only its slug is documented of. Default true. */
  readonly tellsIds?: boolean;
}

interface Call {
  readonly request: ScriptedRequest;
  readonly token: Token;
  readonly parts: readonly string[];
  readonly body: Record<string, unknown>;
}

const ok = (data: unknown): ScriptedReply => ({ json: { success: true, data } });
/** PerSQL docs, envelope: a failure has a status of its own and one text. */
const failure = (status: number, error: string, headers?: Record<string, string>): ScriptedReply => ({
  status,
  headers,
  json: { success: false, error },
});

export function persqlModel(options: PersqlModelOptions = {}): PersqlModel {
  const { slug = "acme", now = Date.now, largestPage = 1_000, tellsIds = true } = options;
  const namespace = new Namespace(slug, { now, provisioning: options.provisioning });
  const adminToken = namespace.mint({ role: "admin" });
  const effects: string[] = [];
  /** PerSQL docs, Idempotency-Key: kept for a day, for query and batch only. */
  const replays = new Map<string, ScriptedReply>();

  const shown = (one: Database) => ({
    ...{ id: one.id, slug: one.slug, name: one.name, createdAt: one.createdAt },
    ...{ status: one.provisioning > 0 ? "provisioning" : "healthy", region: "auto" },
    ...(one.branchRef === undefined ? {} : { branchRef: one.branchRef, forkedFrom: one.forkedFrom }),
    ...(one.expiresAt === undefined ? {} : { expiresAt: new Date(one.expiresAt).toISOString() }),
  });
  /** PerSQL docs, per-user databases: only a token of the whole namespace, with the role admin, makes anything. */
  const mayMake = ({ role, database }: Token): boolean => role === "admin" && database === undefined;
  const notAllowed = failure(403, "an unscoped admin token is needed");

  const routes: [string, (call: Call) => ScriptedReply][] = [
    ["GET /v1/me", ({ token }) => ok({ namespaceSlug: slug, namespaceId: namespace.id, role: token.role })],
    [
      "GET /v1/databases",
      ({ request, token }) => {
        if (token.database !== undefined) return notAllowed;
        const size = Math.min(Number(request.query.pageSize ?? 50), largestPage);
        return ok([...namespace.databases.values()].slice(0, size).map(shown));
      },
    ],
    [
      "POST /v1/databases",
      ({ token, body }) => {
        if (!mayMake(token)) return notAllowed;
        const [name, wanted] = [String(body["name"]), String(body["slug"])];
        if (!/^[a-z0-9][a-z0-9-]*$/.test(wanted)) return failure(400, "invalid slug");
        if (namespace.databases.has(wanted)) return failure(409, "a database with this slug already exists");
        effects.push(`create database ${wanted}`);
        return ok(shown(namespace.create(wanted, name)));
      },
    ],
    ["POST /v1/users", (call) => provision(call)],
    ["POST /v1/db/*/*/query", (call) => keyed(call, (one) => query(one))],
    ["POST /v1/db/*/*/batch", (call) => keyed(call, (one) => batch(one))],
    ["GET /v1/db/*/*/tables", (call) => onDatabase(call, ({ sqlite }) => ok(sqlite.tables()))],
    ["POST /v1/db/*/*/claim_branch", (call) => onDatabase(call, (parent) => claimBranch(call, parent))],
    [
      "DELETE /v1/db/*/*/branches/*",
      (call) =>
        onDatabase(call, (parent) => {
          const branch = branchOf(parent, call.parts[2]!);
          if (!branch) return failure(404, "branch not found");
          namespace.deleteInConsole(branch.slug);
          effects.push(`delete branch ${branch.branchRef}`);
          return ok(null);
        }),
    ],
  ];

  /** PerSQL docs, users.provision: one database a subject, made where there is none; a fresh token with every call. */
  function provision({ token, body }: Call): ScriptedReply {
    if (!mayMake(token)) return notAllowed;
    const {
      subject,
      template,
      role = "write",
      expiresIn = 3_600,
    } = body as {
      readonly subject?: unknown;
      readonly template?: string;
      readonly role?: Role;
      readonly expiresIn?: unknown;
    };
    if (typeof subject !== "string" || subject === "" || subject.length > 256)
      return failure(400, "subject: 1 to 256 characters");
    if (role !== "read" && role !== "write") return failure(400, "role: read or write");
    if (typeof expiresIn !== "number" || expiresIn < 60 || expiresIn > 86_400)
      return failure(400, "expiresIn: 60 to 86400");
    const of = slugOf(subject);
    let database = namespace.databases.get(of);
    const created = database === undefined;
    if (!database) {
      const source = template === undefined ? undefined : namespace.databases.get(template);
      if (template !== undefined && !source) return failure(404, "template not found");
      database = namespace.create(of, of, {}, source?.sqlite.schema());
      namespace.subjects.set(subject, of);
      effects.push(`provision ${subject}`);
    }
    const expiresAt = now() + expiresIn * 1_000;
    const minted = namespace.mint({ role, database: of, expiresAt });
    effects.push(`mint for ${subject}`);
    const told = tellsIds ? shown(database) : { slug: of };
    return ok({
      token: minted,
      database: told,
      namespaceSlug: slug,
      created,
      expiresAt: new Date(expiresAt).toISOString(),
    });
  }

  /** The database that a path names, if the token opens it. */
  function onDatabase({ parts, token }: Call, use: (database: Database, role: Role) => ScriptedReply): ScriptedReply {
    const [of, name] = parts;
    // PerSQL docs, tokens: bound to a namespace.
    if (of !== slug) return failure(403, "Token namespace mismatch");
    if (token.database !== undefined && token.database !== name)
      return failure(403, "this token is for another database");
    const database = namespace.databases.get(name!);
    return database ? use(database, token.role) : failure(404, "database not found");
  }

  /** The answer of before to the same key: nothing is done twice. */
  function keyed(call: Call, use: (call: Call) => ScriptedReply): ScriptedReply {
    const key = call.request.headers["idempotency-key"];
    if (typeof key !== "string") return use(call);
    if (key.length > 200) return failure(400, "Idempotency-Key: 200 characters at most");
    const known = replays.get(`${call.request.path} ${key}`);
    if (known) return { ...known, headers: { "idempotency-replayed": "true" } };
    const reply = use(call);
    if ((reply.status ?? 200) < 300) replays.set(`${call.request.path} ${key}`, reply);
    return reply;
  }

  function run(
    call: Call,
    statements: readonly Asked[],
    work: (database: Database, role: Role) => unknown,
  ): ScriptedReply {
    return onDatabase(call, (database, role) => {
      if (database.provisioning > 0) {
        database.provisioning -= 1;
        return failure(503, "the database is being provisioned");
      }
      try {
        const data = work(database, role);
        if (statements.some(({ sql }) => !/^\s*(?:select|pragma|explain)\b/i.test(sql)))
          effects.push(`write to ${database.slug}`);
        return ok(data);
      } catch (error) {
        if (error instanceof SqlRefusal) return failure(error.status, error.message);
        throw error;
      }
    });
  }

  function query(call: Call): ScriptedReply {
    const asked = call.body as unknown as Asked;
    return run(call, [asked], ({ sqlite }, role) => sqlite.query(asked, role));
  }

  function batch(call: Call): ScriptedReply {
    const { statements, transaction = false } = call.body as { statements: Asked[]; transaction?: boolean };
    // PerSQL docs, batch.
    if (!Array.isArray(statements) || statements.length === 0 || statements.length > 100)
      return failure(400, "statements: 1 to 100");
    return run(call, statements, ({ sqlite }, role) => sqlite.batch(statements, role, transaction));
  }

  const branchOf = (parent: Database, ref: string): Database | undefined =>
    [...namespace.databases.values()].find((one) => one.forkedFrom === parent.id && one.branchRef === ref);

  /** PerSQL docs, branches: schema only; a second claim of one drops its rows and begins anew. */
  function claimBranch({ token, body }: Call, parent: Database): ScriptedReply {
    if (token.role !== "admin") return notAllowed;
    const { ref, ttlSec = 3_600, role = "write" } = body as { ref: string; ttlSec?: number; role?: Role };
    if (!/^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$/.test(ref)) return failure(400, "invalid ref");
    if (ttlSec !== 0 && (ttlSec < 60 || ttlSec > 30 * 86_400)) return failure(400, "ttlSec: 60 to 2592000, or 0");
    const old = branchOf(parent, ref);
    if (old) namespace.deleteInConsole(old.slug);
    const expiresAt = ttlSec === 0 ? undefined : now() + ttlSec * 1_000;
    const of = `${parent.slug}-${slugOf(ref)}`;
    namespace.create(
      of,
      `${parent.name} ${ref}`,
      { branchRef: ref, forkedFrom: parent.id, expiresAt },
      parent.sqlite.schema(),
    );
    effects.push(`${old ? "reset" : "create"} branch ${ref}`);
    const minted = namespace.mint({ role, database: of, expiresAt });
    return ok({
      ...{ branchRef: ref, token: minted, outcome: old ? "reset" : "created" },
      ...{
        expiresAt: expiresAt === undefined ? null : new Date(expiresAt).toISOString(),
        namespaceSlug: slug,
        databaseSlug: of,
      },
    });
  }

  return {
    ...{ namespace, adminToken, effects },
    answer(request) {
      // PerSQL docs, limits: a guard against floods before all else.
      if (namespace.flood.calls > 0) {
        namespace.flood.calls -= 1;
        return failure(429, "too many requests", { "retry-after": String(namespace.flood.retryAfter) });
      }
      const token = namespace.bearer(/^Bearer (.+)$/.exec(String(request.headers.authorization))?.[1] ?? "");
      if (!token) return failure(401, "Invalid token");
      // PerSQL docs, billing: prepaid, and the only limit there is.
      if (namespace.balance <= 0) return failure(402, "Insufficient balance");
      namespace.balance -= 1;
      for (const [pattern, reply] of routes) {
        const [method, shape] = pattern.split(" ") as [string, string];
        const parts = new RegExp(`^${shape.replaceAll("*", "([^/]+)")}$`).exec(request.path);
        if (method !== request.method || !parts) continue;
        const body = (request.body ?? {}) as Record<string, unknown>;
        return reply({ request, token, parts: parts.slice(1).map(decodeURIComponent), body });
      }
      return failure(404, "Not found");
    },
  };
}
