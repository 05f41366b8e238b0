import { Hono } from "hono";
import { ApiProblem } from "../problem";
import type { Control } from "../store/control";
import type { DatabaseFiles } from "../store/database-files";
import type { Usage } from "../store/usage";
import { databaseOf } from "./addressed";
import { hostname } from "./database-body";
import { parseInstant } from "./instant";
import { databaseUsageBody, instanceBody, measured } from "./usage-body";

export interface ActivityOptions {
  readonly control: Control;
  readonly files: DatabaseFiles;
  readonly usage: Usage;
}

/**
 * Instances, usage and statistics of a database. Rows are those returned and changed since the platform's start, rather
 * than rows scanned, of which hosted platforms speak.
 */
export function databaseActivityApi({ control, files, usage }: ActivityOptions): Hono {
  return new Hono()
    .get("/:database/instances", (c) => {
      const database = databaseOf(c, control);
      return c.json({ instances: [instanceBody(database, hostname(database))] });
    })
    .get("/:database/instances/:instance", (c) => {
      const database = databaseOf(c, control);
      const instance = instanceBody(database, hostname(database));
      // Unverified: Turso documents no answer to an unknown instance.
      if (instance.name !== c.req.param("instance")) throw new ApiProblem(404, "instance not found");
      return c.json({ instance });
    })
    .get("/:database/usage", (c) => {
      const database = databaseOf(c, control);
      const rows = countsIn(usage.since, c.req.query()) ? usage.of(database.id) : { rowsRead: 0, rowsWritten: 0 };
      return c.json({ database: databaseUsageBody(database, measured(rows, files.size(database))) });
    })
    .get("/:database/stats", (c) => {
      const { topQueries } = usage.of(databaseOf(c, control).id);
      const top = topQueries.map(({ sql, rowsRead, rowsWritten }) => ({
        query: sql,
        rows_read: rowsRead,
        rows_written: rowsWritten,
      }));
      // Turso docs: null where there is nothing to tell.
      return c.json({ top_queries: top.length > 0 ? top : null });
    });
}

/** One counter runs from `since` until now: a period gets all of it, or, when it lies wholly outside, nothing. */
function countsIn(since: Date, { from, to }: Record<string, string>): boolean {
  const begin = from === undefined ? undefined : parseInstant(from, "from");
  const end = to === undefined ? undefined : parseInstant(to, "to");
  if (begin && end && begin > end) throw new ApiProblem(400, "invalid from parameter: it is after to");
  return !(begin && begin.getTime() > Date.now()) && !(end && end < since);
}
