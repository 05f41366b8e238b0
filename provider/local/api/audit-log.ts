import type { Context, MiddlewareHandler } from "hono";
import { Hono } from "hono";
import { type Plan, requirePaid } from "../plan";
import { ApiProblem } from "../problem";
import type { AuditEntry } from "../store/audit-log";
import type { Control } from "../store/control";
import { servedRoute } from "./authorize";
import { owner } from "./members";
import { organizationOf } from "./organizations";

interface Told {
  readonly code: string;
  /** Of what, in the words of the log's `data`. */
  readonly data: Readonly<Record<string, unknown>>;
  /** Where the path does not name it. */
  readonly organization?: string;
}
type Tell = (c: Context, body: Readonly<Record<string, unknown>>) => Told | undefined;

const organization = "/v1/organizations/:organization";
const named =
  (code: string, parameter: string): Tell =>
  (c) => ({ code, data: { name: c.req.param(parameter) } });
const protection =
  (what: string, parameter: string): Tell =>
  (c, { delete_protection: on }) =>
    on === undefined
      ? undefined
      : { code: `${what}-${on ? "protect" : "unprotect"}`, data: { name: c.req.param(parameter) } };

/** What is told, with the codes that Turso documents ("List Audit Logs"); what has none there is not told. */
const telling: Readonly<Record<string, Tell>> = {
  [`PATCH ${organization}`]: (_, { overages }) =>
    overages === undefined ? undefined : { code: "org-set-overages", data: { overages } },
  [`POST ${organization}/databases`]: (_, { name, group }) => ({ code: "db-create", data: { name, group } }),
  [`DELETE ${organization}/databases/:database`]: named("db-delete", "database"),
  [`PATCH ${organization}/databases/:database/configuration`]: protection("db", "database"),
  [`POST ${organization}/databases/:database/auth/tokens`]: named("db-token-create", "database"),
  [`POST ${organization}/groups`]: (_, { name, location }) => ({ code: "group-create", data: { name, location } }),
  [`DELETE ${organization}/groups/:group`]: named("group-delete", "group"),
  [`PATCH ${organization}/groups/:group/configuration`]: protection("group", "group"),
  [`POST ${organization}/groups/:group/unarchive`]: named("group-unarchive", "group"),
  [`POST ${organization}/groups/:group/auth/tokens`]: named("group-token-create", "group"),
  [`POST ${organization}/members`]: (_, { username }) => ({ code: "org-member-add", data: { username } }),
  [`POST ${organization}/members/:username`]: (c) => ({
    code: "org-member-add",
    data: { username: c.req.param("username") },
  }),
  [`DELETE ${organization}/members/:username`]: (c) => ({
    code: "org-member-rm",
    data: { username: c.req.param("username") },
  }),
  ["POST /tenantry/organizations/:organization/invites/:email/accept"]: (c) => ({
    code: "org-member-add",
    data: { email: c.req.param("email") },
  }),
  ["POST /v1/auth/api-tokens/:name"]: (c, { organization: of, group, scopes }) =>
    typeof of === "string"
      ? { code: "user-token-create", data: { name: c.req.param("name"), group, scopes }, organization: of }
      : undefined,
};

/** Writes down what was done; what was refused was not. */
export function audited(control: Control): MiddlewareHandler {
  return async (c, next) => {
    await next();
    const served = c.res.status < 300 ? servedRoute(c) : undefined;
    const tell = served && telling[`${served.method} ${served.path}`];
    if (!tell) return;
    const told = tell(c, await bodyOf(c));
    const slug = told?.organization ?? c.req.param("organization");
    if (!told || slug === undefined) return;
    // Turso docs: by the User-Agent.
    const origin = /mozilla/i.test(c.req.header("user-agent") ?? "") ? "web" : "cli";
    control.audit.add(slug, { code: told.code, message: "", origin, author: owner.username, data: told.data });
  };
}

/** What has been done already was done whatever else the body is. */
async function bodyOf(c: Context): Promise<Readonly<Record<string, unknown>>> {
  try {
    const value: unknown = JSON.parse(await c.req.text());
    return typeof value === "object" && value !== null ? { ...value } : {};
  } catch {
    return {};
  }
}

// Turso docs: the default. Unverified: the most that a page can have.
const pageSize = 100;
const largestPage = 1000;

/** The organization's audit log, the newest first (Turso docs: Scaler plan and above). */
export function auditLogApi(control: Control, plan: Plan): Hono {
  return new Hono().get("/", (c) => {
    const slug = organizationOf(c, control);
    requirePaid(plan, "the audit log");
    const page = whole(c.req.query("page"), "page", 1);
    const size = Math.min(whole(c.req.query("page_size"), "page_size", pageSize), largestPage);
    const rows = control.audit.count(slug);
    return c.json({
      audit_logs: control.audit.page(slug, (page - 1) * size, size).map(entryBody),
      pagination: { page, page_size: size, total_pages: Math.ceil(rows / size), total_rows: rows },
    });
  });
}

const entryBody = ({ createdAt, ...rest }: AuditEntry): object => ({ ...rest, created_at: createdAt });

function whole(text: string | undefined, parameter: string, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new ApiProblem(400, `${parameter} must be a positive number`);
  return Number(text);
}
