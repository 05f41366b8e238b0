import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type Fate, type LineCall } from "../support/faulty-line";
import { errorsOf, isSqlOf, withScene } from "../support/scene";

const names = ["a", "b", "c", "d"];
const program = (settings = ""): string => `
import { DatabaseToken, SchemaTemplate, TenantDatabase } from "tenantry";
const schema = new SchemaTemplate("app", { migrations: "./migrations" });
// Whoever comes first is migrated first, and keeps the others when that fails: that is not to be b, at which it does.
let first: TenantDatabase[] = [];
for (const name of ${JSON.stringify(names)}) {
  const database = new TenantDatabase(name, { group: "eu", schema, ${settings} }, { dependsOn: first });
  if (first.length === 0) first = [database];
  if (name === "a") new DatabaseToken("a-app", { database });
}
`;
const files = { "index.ts": program(), "migrations/0001_init.sql": "CREATE TABLE notes (body TEXT);" };

describe("hands other than ours, and refreshes between", function () {
  this.timeout(290_000);

  it("finds between a failed run and the next what was done by hand, whether refreshed or not", async () => {
    await withScene({ files }, async (scene) => {
      const { project, platform, fault, sql, databases } = scene;
      await project.up();
      const first = await databases();
      for (const name of names) await sql(name, `INSERT INTO notes VALUES ('${name}')`);

      // A migration that fails at b, and after it changes by hand: c is gone, d is somebody else's now, a is opened.
      await project.write({
        "index.ts": program("blockWrites: true"),
        "migrations/0002_more.sql": "ALTER TABLE notes ADD COLUMN author TEXT;",
      });
      fault((call) => (isSqlOf(call, "b") ? { status: 403, text: '{"error":"address not allowed"}' } : "pass"));
      await project.up({ fails: true, args: ["--continue-on-error"] });
      fault();
      const { api } = platform;
      await api.ok("DELETE", "/databases/c");
      await api.ok("DELETE", "/databases/d");
      await scene.make("d");
      await sql("d", "CREATE TABLE strange (x)");
      await api.ok("PATCH", "/databases/a/configuration", { block_writes: false });

      // Without a refresh: the changed ones are not touched blindly.
      const blind = await project.up();
      assert.deepEqual(blind.counts, { update: 1, same: 5 });
      assert.deepEqual(await sql("d", "SELECT name FROM sqlite_schema"), [{ name: "strange" }]);

      const refreshed = await project.refresh();
      assert.match(refreshed.output, /- 2 deleted/);
      const after = await project.up({ fails: true, args: ["--continue-on-error"] });
      assert.match(errorsOf(after).join(), /a database "d" exists already and is not this stack's/);
      assert.deepEqual(await sql("d", "SELECT name FROM sqlite_schema"), [{ name: "strange" }]);
      await api.ok("DELETE", "/databases/d");
      assert.equal((await project.up()).counts["create"], 1);
      for (const name of ["a", "b"]) {
        assert.equal((await databases())[name], first[name]);
        assert.deepEqual(await sql(name, "SELECT * FROM notes"), [{ body: name, author: null }]);
      }
      for (const name of ["c", "d"]) assert.deepEqual(await sql(name, "SELECT author FROM notes"), []);
      for (const name of names) {
        await assert.rejects(sql(name, "INSERT INTO notes VALUES ('y', 'y')"), /BLOCKED|blocked/, name);
      }
      assert.deepEqual((await project.preview()).counts, { same: 6 });
      await project.destroy();
      assert.deepEqual(await scene.tenants(), []);
    });
  });

  it("a refresh believes no empty list, no stranger's token and no missing one: state stays as it is", async () => {
    await withScene({ files }, async (scene) => {
      const { project, fault, databases } = scene;
      await project.up();
      const resources = async () =>
        (await project.stackExport()).deployment.resources!.map(({ urn, id, outputs }) => {
          // A token is encrypted anew each time, and notes what it last saw of its database.
          const { token: _, presentId: __, ...kept } = outputs ?? {};
          return { urn, id, kept };
        });
      const [state, there] = [await resources(), await databases()];
      const isList = ({ method, path }: LineCall) => method === "GET" && /\/databases(\?|$)/.test(path);
      const isApi = ({ path }: LineCall) => path.startsWith("/v1/");
      const trouble = (fate: (call: LineCall) => Fate, pattern: RegExp, env = {}) => ({ fate, pattern, env });
      const said = (status: number, error: string) => ({ status, text: JSON.stringify({ error }) });
      const lists = (path: string) => (path.includes("groups") ? '{"groups":[]}' : '{"databases":[]}');
      const troubles = [
        trouble((call) => (isList(call) ? { status: 200, text: '{"databases":[]}' } : "pass"), /^$/),
        trouble(
          (call) => (isApi(call) ? said(404, "could not find organization with name local: record not found") : "pass"),
          /Check tenantry:organization/,
        ),
        trouble((call) => (isApi(call) ? said(403, "forbidden") : "pass"), /may do this in organization "local"/),
        // It lies everywhere: more than maxRemovals are gone at once.
        trouble(
          (call) =>
            !isApi(call)
              ? "pass"
              : isList(call) || call.path.endsWith("/groups")
                ? { status: 200, text: lists(call.path) }
                : said(404, "could not find it: record not found"),
          /databases of this stack \(more than 2\) are not on the platform.*right organization.*TENANTRY_MAX_REMOVALS/,
          { TENANTRY_MAX_REMOVALS: "2" },
        ),
        trouble(() => "pass", /No token is configured.*tenantry:apiToken/, { TENANTRY_API_TOKEN: "" }),
      ];
      for (const { fate, pattern, env } of troubles) {
        fault(fate);
        const fails = pattern.source !== "^$";
        const run = await project.refresh({ fails, env });
        if (fails) assert.match(errorsOf(run).join("\n"), pattern);
        assert.deepEqual(await resources(), state);
      }
      fault();
      assert.deepEqual(await databases(), there);
      await project.refresh();
      assert.deepEqual((await project.up()).counts, { same: 6 });
      // An empty list in the middle of an up, and of a destroy.
      fault((call) => (isList(call) ? { status: 200, text: '{"databases":[]}' } : "pass"));
      await project.write({ "index.ts": program("blockWrites: true") });
      assert.deepEqual((await project.up()).counts, { update: 4, same: 2 });
      assert.deepEqual(await databases(), there);
      await project.destroy();
      assert.deepEqual(await scene.tenants(), []);
    });
  });
});
