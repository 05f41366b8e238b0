import { Hono } from "hono";
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Gate } from "./gate";
import type { Access } from "./hrana/access";
import { ApiProblem } from "./problem";
import type { SqlAnswer, SqlProcesses } from "./processes/sql-processes";
import type { Control } from "./store/control";
import type { DatabaseFiles } from "./store/database-files";
import type { DatabaseRow } from "./store/databases";
import { receiveUpload } from "./upload";

export interface SqlRoutesOptions {
  readonly control: Control;
  readonly files: DatabaseFiles;
  readonly processes: SqlProcesses;
  readonly gate: Gate;
  readonly defaultOrganization: string;
}

/**
 * libSQL over HTTP. A database is addressed by path, `/db/<name>/` (the default organization) or
 * `/org/<organization>/db/<name>/`, or by the first label of the Host header, as libsql-server does.
 */
export function sqlRoutes({ control, files, processes, gate, defaultOrganization }: SqlRoutesOptions): Hono {
  const byPath = (c: Context): DatabaseRow | undefined =>
    control.databases.get(c.req.param("organization") ?? defaultOrganization, c.req.param("name") ?? "");
  const byHost = (c: Context): DatabaseRow | undefined =>
    control.databases.byLabel((c.req.header("host") ?? "").split(".")[0] ?? "");
  const addresses = [
    { prefix: "", find: byHost },
    { prefix: "/db/:name", find: byPath },
    { prefix: "/org/:organization/db/:name", find: byPath },
  ];
  type Admit = () => { readonly database: DatabaseRow; readonly access: Access };
  /** A body takes its time: who is let in before it is asked again after it. */
  type Serve = (c: Context, admit: Admit) => Promise<Response>;
  const admitted = (find: (c: Context) => DatabaseRow | undefined, serve: Serve) => async (c: Context) =>
    serve(c, () => {
      const database = find(c);
      if (!database) throw new ApiProblem(404, "Namespace doesn't exist");
      return { database, access: gate(c.req.header("authorization"), database) };
    });
  const ask = (verb: "pipeline" | "cursor" | "dump"): Serve => {
    return async (c, admit) => {
      let { database, access } = admit();
      let body = "";
      if (verb !== "dump") {
        body = await c.req.text();
        ({ database, access } = admit());
      }
      return await respond(
        c,
        await processes.ask(verb, { databaseId: database.id, file: files.path(database), access, body }),
      );
    };
  };
  const upload: Serve = async (c, admit) => {
    await receiveUpload(c.req.raw, { admit, files, processes });
    return c.body(null, 200);
  };
  const ok = (c: Context) => c.body(null, 200);
  // What clients make of a URL without its last slash.
  const noSlash = (c: Context): Response =>
    plain(c, 404, "the database's name is missing: its URL must end in a slash, as in /db/NAME/");

  const app = new Hono().get("/health", ok).get("/version", (c) => c.text("tenantry-local"));
  for (const { prefix, find } of addresses) {
    app
      .post(`${prefix}/v2/pipeline`, admitted(find, ask("pipeline")))
      .post(`${prefix}/v3/pipeline`, admitted(find, ask("pipeline")))
      .post(`${prefix}/v3/cursor`, admitted(find, ask("cursor")))
      .get(`${prefix}/dump`, admitted(find, ask("dump")))
      .post(`${prefix}/v1/upload`, admitted(find, upload))
      // libsql-server answers 200 where it speaks a version of the protocol.
      .get(`${prefix}/v2`, ok)
      .get(`${prefix}/v3`, ok);
  }
  for (const path of ["v2/pipeline", "v3/pipeline", "v3/cursor"]) {
    app.post(`/db/${path}`, noSlash).post(`/org/:organization/db/${path}`, noSlash);
  }
  return app;
}

// The type goes out exactly as it is: `@libsql/client` reads an error of "application/json" only, without a charset.
async function respond(c: Context, { status, contentType, body }: SqlAnswer): Promise<Response> {
  const head = { "content-type": contentType };
  if (typeof body === "string") return c.body(body, status as ContentfulStatusCode, head);
  const encoder = new TextEncoder();
  const parts = body[Symbol.asyncIterator]();
  // Begun at once: what was never begun ends nothing when it is left.
  let first: IteratorResult<string> | undefined = await parts.next();
  if (c.req.method === "HEAD") {
    await parts.return?.();
    return c.body(null, status as ContentfulStatusCode, head);
  }
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const part = first ?? (await parts.next());
      first = undefined;
      if (part.done) controller.close();
      else controller.enqueue(encoder.encode(part.value));
    },
    async cancel() {
      await parts.return?.();
    },
  });
  return c.body(stream, status as ContentfulStatusCode, head);
}

// Clients show the text of an error only where its type is exactly this, without a charset.
function plain(c: Context, status: ContentfulStatusCode, text: string): Response {
  return c.body(text, status, { "content-type": "text/plain" });
}
