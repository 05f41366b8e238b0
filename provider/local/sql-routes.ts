import { Hono } from "hono";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Gate } from "./gate";
import type { Pipelines } from "./hrana/pipeline";
import { ApiProblem } from "./problem";
import type { Control } from "./store/control";
import type { DatabaseFiles } from "./store/database-files";
import type { DatabaseRow } from "./store/databases";

/**
 * libSQL over HTTP. A database is addressed by path, `/db/<name>/` (the default organization) or
 * `/org/<organization>/db/<name>/`, or by the first label of the Host header, as libsql-server does.
 */
export function sqlRoutes(
  control: Control,
  files: DatabaseFiles,
  pipelines: Pipelines,
  gate: Gate,
  defaultOrganization: string,
): Hono {
  const serve = (find: (c: Context) => DatabaseRow | undefined) => async (c: Context) => {
    let body: unknown;
    try {
      body = await c.req.json();
    } catch {
      return plain(c, 400, "the request body is not JSON");
    }
    // From here to `handle` nothing waits, so a database cannot be deleted between the look and the leap.
    const database = find(c);
    if (!database) throw new ApiProblem(404, "Namespace doesn't exist");
    const access = gate(c.req.header("authorization"), database);
    const answer = await pipelines.handle(database.id, files.path(database), access, body);
    const { status, body: content, contentType = "application/json" } = answer;
    const text = typeof content === "string" ? content : JSON.stringify(content);
    // The type goes out exactly as it is: `@libsql/client` reads an error of "application/json" only, without a charset.
    return c.body(text, status as ContentfulStatusCode, { "content-type": contentType });
  };
  const byPath = serve((c) =>
    control.databases.get(c.req.param("organization") ?? defaultOrganization, c.req.param("name") ?? ""),
  );
  const byHost = serve((c) => control.databases.byLabel((c.req.header("host") ?? "").split(".")[0] ?? ""));
  // What clients make of a URL without its last slash.
  const noSlash = (c: Context): Response =>
    plain(c, 404, "the database's name is missing: its URL must end in a slash, as in /db/NAME/");
  const ok = (c: Context) => c.body(null, 200);

  const app = new Hono().get("/health", ok).get("/version", (c) => c.text("tenantry-local"));
  for (const version of ["v2", "v3"]) {
    app
      .post(`/db/:name/${version}/pipeline`, byPath)
      .post(`/org/:organization/db/:name/${version}/pipeline`, byPath)
      .post(`/db/${version}/pipeline`, noSlash)
      .post(`/org/:organization/db/${version}/pipeline`, noSlash)
      .post(`/${version}/pipeline`, byHost);
  }
  // libsql-server answers 200 where it speaks a version. Cursors are missing here, so /v3 is not announced.
  return app.get("/v2", ok).get("/db/:name/v2", ok).get("/org/:organization/db/:name/v2", ok);
}

// Clients show the text of an error only where its type is exactly this, without a charset.
function plain(c: Context, status: ContentfulStatusCode, text: string): Response {
  return c.body(text, status, { "content-type": "text/plain" });
}
