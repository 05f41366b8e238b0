import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Context, createContext } from "../../provider/context";
import { type LocalPlatform, type LocalPlatformOptions, startLocalPlatform } from "../../provider/local";
import { selectPlatform } from "../../provider/platform/select";
import { readSettings } from "../../provider/platform/settings";
import { openSql } from "../../provider/platform/sql";
import type { Claim } from "../../provider/registry/claim";
import { isReserved } from "../../provider/registry/reserved-names";
import type { GroupInputs } from "../../provider/resources/group";
import type { SchemaTemplateInputs } from "../../provider/resources/schema-template";
import type { TenantDatabaseInputs } from "../../provider/resources/tenant-database/inputs";
import { digestOf, readMigrations } from "../../provider/rollout/source";
import { formatTemplateRef } from "../../provider/rollout/template-ref";
import { type ApiCaller, apiCaller, mint } from "../local/api-caller";
import { type Fate, type FaultyLine, type LineCall, openFaultyLine } from "./faulty-line";

export const stack = "organization/shop/dev";
export const addressOf = (name: string, of = stack): string => `${of}/${name}`;

/** Handlers' surroundings without an engine: a platform, contexts that work on it, and a second look at its contents. */
export interface Bench {
  readonly platform: LocalPlatform;
  readonly api: ApiCaller;
  /** A provider process of its own, as far as handlers can tell. */
  context(options?: { url?: string; config?: Record<string, string>; organization?: string }): Context;
  /** A process whose calls go along a line that loses some. */
  contextOn(fate: (call: LineCall) => Fate | Promise<Fate>): Promise<{ context: Context; line: FaultyLine }>;
  /** Writes the files (or replaces the folder's) and answers the template they make. */
  template(files: Record<string, string>, options?: { name?: string; folder?: string }): Promise<SchemaTemplateInputs>;
  /** Rows of a statement, run as an application would. */
  sql(database: string, statement: string): Promise<Record<string, unknown>[]>;
  /** Names of the tenants' databases; `all` with Tenantry's own. */
  databases(all?: boolean): Promise<string[]>;
  databaseId(name: string): Promise<string>;
  claims(group?: string): Promise<Claim[]>;
}

export const group = (name = "eu", more: Partial<GroupInputs> = {}): GroupInputs => ({
  self: addressOf(name),
  name,
  location: "aws-eu-west-1",
  ...more,
});

export const tenant = (name: string, more: Partial<TenantDatabaseInputs> = {}): TenantDatabaseInputs => ({
  self: addressOf(name),
  name,
  group: "eu",
  ...more,
});

/** Alive while `use` runs. A group "eu" exists, without a registry. */
export async function withBench(
  use: (bench: Bench) => Promise<void>,
  options: LocalPlatformOptions = {},
): Promise<void> {
  const home = await mkdtemp(path.join(tmpdir(), "tenantry-bench-"));
  const platform = await startLocalPlatform({ ...options, directory: path.join(home, "local") });
  const lines: FaultyLine[] = [];
  try {
    const bench = makeBench(home, platform, lines);
    await bench.api.ok("POST", "/groups", { name: "eu", location: "aws-eu-west-1" });
    await use(bench);
  } finally {
    for (const line of lines) await line.close();
    await platform.close();
    await rm(home, { recursive: true, force: true });
  }
}

function makeBench(home: string, platform: LocalPlatform, lines: FaultyLine[]): Bench {
  const api = apiCaller(platform, "local");
  let folders = 0;
  const context: Bench["context"] = ({ url = platform.url, config = {}, organization = "local" } = {}) => {
    const given = { platform: "local", apiUrl: url, apiToken: platform.apiToken, organization, ...config };
    const settings = readSettings(given, {});
    return createContext(selectPlatform(settings), settings);
  };
  const databases = async (all = false): Promise<string[]> => {
    const listed = await api.ok<{ databases: { Name: string }[] }>("GET", "/databases");
    return listed.databases.map((database) => database.Name).filter((name) => all || !isReserved(name));
  };
  return {
    platform,
    api,
    context,
    databases,
    async contextOn(fate) {
      const line = await openFaultyLine(platform.url, fate);
      lines.push(line);
      return { context: context({ url: line.url }), line };
    },
    async template(files, { name = "app", folder = `migrations-${++folders}` } = {}) {
      const at = path.join(home, folder);
      await rm(at, { recursive: true, force: true });
      await mkdir(at);
      for (const [file, text] of Object.entries(files)) await writeFile(path.join(at, file), text);
      const { migrations } = readMigrations(at);
      const [version, digest] = [migrations.at(-1)!.id, digestOf(migrations)];
      return {
        self: addressOf(name),
        name,
        version,
        digest,
        migrations: migrations.map(({ id, hash }) => ({ id, hash })),
        path: at,
        ref: formatTemplateRef({ name, version, digest, path: at, start: "copy" }),
      };
    },
    async sql(database, statement) {
      const token = await mint(api, `databases/${database}`);
      const sql = openSql({ url: platform.databaseUrl(database), token: async () => token });
      try {
        return [...(await sql.execute({ sql: statement, args: [] })).rows];
      } finally {
        sql.close();
      }
    },
    async databaseId(name) {
      return (await api.ok<{ database: { DbId: string } }>("GET", `/databases/${name}`)).database.DbId;
    },
    async claims(of = "eu") {
      return (await (await context().existingRegistry(of, stack))?.all()) ?? [];
    },
  };
}
