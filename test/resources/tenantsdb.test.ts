import assert from "node:assert/strict";
import { inspectClaims } from "../../provider/registry/inspect";
import { endingsOf, reap } from "../../provider/registry/reap";
import { inspectTrash } from "../../provider/registry/trash";
import { registryName } from "../../provider/registry/reserved-names";
import { group } from "../../provider/resources/group";
import { Unfinished } from "../../provider/resources/handler";
import { schemaTemplate } from "../../provider/resources/schema-template";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { usePostgres } from "../support/postgres";
import { makeWorkspace } from "../support/tenantsdb/scene";
import { type Shop, withShop as shopOn } from "../support/tenantsdb/shop";
import type { StandInOptions } from "../support/tenantsdb/stand-in";

const self = (name: string): string => `organization/shop/dev/${name}`;
const init = "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL);\n";
const later = "-- one more\nALTER TABLE notes ADD COLUMN author TEXT;\nCREATE INDEX by_author ON notes (author);\n";

describe("resources on TenantsDB", function () {
  this.timeout(60_000);
  const postgres = usePostgres("resources on TenantsDB");

  const withShop = (options: StandInOptions, use: (shop: Shop) => Promise<void>): Promise<void> =>
    shopOn({ postgres: postgres(), ...options }, use);

  const columns = async ({ standIn }: Shop, database: string): Promise<unknown[]> => {
    const text = "SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'notes' ORDER BY 1";
    return (await standIn.sql(database, text)).map(({ name }) => name);
  };

  it("go from nothing through a change of the schema to nothing, and refresh finds what is there", () =>
    withShop({}, async (shop) => {
      const { context, standIn, project, template, tenant, write } = shop;
      const groupInputs = { self: self("eu"), name: project, location: "default" };
      const eu = await group.create({ inputs: groupInputs, context });
      assert.equal(eu.outputs.groupId, project);
      const app = await schemaTemplate.create({ inputs: template(), context });
      const acme = await tenantDatabase.create({ inputs: tenant("acme", { schema: template().ref }), context });
      const globex = await tenantDatabase.create({ inputs: tenant("globex", { schema: template().ref }), context });
      assert.deepEqual(await columns(shop, "app__acme"), ["body", "id"]);
      assert.equal(acme.outputs.schemaVersion, "0001_init");
      const { proxyPassword } = standIn.project;
      const string = `postgresql://${project}:${proxyPassword}@pg.tenantsdb.com:5432/app__acme?sslmode=require`;
      assert.deepEqual(acme.outputs.connectionStrings, { app: string });
      // The address and all else that is shown has no secret in it.
      const { connectionStrings: _, ...shown } = acme.outputs;
      assert.ok(!JSON.stringify(shown).includes(proxyPassword));
      await standIn.sql("app__acme", "INSERT INTO notes VALUES (1, 'kept')");

      // Another process, which has never seen the password: a masked string does not take its place.
      const read = await tenantDatabase.read({ id: acme.id, outputs: acme.outputs, context: shop.fresh() });
      assert.deepEqual(read, acme.outputs);

      write("0002_author.sql", later);
      const next = template();
      const diff = await schemaTemplate.diff({ id: app.id, olds: app.outputs, news: next, context });
      assert.ok(diff.changes);
      assert.match(diff.note!, /0001_init -> 0002_author, to all of its tenants at once, forward only: 0002_author/);
      const updated = await schemaTemplate.update({ id: app.id, olds: app.outputs, news: next, context });
      for (const name of ["acme", "globex"]) {
        assert.deepEqual(await columns(shop, `app__${name}`), ["author", "body", "id"]);
      }
      const news = tenant("acme", { schema: next.ref });
      assert.ok((await tenantDatabase.diff({ id: acme.id, olds: acme.outputs, news, context })).changes);
      const newer = await tenantDatabase.update({ id: acme.id, olds: acme.outputs, news, context });
      assert.equal(newer.schemaVersion, "0002_author");
      assert.equal((await tenantDatabase.diff({ id: acme.id, olds: newer, news, context })).changes, false);
      assert.deepEqual(await standIn.sql("app__acme", "SELECT body FROM notes"), [{ body: "kept" }]);

      await tenantDatabase.delete({ id: acme.id, outputs: { ...newer, deletionPolicy: "delete" }, context });
      await tenantDatabase.delete({ id: globex.id, outputs: { ...globex.outputs, deletionPolicy: "delete" }, context });
      assert.equal(standIn.project.tenants.size, 0);
      const kept = await schemaTemplate.delete({ id: app.id, outputs: updated, context });
      assert.match(kept as string, /its workspace and blueprint stay/);
      await group.delete({ id: eu.id, outputs: eu.outputs, context });
      // A project is adopted, and stays with what is in it.
      assert.ok(standIn.project.workspaces.has(registryName(project)));
      assert.equal(standIn.project.workspaces.get(registryName(project))?.mode, "control");
    }));

  it("have default names that the platform can have", () =>
    withShop({}, async ({ platform }) => {
      const surroundings = { olds: undefined, platform: "tenantsdb", capabilities: platform.capabilities };
      const news = {
        self: self("acme"),
        name: "acme-eu",
        nameIsDefault: true,
        group: "g",
        databases: [{ blueprint: "app" }],
      };
      const checked = tenantDatabase.check({ news, ...surroundings });
      assert.deepEqual([checked.inputs.name, checked.failures], ["acme_eu", []]);
      const given = tenantDatabase.check({ news: { ...news, nameIsDefault: undefined }, ...surroundings });
      assert.match(given.failures[0]!, /"acme-eu" is not a valid name: .*; "acme_eu" would be/);
    }));

  it("say at check what cannot be", () =>
    withShop({}, async ({ platform }) => {
      const failuresOf = (more: object): string =>
        tenantDatabase
          .check({
            ...{ olds: undefined, platform: "tenantsdb", capabilities: platform.capabilities },
            news: { self: self("acme"), name: "acme", group: "g", ...more },
          })
          .failures.join("\n");
      const app = { blueprint: "app" };
      assert.match(failuresOf({}), /^databases: a tenant of tenantsdb is made of blueprints/);
      assert.match(failuresOf({ databases: [app, app] }), /^databases\.1\.blueprint: "app" is given twice/);
      assert.match(failuresOf({ databases: [{ ...app, region: "eu" }] }), /^databases\.0\.region: .*"L2"/);
      assert.match(failuresOf({ databases: [app], isolation: "L3" }), /^isolation: must be "L1"/);
      assert.match(
        failuresOf({ databases: [{ ...app, isolaton: "L2" }] }),
        /^databases\.0\.isolaton: there is no such/,
      );
      assert.match(failuresOf({ databases: [app], onReplace: "copy" }), /^onReplace: tenantsdb copies no tenant/);
      assert.match(failuresOf({ databases: [app], blockReads: true }), /^blockReads: tenantsdb cannot do that/);
      const schema = "shop@0001 abc copy migrations";
      assert.match(failuresOf({ databases: [app], schema }), /^databases: the schema is of blueprint "shop"/);
      assert.equal(failuresOf({ databases: [{ ...app, isolation: "L2", region: "us-east" }], suspended: true }), "");
    }));

  it("keep a Redis string only where the program says so", () =>
    withShop({}, async ({ standIn, context, tenant }) => {
      await makeWorkspace(standIn, "cache", "Redis");
      const { apiKey } = standIn.project;
      const without = await tenantDatabase.create({
        inputs: tenant("a", { databases: [{ blueprint: "cache" }] }),
        context,
      });
      assert.deepEqual(without.outputs.connectionStrings, {});
      const databases = [{ blueprint: "cache", allowApiKey: true }];
      const allowed = await tenantDatabase.create({ inputs: tenant("b", { databases }), context });
      assert.deepEqual(allowed.outputs.connectionStrings, { cache: `rediss://b:${apiKey}@redis.tenantsdb.com:6379/0` });
    }));

  it("wait for a machine, move, are suspended and resumed; what somebody moved by hand shows", () =>
    withShop({}, async ({ standIn, context, tenant, fresh }) => {
      await makeWorkspace(standIn, "docs", "MongoDB");
      const databases = [{ blueprint: "docs", isolation: "L2", region: "eu-central" }];
      const inputs = tenant("acme", { databases });
      const { id, outputs } = await tenantDatabase.create({ inputs, context });
      assert.equal(standIn.project.tenants.get("acme")?.status, "ready");
      // On L2 only a look shows the string, masked; nobody has seen the password yet.
      assert.deepEqual(outputs.connectionStrings, {});
      const east = tenant("acme", { databases: [{ blueprint: "docs", isolation: "L1" }] });
      const diff = await tenantDatabase.diff({ id, olds: outputs, news: east, context });
      assert.match(diff.note!, /acme: to move docs to L1/);
      const moved = await tenantDatabase.update({ id, olds: outputs, news: east, context });
      assert.equal(standIn.project.tenants.get("acme")?.databases[0]?.level, 1);
      assert.equal((await tenantDatabase.diff({ id, olds: moved, news: east, context })).changes, false);

      const paused = { ...east, suspended: true };
      const still = await tenantDatabase.update({ id, olds: moved, news: paused, context });
      assert.equal(standIn.project.tenants.get("acme")?.status, "suspended");
      const back = await tenantDatabase.update({ id, olds: still, news: { ...east, suspended: false }, context });
      assert.equal(standIn.project.tenants.get("acme")?.status, "ready");

      standIn.project.tenants.get("acme")!.databases[0]!.level = 2;
      const seen = (await tenantDatabase.read({ id, outputs: back, context: fresh() }))!;
      const again = await tenantDatabase.diff({ id, olds: seen, news: { ...east, suspended: false }, context });
      assert.match(again.note!, /to move docs to L1/);

      const other = tenant("acme", { databases: [{ blueprint: "app" }] });
      assert.throws(
        () => tenantDatabase.diff({ id, olds: back, news: other, context }),
        /would replace the tenant and its data/,
      );
    }));

  it("go on from where a run broke off", () =>
    withShop({}, async ({ standIn, context, tenant, fresh }) => {
      await makeWorkspace(standIn, "docs", "MongoDB");
      const inputs = tenant("acme", {
        databases: [{ blueprint: "docs", isolation: "L2" }],
        timeouts: { create: "1s" },
      });
      standIn.operations.next("provision", "stuck");
      const failed = await tenantDatabase.create({ inputs, context }).catch((error: unknown) => error);
      assert.ok(failed instanceof Unfinished);
      assert.match(failed.message, /within 1 s: "acme" is still provisioning/);
      standIn.project.tenants.get("acme")!.status = "ready";
      const again = await tenantDatabase.create({ inputs, context: fresh() });
      assert.equal(again.id, failed.id);
      assert.equal(standIn.requests.filter(({ method, path: at }) => method === "POST" && at === "/tenants").length, 1);
    }));

  it("refuse a live tenant that is not theirs, and adopt it where that is said", () =>
    withShop({}, async ({ standIn, context, tenant, platform, project, fresh }) => {
      await makeWorkspace(standIn, "docs", "MongoDB");
      await platform.createDatabase({ name: "acme", group: project, parts: [{ blueprint: "docs" }] });
      const inputs = tenant("acme", { databases: [{ blueprint: "docs" }] });
      await assert.rejects(tenantDatabase.create({ inputs, context }), { code: "already-exists" });
      const next = fresh();
      const adopted = await tenantDatabase.create({ inputs: { ...inputs, adopt: "unowned" }, context: next });
      assert.equal(adopted.outputs.adopted, true);
      await tenantDatabase.delete({ id: adopted.id, outputs: adopted.outputs, context: next });
      assert.ok(standIn.project.tenants.has("acme"));
    }));

  it("are deleted softly, come back with their rows' backup, and end when their time is over", () =>
    withShop({}, async ({ standIn, context, tenant, platform, project }) => {
      await makeWorkspace(standIn, "docs", "MongoDB");
      const inputs = tenant("acme", { databases: [{ blueprint: "docs" }] });
      const first = await tenantDatabase.create({ inputs, context });
      const said = await tenantDatabase.delete({ id: first.id, outputs: first.outputs, context });
      assert.match(said as string, /acme: in the trash until/);
      assert.equal(standIn.project.tenants.get("acme")?.status, "deleted");
      assert.equal(standIn.project.tenants.get("acme")?.backups.length, 1);
      await assert.rejects(tenantDatabase.create({ inputs, context }), (error: Error) =>
        /adopt: "restore"/.test(error.message),
      );
      const back = await tenantDatabase.create({ inputs: { ...inputs, adopt: "restore" }, context });
      assert.equal(back.outputs.databaseId, first.outputs.databaseId);
      assert.equal(standIn.project.tenants.get("acme")?.status, "ready");

      await tenantDatabase.delete({ id: back.id, outputs: { ...back.outputs, gracePeriod: "1s" }, context });
      const name = registryName(project);
      const sql = platform.openSql!({ name, url: "" }, { access: "full-access" });
      const endings = endingsOf(await inspectClaims(sql), await inspectTrash(sql));
      assert.deepEqual(
        endings.map(({ claim }) => claim.name),
        ["acme"],
      );
      assert.equal((await reap(platform, sql, endings[0]!, project, "the test")).is, "reaped");
      assert.equal(standIn.project.tenants.size, 0);
      assert.deepEqual(await inspectClaims(sql), []);
    }));

  it("leave alone in the trash what somebody made anew under the name", () =>
    withShop({}, async ({ standIn, context, tenant, platform, project }) => {
      await makeWorkspace(standIn, "docs", "MongoDB");
      const inputs = tenant("acme", { databases: [{ blueprint: "docs" }] });
      const { id, outputs } = await tenantDatabase.create({ inputs, context });
      await tenantDatabase.delete({ id, outputs: { ...outputs, gracePeriod: "1s" }, context });
      // A tenant's id has the moment in which it was made.
      const { tenants } = standIn.project;
      tenants.set("acme", { ...tenants.get("acme")!, createdAt: "2020-01-01T00:00:00Z" });
      const sql = platform.openSql!({ name: registryName(project), url: "" }, { access: "full-access" });
      const [ending] = endingsOf(await inspectClaims(sql), await inspectTrash(sql));
      const kept = { is: "kept", why: "another database of its name is in the trash" };
      assert.deepEqual(await reap(platform, sql, ending!, project, "the test"), kept);
      assert.equal(tenants.get("acme")?.status, "deleted");
    }));

  it("go back to a backup where they are, once a key", () =>
    // Seen at work: a restore that is over before anybody looks is waited for, since it may not have begun.
    withShop({ step: "looks" }, async ({ standIn, context, tenant, platform }) => {
      await makeWorkspace(standIn, "docs", "MongoDB");
      const inputs = tenant("acme", { databases: [{ blueprint: "docs" }] });
      const { id, outputs } = await tenantDatabase.create({ inputs, context });
      const backup = await platform.takeBackup!("acme");
      const news = { ...inputs, restoreFrom: { backup: backup!.id, key: "oops" } };
      const restored = await tenantDatabase.update({ id, olds: outputs, news, context });
      assert.deepEqual(
        restored.restores?.map(({ key, to, database }) => [key, to, database]),
        [["oops", backup!.id, "acme"]],
      );
      assert.equal((await tenantDatabase.diff({ id, olds: restored, news, context })).changes, false);
      const read = await tenantDatabase.read({ id, outputs: restored, context });
      assert.deepEqual(read?.restores, restored.restores);
      // L1 cannot take it back.
      const undo = { ...inputs, restoreFrom: { undo: "oops" } };
      await assert.rejects(async () => tenantDatabase.diff({ id, olds: restored, news: undo, context }), {
        code: "expired",
        message: /cannot be undone/,
      });
    }));

  describe("schemas", () => {
    it("that fail in a workspace say where, and go on from there", () =>
      withShop({}, async (shop) => {
        const { context, template, write, standIn, fresh } = shop;
        write("0001_init.sql", `${init}CREATE TABLE nots (id nonsense);\n`);
        await assert.rejects(schemaTemplate.create({ inputs: template(), context }), {
          code: "migration-failed",
          message: /migrations\/0001_init\.sql:2|0001_init\.sql:2: type "nonsense" does not exist/,
        });
        write("0001_init.sql", `${init}CREATE TABLE others (id integer);\n`);
        await schemaTemplate.create({ inputs: template(), context: fresh() });
        assert.equal(standIn.project.workspaces.get("app")?.statements.length, 2);
      }));

    it("hold nothing but DDL, and say so before anything is run", () =>
      withShop({}, async ({ context, template, write, standIn }) => {
        write("0002_rows.sql", "INSERT INTO notes VALUES (1, 'x');\n");
        await assert.rejects(schemaTemplate.create({ inputs: template(), context }), {
          code: "migration-invalid",
          message: /0002_rows\.sql:1: INSERT is no change of a schema/,
        });
        assert.equal(standIn.project.workspaces.size, 0);
      }));

    it("that a tenant refuses are told with the tenant, and are deployed again to it", () =>
      withShop({}, async (shop) => {
        const { context, template, write, standIn, tenant, fresh } = shop;
        const app = await schemaTemplate.create({ inputs: template(), context });
        for (const name of ["acme", "globex"]) {
          await tenantDatabase.create({ inputs: tenant(name, { schema: template().ref }), context });
        }
        await standIn.sql("app__globex", "INSERT INTO notes VALUES (1, 'x'), (2, 'x')");
        write("0002_unique.sql", "ALTER TABLE notes ADD CONSTRAINT one UNIQUE (body);\n");
        const news = template();
        await assert.rejects(schemaTemplate.update({ id: app.id, olds: app.outputs, news, context }), {
          code: "migration-failed",
          message: /failed for 1 tenants: globex \(could not create unique index/,
        });
        await standIn.sql("app__globex", "DELETE FROM notes WHERE id = 2");
        await schemaTemplate.update({ id: app.id, olds: app.outputs, news, context: fresh() });
        await assert.rejects(standIn.sql("app__globex", "INSERT INTO notes VALUES (3, 'x')"));
      }));

    it("whose replies are lost are applied once", () => {
      let lose = /^POST \/workspaces\/app\/queries/;
      let lost = 0;
      const interfere = ({ method, path: at }: { method: string; path: string }) =>
        lost < 1 && lose.test(`${method} ${at}`) ? ((lost += 1), "lost" as const) : undefined;
      return withShop({ interfere }, async (shop) => {
        const { context, template, standIn } = shop;
        await assert.rejects(schemaTemplate.create({ inputs: template(), context }));
        assert.equal(lost, 1);
        // It is not known to be dead yet.
        await assert.rejects(schemaTemplate.create({ inputs: template(), context }), { code: "superseded" });
        await standIn.sql("tenantry-schemas_workspace", "UPDATE statements SET begun = begun - 1000");
        await schemaTemplate.create({ inputs: template(), context });
        assert.equal(standIn.project.workspaces.get("app")?.statements.length, 1);
        lose = /^POST \/deployments$/;
        lost = 0;
        shop.write("0002_author.sql", later);
        await schemaTemplate.create({ inputs: template(), context });
        assert.equal(lost, 1);
        assert.equal(standIn.project.deployments.size, 2);
      });
    });

    it("that say once more what an earlier one said are run again, also after a run that was killed", () => {
      let fate: "pass" | "drop" | "lost" = "pass";
      const interfere = ({ path: at, body }: { path: string; body: Record<string, unknown> }) =>
        fate !== "pass" && at === "/workspaces/app/queries" && /^CREATE INDEX/.test(String(body["query"]))
          ? fate
          : undefined;
      return withShop({ interfere }, async (shop) => {
        const { template, standIn, fresh } = shop;
        const bring = () => schemaTemplate.create({ inputs: template(), context: fresh() });
        const index = "CREATE INDEX by_body ON notes (body);\n";
        shop.write("0002_index.sql", index);
        shop.write("0003_without.sql", "DROP INDEX by_body;\n");
        await bring();
        shop.write("0004_index.sql", index);
        for (fate of ["drop", "lost"] as const) {
          await assert.rejects(bring());
          await standIn.sql("tenantry-schemas_workspace", "UPDATE statements SET begun = begun - 1000");
        }
        fate = "pass";
        await bring();
        assert.deepEqual(
          standIn.project.workspaces.get("app")?.statements.map((one) => one.slice(0, 12)),
          ["CREATE TABLE", "CREATE INDEX", "DROP INDEX b", "CREATE INDEX"],
        );
      });
    });

    it("do not take somebody else's workspace, and end with a word where a deployment does not", () =>
      withShop({}, async ({ context, template, standIn, fresh }) => {
        await makeWorkspace(standIn, "app", "PostgreSQL");
        await assert.rejects(schemaTemplate.create({ inputs: template(), context }), {
          code: "already-exists",
          message: /a workspace "app" exists already, and Tenantry did not make it/,
        });
        standIn.operations.next("deploy", { status: "exploded" });
        const mine = { ...template({ name: "mine" }), ref: template().ref.replace("app@", "mine@") };
        await assert.rejects(schemaTemplate.create({ inputs: mine, context: fresh() }), {
          code: "bad-answer",
          message: /ended as "exploded", which TenantsDB does not document/,
        });
      }));
  });
});
