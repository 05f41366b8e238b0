import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { type Context, createContext } from "../../provider/context";
import { persqlPlatform } from "../../provider/drivers/persql";
import { readSettings } from "../../provider/platform/settings";
import { databaseToken } from "../../provider/resources/database-token";
import { group as groups } from "../../provider/resources/group";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { digestOf, readMigrations } from "../../provider/rollout/source";
import { formatTemplateRef } from "../../provider/rollout/template-ref";
import { catalogueName } from "../../provider/drivers/persql/catalogue";
import { addressOf, group, tenant } from "../support/bench";
import { type Persql, withPersql } from "../support/persql/server";
import { slugOf } from "../support/persql/namespace";

const contextOn = ({ url: apiUrl, adminToken: apiToken }: Persql): Context =>
  createContext(
    persqlPlatform({ apiUrl, apiToken, retry: { base: 1, longest: 4 } }),
    readSettings({ platform: "persql", apiUrl, apiToken }, {}),
  );

const inNamespace = { group: "acme" };

/** A folder of migrations, as the ref of their template. */
async function withTemplate(files: Record<string, string>, use: (ref: string) => Promise<void>): Promise<void> {
  const home = await mkdtemp(path.join(tmpdir(), "tenantry-persql-"));
  try {
    const folder = path.join(home, "migrations");
    await mkdir(folder);
    for (const [file, text] of Object.entries(files)) await writeFile(path.join(folder, file), text);
    const { migrations } = readMigrations(folder, "migrations");
    const version = migrations.at(-1)!.id;
    await use(formatTemplateRef({ name: "app", version, digest: digestOf(migrations), path: folder, start: "copy" }));
  } finally {
    await rm(home, { recursive: true, force: true });
  }
}

describe("resources on PerSQL", () => {
  it("make a tenant with its schema and a token, and leave its database where it is", async () => {
    const sql = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);\nINSERT INTO notes (text) VALUES ('hello');";
    await withTemplate({ "0001_init.sql": sql }, async (schema) => {
      await withPersql(async (persql) => {
        const context = contextOn(persql);
        const made = await groups.create({ inputs: group("acme", { location: "auto" }), context });
        const inputs = tenant("bolt", { ...inNamespace, schema });
        const { id, outputs } = await tenantDatabase.create({ inputs, context });
        assert.deepEqual([outputs.status, outputs.schemaVersion], ["ready", "0001_init"]);
        assert.equal(outputs.url, `${persql.url}/v1/db/acme/${slugOf("bolt")}`);
        const token = await databaseToken.create({
          inputs: { self: addressOf("bolt-app"), database: "bolt" },
          context,
        });
        assert.equal(token.outputs.databaseId, outputs.databaseId);
        const left = Date.parse(token.outputs.expiresAt!) - Date.now();
        assert.ok(left > 86_300_000 && left <= 86_400_000, `${left} ms`);
        const headers = { authorization: `Bearer ${token.outputs.token}`, "content-type": "application/json" };
        const body = JSON.stringify({ sql: "SELECT text FROM notes" });
        const reply = await fetch(`${outputs.url}/query`, { method: "POST", headers, body });
        assert.deepEqual(((await reply.json()) as { data: { rows: unknown } }).data.rows, [["hello"]]);

        const later = contextOn(persql);
        assert.equal((await tenantDatabase.diff({ id, olds: outputs, news: inputs, context: later })).changes, false);
        assert.deepEqual(await tenantDatabase.read({ id, outputs, context: later }), outputs);
        const note = await tenantDatabase.delete({ id, outputs, context: later });
        assert.match(String(note), /^bolt: the database and its rows are still on persql/);
        assert.ok(persql.namespace.databases.has(slugOf("bolt")));
        await groups.delete({ id: made.id, outputs: made.outputs, context: contextOn(persql) });

        // It is nobody's now: whoever wants it says so.
        await assert.rejects(tenantDatabase.create({ inputs, context: contextOn(persql) }), { code: "already-exists" });
        const again = await tenantDatabase.create({
          inputs: { ...inputs, adopt: "unowned" },
          context: contextOn(persql),
        });
        assert.equal(again.outputs.databaseId, outputs.databaseId);
        assert.deepEqual(
          [...persql.namespace.databases.keys()].sort(),
          [catalogueName, "tenantry-registry-acme", slugOf("bolt")].sort(),
        );
      });
    });
  });

  it("go on with a create that was killed once PerSQL had the database", async () => {
    let dies = true;
    await withPersql(
      async (persql) => {
        const inputs = tenant("bolt", inNamespace);
        await assert.rejects(tenantDatabase.create({ inputs, context: contextOn(persql) }));
        dies = false;
        const { outputs } = await tenantDatabase.create({ inputs, context: contextOn(persql) });
        assert.equal(outputs.adopted, undefined);
        assert.equal(persql.effects.filter((effect) => effect === "provision bolt").length, 1);
      },
      {
        meet({ path: at }, answer) {
          const reply = answer();
          return at === "/v1/users" && dies ? { fault: "drop" } : reply;
        },
      },
    );
  });

  it("refuse a migration that is more than one transaction can have, and leave the tenant as it was", async () => {
    const many = Array.from({ length: 120 }, (_, i) => `CREATE TABLE t${i} (x);`).join("\n");
    await withTemplate({ "0001_init.sql": many }, async (schema) => {
      await withPersql(async (persql) => {
        const context = contextOn(persql);
        const failed = tenantDatabase.create({ inputs: tenant("bolt", { ...inNamespace, schema }), context });
        await assert.rejects(failed, /at most 100 statements in one transaction.*Split the migration/);
        assert.deepEqual(persql.namespace.databases.get(slugOf("bolt"))!.sqlite.tables(), []);
      });
    });
  });

  it("make many tenants at once with few calls for the registry and the catalogue", async () => {
    await withPersql(async (persql) => {
      const context = contextOn(persql);
      const names = Array.from({ length: 60 }, (_, i) => `t${i}`);
      await Promise.all(names.map((name) => tenantDatabase.create({ inputs: tenant(name, inNamespace), context })));
      assert.equal(persql.namespace.subjects.size, 60);
      const ours = persql.requests.filter(({ path: at }) => /tenantry-/.test(at)).length;
      assert.ok(ours < 60, `${ours} requests`);
    });
  });
});
