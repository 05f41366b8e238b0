import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "mocha";
import { persqlPlatform } from "../../provider/drivers/persql";
import type { Platform } from "../../provider/platform/platform";
import { type Sql, openSql } from "../../provider/platform/sql";
import { withCountedPlatform } from "../support/counted-platform";
import { type Project, type Run, withProject } from "../support/engine";
import { type Persql, withPersql } from "../support/persql/server";
import { hasPostgres } from "../support/postgres";
import { hasSqld, serveSqld } from "../support/sqld";
import { type Place as SearchedPlace, assertNowhere, filesUnder } from "../support/secret-search";
import { withStandIn } from "../support/tenantsdb/scene";
import type { StandIn } from "../support/tenantsdb/stand-in";
import { startPostgres } from "../../tools/postgres/server";

const folder = path.resolve(__dirname, "..", "..", "examples", "portable");

/** Where the example's stacks run: each has a file Pulumi.<stack>.yaml in it, and what is not in there in the environment. */
interface Place {
  readonly stack: string;
  with(project: Project, use: (env: Record<string, string>) => Promise<void>): Promise<void>;
  /** What the platform has given away beside what is in the environment; nothing of it may be seen anywhere. */
  secrets?(): Iterable<string>;
  /** SQL on a database with a token of its own, where it does not speak libSQL. */
  open?(url: string, token: string): Sql;
  /** Where there are no tokens: that the first tenant has the schema, and that its strings are the platform's own. */
  proves?(connectionStrings: Record<string, string>): Promise<void>;
  /** What the second deploy is to do beside, as the example's program, changed, says; and that it did. */
  readonly beside?: { declare(program: string): Promise<string>; proves(): Promise<void> };
}

const places: readonly Place[] = [
  {
    stack: "local",
    with: (project, use) =>
      withCountedPlatform({ directory: path.join(project.folder, ".tenantry", "local") }, () => use({})),
  },
  {
    stack: "libsql-server",
    async with(_, use) {
      const sqld = await serveSqld();
      try {
        await use({
          TENANTRY_API_URL: sqld.adminUrl,
          TENANTRY_API_TOKEN: sqld.adminKey,
          TENANTRY_DATABASE_URL: sqld.databaseUrl,
          TENANTRY_SIGNING_KEY: sqld.signingKey,
        });
      } finally {
        await sqld.close();
      }
    },
  },
  {
    stack: "persql",
    with: (_, use) =>
      withPersql(
        (started) => {
          persql = started;
          return use({ TENANTRY_API_URL: persql.url, TENANTRY_API_TOKEN: persql.adminToken });
        },
        { slug: "shop", provisioning: 1 },
      ),
    secrets: () => persql!.namespace.tokens.keys(),
    open(url, token) {
      const platform = persqlPlatform({ apiUrl: new URL(url).origin, apiToken: "none" });
      return platform.openSql!({ name: "acme", url }, { access: "read-only", token: async () => token });
    },
  },
  {
    stack: "tenantsdb",
    async with(_, use) {
      const postgres = await startPostgres();
      try {
        // The engine's programs and the provider ask from one address, as they would there.
        await withStandIn({ postgres, project: "tdb_2abf90d3" }, async (scene) => {
          ({ standIn, platform } = scene);
          const { apiKey } = standIn.project;
          await use({ TENANTRY_API_URL: standIn.url, TENANTRY_API_TOKEN: apiKey });
          assert.equal(standIn.limits.violations, 0);
          assert.deepEqual(
            [...standIn.project.tenants.values()].map(({ status }) => status),
            ["deleted", "deleted", "deleted"],
          );
        });
      } finally {
        await postgres.close();
      }
    },
    secrets: () => [standIn!.project.proxyPassword],
    async proves(strings) {
      const { proxyPassword: password } = standIn!.project;
      assert.deepEqual(strings, {
        app: `postgresql://tdb_2abf90d3:${password}@pg.tenantsdb.com:5432/app__acme?sslmode=require`,
      });
      assert.deepEqual(await standIn!.sql("app__acme", "SELECT count(*)::int AS n FROM notes"), [{ n: 0 }]);
    },
    beside: {
      async declare(program) {
        await standIn!.sql("app__acme", "INSERT INTO notes (id, text) VALUES (1, 'then')");
        const { id: backup } = (await platform!.takeBackup!("acme"))!;
        await standIn!.sql("app__acme", "UPDATE notes SET text = 'since'");
        const restoreFrom = `restoreFrom: name === "acme" ? { backup: "${backup}", key: "import" } : undefined`;
        const changed = program.replace("(name, { group, schema }", `(name, { group, schema, ${restoreFrom} }`);
        return `${changed}export const restored = tenants[0]?.restores.apply((all) => all?.map(({ key }) => key));\n`;
      },
      async proves() {
        const acme = await standIn!.sql(
          "app__acme",
          "SELECT text, (SELECT count(*)::int FROM tags) AS tags FROM notes",
        );
        assert.deepEqual(acme, [{ text: "then", tags: 0 }]);
        assert.equal(standIn!.requests.filter((one) => one.path.endsWith("/rollback")).length, 1);
      },
    },
  },
];

