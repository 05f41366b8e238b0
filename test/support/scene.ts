import assert from "node:assert/strict";
import { registryName } from "../../provider/registry/reserved-names";
import { type CountedPlatform, withCountedPlatform } from "./counted-platform";
import { type Project, type ProjectOptions, withProject } from "./engine";
import { type Fate, type FaultyLine, type LineCall, openFaultyLine } from "./faulty-line";

/** A stack, an embedded platform, and the line between them, on which a test can let calls fail. */
export interface Scene {
  readonly platform: CountedPlatform;
  readonly project: Project;
  readonly line: FaultyLine;
  /** What happens to each call of the stack from now on; without an argument: all pass. */
  fault(fate?: (call: LineCall) => Fate | Promise<Fate>): void;
  /** All databases of the organization by name, Tenantry's own included, with their ids. */
  databases(): Promise<Record<string, string>>;
  /** Names of all databases but Tenantry's own. */
  tenants(): Promise<string[]>;
  /** Creates a database past the stack. */
  make(name: string, group?: string): Promise<void>;
  /** SQL on a database of the group "eu", past the stack. */
  sql(database: string, statement: string): Promise<Record<string, unknown>[]>;
  /** The registry's claims: `kind name state address`, in order. */
  claims(): Promise<string[]>;
}

/** Where the SQL of a database is asked for, of any database without a name. */
export const isSqlOf = ({ path }: { path: string }, name?: string): boolean =>
  path.startsWith(name === undefined ? "/db/" : `/db/${name}/`);

export const isCreateOf = ({ method, path, body }: LineCall, name: string): boolean =>
  method === "POST" && path.endsWith("/databases") && (JSON.parse(body) as { name: string }).name === name;

/** The group "eu" exists from the beginning, and belongs to nobody. */
export async function withScene(options: ProjectOptions, use: (scene: Scene) => Promise<void>): Promise<void> {
  await withCountedPlatform({}, async (platform) => {
    await platform.api.ok("POST", "/groups", { name: "eu", location: "local" });
    let fate: (call: LineCall) => Fate | Promise<Fate> = () => "pass";
    const line = await openFaultyLine(platform.url, (call) => fate(call));
    const sql: Scene["sql"] = (database, statement) => platform.sql("eu", database, statement);
    const databases: Scene["databases"] = async () => {
      const listed = await platform.api.ok<{ databases: { Name: string; DbId: string }[] }>(
        "GET",
        "/databases?limit=1000",
      );
      return Object.fromEntries(listed.databases.map(({ Name, DbId }) => [Name, DbId]));
    };
    try {
      const env = { ...platform.env, TENANTRY_API_URL: line.url, ...options.env };
      await withProject({ ...options, env }, (project) =>
        use({
          platform,
          project,
          line,
          fault: (given = () => "pass") => void (fate = given),
          databases,
          tenants: async () =>
            Object.keys(await databases())
              .filter((name) => !name.startsWith("tenantry-"))
              .sort(),
          make: async (name, group = "eu") => void (await platform.api.ok("POST", "/databases", { name, group })),
          sql,
          async claims() {
            const rows = await sql(registryName("eu"), "SELECT * FROM claims ORDER BY kind, name");
            return rows.map(({ kind, name, state, address }) => `${kind} ${name} ${state} ${address}`);
          },
        }),
      );
    } finally {
      await line.close();
    }
  });
}

/** The URN of a tenant's database that has no parent. */
export const tenantUrn = (name: string, stack = "dev", project = "test-project"): string =>
  `urn:pulumi:${stack}::${project}::pulumi-nodejs:dynamic/tenantry:TenantDatabase::${name}`;

/** The errors that people read about resources, without the engine's closing words and without any stack trace. */
export function errorsOf(run: { diagnostics: { severity: string; message: string; urn: string }[]; output: string }) {
  assert.doesNotMatch(run.output, /^\s+at .+:\d+:\d+\)?$/m, "a stack trace");
  assert.doesNotMatch(run.output, /Internal error/);
  return run.diagnostics
    .filter(({ severity, message, urn }) => severity === "error" && urn !== "" && !/^\w+ failed\s*$/.test(message))
    .map(({ message }) => message.trim());
}
