import type { Life } from "../../../provider/platform/life";
import type { Platform } from "../../../provider/platform/platform";
import type { Sql } from "../../../provider/platform/sql";

/** What a call may do, which decides how it is to end under a fault. */
export type Kind =
  "pure" | "account" | "read" | "set" | "create" | "delete" | "mint" | "rotate" | "sql-read" | "sql-write" | "ready";

export interface Driver {
  readonly platform: Platform;
  readonly sql: Sql;
}

export interface Call {
  readonly kind: Kind;
  readonly run: (driver: Driver) => unknown;
  /** Requests where nothing goes wrong. */
  readonly requests: number;
  /** Its one effect, in the model's words. */
  readonly effect?: string;
  /** What an error of it names, if not the host. */
  readonly subject?: string;
  /** What it does with `{}` for an answer. Default: "bad-answer", for what it needs is missing. */
  readonly takesEmpty?: boolean;
  /** It does not look at what a success says. */
  readonly takesAny?: boolean;
}

/** What only some platforms have is tried with their drivers. */
type MethodOf<Port> = {
  [Key in keyof Port]-?: Port[Key] extends (...values: never[]) => unknown ? Key : never;
}[keyof Port];

const reads = { kind: "read", requests: 1 } as const;
const takes = { takesEmpty: true, takesAny: true } as const;
const select = { sql: "SELECT 1", args: [] };
const insert = { sql: "INSERT INTO t VALUES (1)", args: [] };

/** Of what a platform need not have, Turso has these. */
type Has = MethodOf<Omit<Platform, keyof Life>> | "metrics" | "statistics" | "instances";

/** Every method of the port, with at least one call each. */
export const platformCalls: Record<Has, readonly Call[]> = {
  scope: [{ kind: "pure", requests: 0, run: ({ platform }) => platform.scope() }],
  knownScope: [{ kind: "pure", requests: 0, run: ({ platform }) => platform.knownScope() }],
  databaseUrl: [
    { kind: "pure", requests: 0, run: ({ platform }) => platform.databaseUrl({ name: "a", hostname: "a.invalid" }) },
  ],
  metrics: [{ ...reads, run: ({ platform }) => platform.metrics!("acme"), subject: 'database "acme"' }],
  statistics: [
    { ...reads, run: ({ platform }) => platform.statistics!("acme"), subject: 'database "acme"', takesEmpty: true },
  ],
  instances: [{ ...reads, run: ({ platform }) => platform.instances!("acme"), subject: 'database "acme"' }],
  usage: [{ ...reads, run: ({ platform }) => platform.usage(), subject: 'organization "acme"' }],
  account: [
    { kind: "account", requests: 5, run: ({ platform }) => platform.account(), ...takes, subject: "the API token" },
  ],
  listLocations: [{ ...reads, run: ({ platform }) => platform.listLocations(), subject: "list locations" }],
  listGroups: [{ ...reads, run: ({ platform }) => platform.listGroups(), subject: "list groups" }],
  getGroup: [{ ...reads, run: ({ platform }) => platform.getGroup("eu"), subject: 'group "eu"' }],
  createGroup: [
    {
      kind: "create",
      requests: 1,
      run: ({ platform }) => platform.createGroup({ name: "new", location: "aws-eu-west-1" }),
      effect: "create group new",
      subject: 'group "new"',
    },
  ],
  configureGroup: [
    {
      kind: "set",
      requests: 1,
      run: ({ platform }) => platform.configureGroup("eu", { deleteProtection: true }),
      effect: "configure group eu",
      subject: 'group "eu"',
      ...takes,
    },
  ],
  deleteGroup: [
    {
      kind: "delete",
      requests: 1,
      run: ({ platform }) => platform.deleteGroup("spare"),
      effect: "delete group spare",
      subject: 'group "spare"',
      ...takes,
    },
  ],
  listDatabases: [
    {
      ...reads,
      requests: 2,
      run: async ({ platform }) => {
        for await (const database of platform.listDatabases()) void database;
      },
      subject: "list databases",
    },
  ],
  getDatabase: [{ ...reads, run: ({ platform }) => platform.getDatabase("a"), subject: 'database "a"' }],
  createDatabase: [
    {
      kind: "create",
      requests: 1,
      run: ({ platform }) => platform.createDatabase({ name: "new", group: "eu" }),
      effect: "create database new",
      subject: 'database "new"',
    },
  ],
  getConfiguration: [
    { ...reads, run: ({ platform }) => platform.getConfiguration("a"), subject: 'database "a"', takesEmpty: true },
  ],
  configureDatabase: [
    {
      kind: "set",
      requests: 1,
      run: ({ platform }) => platform.configureDatabase("a", { blockReads: true }),
      effect: "configure database a",
      subject: 'database "a"',
      ...takes,
    },
  ],
  deleteDatabase: [
    {
      kind: "delete",
      requests: 1,
      run: ({ platform }) => platform.deleteDatabase("b"),
      effect: "delete database b",
      subject: 'database "b"',
      ...takes,
    },
  ],
  mintToken: (["database", "group"] as const).map((what) => ({
    kind: "mint",
    requests: 1,
    run: ({ platform }) =>
      platform.mintToken(what === "database" ? { database: "a" } : { group: "eu" }, {
        access: "read-only",
        lifetime: 60,
      }),
    effect: what === "database" ? "mint for database a" : "mint for group eu",
    subject: what === "database" ? 'database "a"' : 'group "eu"',
  })),
  rotateTokens: (["database", "group"] as const).map((what) => ({
    kind: "rotate",
    requests: 1,
    run: ({ platform }) => platform.rotateTokens(what === "database" ? { database: "a" } : { group: "eu" }),
    effect: what === "database" ? "rotate database a" : "rotate group eu",
    subject: what === "database" ? 'database "a"' : 'group "eu"',
    ...takes,
  })),
};

export const sqlCalls: Record<MethodOf<Sql>, readonly Call[]> = {
  execute: [
    { kind: "sql-read", requests: 1, run: ({ sql }) => sql.execute(select) },
    { kind: "sql-write", requests: 1, run: ({ sql }) => sql.execute(insert), effect: "insert into a" },
  ],
  batch: [
    { kind: "sql-read", requests: 1, run: ({ sql }) => sql.batch([select, select], "read") },
    { kind: "sql-write", requests: 1, run: ({ sql }) => sql.batch([insert], "write"), effect: "insert into a" },
  ],
  ready: [{ kind: "ready", requests: 1, run: ({ sql }) => sql.ready() }],
  expectReady: [
    {
      kind: "ready",
      requests: 2,
      async run({ sql }) {
        await sql.expectReady();
        await sql.execute(select);
      },
    },
  ],
  close: [{ kind: "pure", requests: 0, run: ({ sql }) => sql.close() }],
};