const wrongToken = "wrong_token_of_environment";

/** Of the run under way. */
let standIn: StandIn | undefined;
let platform: Platform | undefined;
let persql: Persql | undefined;

async function files(): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const found = entries.filter((entry) => entry.isFile() && !entry.parentPath.includes("node_modules"));
  return Object.fromEntries(
    await Promise.all(
      found.map(async ({ parentPath, name }) => {
        const file = path.join(parentPath, name);
        return [path.relative(folder, file), await readFile(file, "utf8")] as const;
      }),
    ),
  );
}

interface Outputs {
  readonly urls: string[];
  readonly token: string;
  readonly connectionStrings: Record<string, string>;
}

async function readsOnly(sql: Sql): Promise<void> {
  const notes = await sql.execute({ sql: "SELECT count(*) AS n FROM notes", args: [] });
  assert.deepEqual(notes.rows, [{ n: 0 }]);
  await assert.rejects(sql.execute({ sql: "INSERT INTO notes (text) VALUES ('a')", args: [] }));
  sql.close();
}

describe("examples/portable: one program, by its stack", () => {
  const openLibsql: Place["open"] = (url, token) => openSql({ url, token: async () => token });
  for (const { stack, with: on, open = openLibsql, proves, beside, secrets = () => [] } of places) {
    const tokens = proves ? 0 : 1;
    it(`on ${stack}`, async function () {
      this.timeout(200_000);
      if (stack === "libsql-server" && !(await hasSqld("examples/portable on libsql-server"))) this.skip();
      if (stack === "tenantsdb" && !(await hasPostgres("examples/portable on tenantsdb"))) this.skip();
      await withProject({ files: await files(), name: "tenantry-portable", stack }, (project) =>
        on(project, async (env) => {
          const said: SearchedPlace[] = [];
          const after = (what: string, run: Run): Run["counts"] => {
            said.push([what, run.output]);
            return run.counts;
          };
          const detailed = { env, args: ["--diff"] };
          assert.deepEqual(after("up", await project.up(detailed)), { create: 5 + tokens });
          const outputs = (await project.outputs({ showSecrets: true })) as unknown as Outputs;
          if (proves) await proves(outputs.connectionStrings);
          else await readsOnly(open(outputs.urls[0]!, outputs.token));

          await project.write({ "migrations/0002_tags.sql": "CREATE TABLE tags (tag TEXT PRIMARY KEY);\n" });
          if (beside) await project.write({ "index.ts": await beside.declare((await files())["index.ts"]!) });
          assert.deepEqual(after("second up", await project.up(detailed)), { update: 4, same: 1 + tokens });
          const { versions, restored } = (await project.outputs()) as { versions: string[]; restored?: string[] };
          assert.deepEqual(restored, beside && ["import"]);
          await beside?.proves();
          assert.deepEqual(versions, ["0002_tags", "0002_tags", "0002_tags"]);
          assert.deepEqual(after("refresh", await project.refresh(detailed)), { refresh: 5 + tokens });
          if (env["TENANTRY_API_TOKEN"]) {
            const wrong = { ...env, TENANTRY_API_TOKEN: wrongToken };
            const { output } = await project.refresh({ ...detailed, env: wrong, fails: true });
            assert.match(output, /rejected|credentials/i);
            said.push(["refresh with a wrong token", output]);
          }
          said.push(["stack export", (await project.pulumi(["stack", "export"], env)).stdout]);
          // State with its history and backups, config, and the engine's event logs.
          said.push(...(await filesUnder(path.dirname(project.folder))));
          for (const kind of ["history", ".bak", "events-1.json"])
            assert.ok(said.some(([where]) => where.includes(kind)));
          const hidden = [...secrets(), wrongToken, env["TENANTRY_SIGNING_KEY"], env["TENANTRY_API_TOKEN"]];
          const known = hidden.filter((secret) => secret !== undefined);
          assertNowhere(known, said);
          const gone = await project.destroy(detailed);
          assert.deepEqual(gone.counts, { delete: 5 + tokens });
          assertNowhere([...known, ...secrets()], [["destroy", gone.output]]);
        }),
      );
    });
  }

  it("has a test for each of its stacks", async () => {
    const stacks = Object.keys(await files()).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
    assert.deepEqual(places.map(({ stack }) => stack).sort(), stacks.sort());
  });
});
