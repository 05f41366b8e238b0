import type { Context } from "../../provider/context";
import type { LocalPlatformOptions } from "../../provider/local";
import type { PreviewOrder } from "../../provider/preview/order";
import { openSql } from "../../provider/platform/sql";
import { type Bench, withBench } from "../support/bench";
import type { Fate, LineCall } from "../support/faulty-line";

/** Tenants with rows in them, and what a pull request may order of them. */
export interface PreviewScene {
  readonly bench: Bench;
  order(more?: Partial<PreviewOrder>): PreviewOrder;
  /** A process of its own; `fate`: what happens to its calls. */
  process(fate?: (call: LineCall) => Fate | Promise<Fate>): Promise<Context>;
  /** Rows of a statement, run with a token that was handed out. */
  opened(url: string, token: string, statement: string): Promise<readonly Record<string, unknown>[]>;
  /** Every database whose name begins so, Tenantry's own among them. */
  named(beginning: string): Promise<string[]>;
}

/** Whose branches `order` is about. */
export const of = { repository: "shop/app", pullRequest: 42, group: "eu" };

export const schema = [
  "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, name TEXT, code TEXT NOT NULL DEFAULT '')",
  "CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id), body TEXT, words INTEGER)",
  "CREATE VIRTUAL TABLE note_search USING fts5(body, content='notes', content_rowid='id')",
  "CREATE TRIGGER note_added AFTER INSERT ON notes BEGIN INSERT INTO note_search (rowid, body) VALUES (new.id, new.body); END",
];

/** Two tenants, "acme" and "globex", in the databases "tenant-acme" and "tenant-globex" of the group "eu". */
export async function withPreviewScene(
  use: (scene: PreviewScene) => Promise<void>,
  { tenants = ["acme", "globex"], ...options }: LocalPlatformOptions & { readonly tenants?: readonly string[] } = {},
): Promise<void> {
  await withBench(async (bench) => {
    for (const tenant of tenants) {
      await bench.api.ok("POST", "/databases", { name: `tenant-${tenant}`, group: "eu" });
      for (const statement of schema) await bench.sql(`tenant-${tenant}`, statement);
      await bench.sql(
        `tenant-${tenant}`,
        `INSERT INTO users VALUES (1, 'ada@${tenant}.test', 'Ada', 'c1'), (2, 'bob@${tenant}.test', 'Bob', 'c2')`,
      );
      await bench.sql(
        `tenant-${tenant}`,
        `INSERT INTO notes VALUES (1, 1, 'secretword of ${tenant}', 3), (2, 2, NULL, 0), (3, 1, 'plain', 1)`,
      );
    }
    await use({
      bench,
      order: (more = {}) => ({
        ...of,
        tenants: tenants.map((tenant) => ({ tenant, source: `tenant-${tenant}` })),
        data: "copy",
        expiresAt: new Date(Date.now() + 86_400_000).toISOString(),
        fleetTenants: 200,
        ...more,
      }),
      process: async (fate) => (fate ? (await bench.contextOn(fate)).context : bench.context()),
      async opened(url, token, statement) {
        const sql = openSql({ url, token: async () => token });
        try {
          return (await sql.execute({ sql: statement, args: [] })).rows;
        } finally {
          sql.close();
        }
      },
      named: async (beginning) => (await bench.databases(true)).filter((name) => name.startsWith(beginning)).sort(),
    });
  }, options);
}
