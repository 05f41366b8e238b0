import { type Sql, openSql } from "../../provider/platform/sql";
import { mint } from "../local/api-caller";
import { type Bench, withBench } from "../support/bench";
import { type Fate, type LineCall, openFaultyLine } from "../support/faulty-line";

/** Two databases, and what a test does with them. */
export interface Pair {
  readonly bench: Bench;
  readonly source: Sql;
  readonly target: Sql;
  /** The same two on a line that loses some calls. */
  on(fate: (call: LineCall) => Fate | Promise<Fate>): Promise<{ source: Sql; target: Sql; writes(): number }>;
  /** New, empty databases in their place. */
  anew(): Promise<Pair>;
}

/** On one embedded platform; alive while `use` runs. */
export async function withPair(use: (pair: Pair) => Promise<void>): Promise<void> {
  const closing: (() => Promise<void> | void)[] = [];
  await withBench(async (bench) => {
    let made = 0;
    const open = async (name: string, base = bench.platform.url): Promise<Sql> => {
      const token = await mint(bench.api, `databases/${name}`);
      const url = bench.platform.databaseUrl(name).replace(/^\w+:\/\/[^/]+/, base);
      const sql = openSql({ url, token: async () => token });
      closing.push(() => sql.close());
      return sql;
    };
    const pair = async (): Promise<Pair> => {
      const names = [`source-${++made}`, `target-${made}`] as const;
      for (const name of names) await bench.api.ok("POST", "/databases", { name, group: "eu" });
      return {
        bench,
        source: await open(names[0]),
        target: await open(names[1]),
        async on(fate) {
          const line = await openFaultyLine(bench.platform.url, fate);
          closing.push(() => line.close());
          const writes = () => line.calls.filter(({ write }) => write !== undefined).length;
          return { source: await open(names[0], line.url), target: await open(names[1], line.url), writes };
        },
        anew: pair,
      };
    };
    try {
      await use(await pair());
    } finally {
      for (const close of closing) await close();
    }
  });
}

/** Statements one after the other. */
export async function run(sql: Sql, ...statements: string[]): Promise<void> {
  for (const statement of statements) await sql.batch([statement], "write");
}

export const rowsOf = async (sql: Sql, text: string): Promise<unknown[]> => [
  ...(await sql.execute({ sql: text, args: [] })).rows,
];
