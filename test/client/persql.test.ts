import assert from "node:assert/strict";
import { createTenantry } from "../../sdk/client";
import { createTenantry as createEdgeTenantry } from "../../sdk/client/edge";
import { subjectName } from "../../sdk/client/subject";
import { slugOf } from "../support/persql/namespace";
import { type Persql, withPersql } from "../support/persql/server";

const atPersql = ({ url: apiUrl, adminToken: token }: Persql) =>
  ({ platform: "persql", apiUrl, token, group: "acme" }) as const;

describe("tenantry/client on PerSQL", () => {
  it("provisions a subject once, whoever asks, and connects with a token for its rows", async () => {
    await withPersql(async (persql) => {
      const tenantry = createTenantry(atPersql(persql));
      const [first, second] = await Promise.all([
        tenantry.provision("user-1"),
        createTenantry(atPersql(persql)).provision("user-1"),
      ]);
      assert.deepEqual([first.created, second.created].sort(), [false, true]);
      assert.deepEqual(first.database, second.database);
      assert.equal(persql.namespace.subjects.size, 1);
      const { sqlite } = persql.namespace.databases.get(slugOf(await subjectName("user-1")))!;
      sqlite.query({ sql: "CREATE TABLE notes (text)" }, "admin");
      const db = await tenantry.connect({ subject: "user-1" });
      await db.batch([{ sql: "INSERT INTO notes VALUES (?)", args: ["a"] }], "write");
      assert.deepEqual((await db.execute("SELECT text FROM notes")).rows[0]!["text"], "a");
      await assert.rejects(db.execute("DROP TABLE notes"), { code: "forbidden" });
      const edge = await createEdgeTenantry(atPersql(persql)).connect({ subject: "user-1" });
      assert.equal((await edge.execute("SELECT count(*) AS n FROM notes")).rows[0]!["n"], 1);
    });
  });

  it("asks every tenant with a token that can only read", async () => {
    await withPersql(async (persql) => {
      const tenantry = createTenantry(atPersql(persql));
      for (const subject of ["a", "b"]) await tenantry.provision(subject);
      const answered: unknown[] = [];
      for await (const result of tenantry.forEachTenant(
        async (db) => (await db.execute("SELECT 7 AS x")).rows[0]!["x"],
      )) {
        answered.push(result.ok ? result.value : result.error);
      }
      assert.deepEqual(answered, [7, 7]);
      for await (const result of tenantry.forEachTenant((db) => db.execute("CREATE TABLE t (x)")))
        assert.ok(!result.ok);
    });
  });

  it("erases nothing, and says so before it has done anything", async () => {
    await withPersql(async (persql) => {
      const tenantry = createTenantry(atPersql(persql));
      await tenantry.provision("a");
      for (const erase of [true, false]) {
        await assert.rejects(tenantry.deprovision("a", { erase }), { code: "unsupported" });
      }
      assert.equal((await tenantry.provision("a")).created, false);
      await assert.rejects(tenantry.usage(), { code: "unsupported" });
    });
  });
});
