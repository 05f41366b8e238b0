import { after, before } from "mocha";
import { findPostgres } from "../../tools/postgres/find-postgres";
import { type PostgresServer, startPostgres } from "../../tools/postgres/server";
import { canHave } from "./can-have";

/** Says once what `title` goes without, or fails where CI is set. */
export const hasPostgres = (title: string): Promise<boolean> => canHave(title, findPostgres);

/** A real PostgreSQL for the tests of a `describe`, which are left out where none can be had. */
export function usePostgres(title: string): () => PostgresServer {
  let server: PostgresServer | undefined;
  before(async function () {
    this.timeout(60_000);
    if (!(await hasPostgres(title))) this.skip();
    server = await startPostgres();
  });
  after(() => server?.close());
  return () => server!;
}
