import assert from "node:assert/strict";
import { inspectClaims } from "../../provider/registry/inspect";
import { openMoves, writeMoves } from "../../provider/registry/move";
import { registryName } from "../../provider/registry/reserved-names";
import { inspectTrash } from "../../provider/registry/trash";
import { untrash } from "../../provider/registry/untrash";
import { Unfinished } from "../../provider/resources/handler";
import { schemaTemplate } from "../../provider/resources/schema-template";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseOutputs } from "../../provider/resources/tenant-database/outputs";
import { usePostgres } from "../support/postgres";
import { failure } from "../support/tenantsdb/replies";
import { makeWorkspace } from "../support/tenantsdb/scene";
import { type Shop, withShop as shopOn } from "../support/tenantsdb/shop";
import type { StandInOptions } from "../support/tenantsdb/stand-in";

const self = (name: string): string => `organization/shop/dev/${name}`;

describe("the life of a tenant on TenantsDB", function () {
  this.timeout(60_000);
  const postgres = usePostgres("the life of a tenant on TenantsDB");

  const withShop = (options: StandInOptions, use: (shop: Shop) => Promise<void>): Promise<void> =>
    shopOn({ postgres: postgres(), ...options }, use);

  const registryOf = ({ platform, project }: Shop) =>
    platform.openSql!({ name: registryName(project), url: "" }, { access: "full-access" });

  it("that come back without their rows are there, and the error says what is missing and where it is", () =>
    withShop({}, async (shop) => {
      const { standIn, context, template, tenant, fresh } = shop;
      await schemaTemplate.create({ inputs: template(), context });
      const inputs = tenant("acme", { schema: template().ref });
      const first = await tenantDatabase.create({ inputs, context });
      await standIn.sql("app__acme", "INSERT INTO notes VALUES (1, 'a'), (2, 'b')");
      await tenantDatabase.delete({ ...first, context });
      const again = tenantDatabase.create({ inputs: { ...inputs, adopt: "restore" }, context });
      const failed = await again.catch((error: unknown) => error);
      assert.ok(failed instanceof Unfinished);
      const backup = standIn.project.tenants.get("acme")!.backups[0]!.path;
      assert.match(failed.message, /app\.public\.notes has 0 rows and had 2; what it had is in the backup "s3:/);
      assert.ok(failed.message.includes(`npx tenantry restore acme --backup "${backup}"`), failed.message);
      // State has it from now on, with its strings, and a program puts it back.
      const olds = failed.outputs as typeof first.outputs;
      assert.deepEqual(olds.connectionStrings, first.outputs.connectionStrings);
      const news = { ...inputs, restoreFrom: { backup, key: "rows" } };
      await tenantDatabase.update({ id: failed.id, olds, news, context: fresh() });
      assert.equal((await standIn.sql("app__acme", "SELECT body FROM notes")).length, 2);
    }));

  it("whose rows cannot be counted are deleted and come back all the same, and the run says so", () => {
    const refused = failure(403, "an administrator's key is needed", "role_required");
    const interfere = ({ path: at }: { path: string }) => (at === "/admin/query" ? refused : undefined);
    return withShop({ interfere }, async ({ standIn, context, template, tenant, platform, project }) => {
      await schemaTemplate.create({ inputs: template(), context });
      const made = await tenantDatabase.create({ inputs: tenant("acme", { schema: template().ref }), context });
      await tenantDatabase.delete({ ...made, context });
      const sql = platform.openSql!({ name: registryName(project), url: "" }, { access: "full-access" });
      const [claim] = (await inspectClaims(sql)).filter(({ name }) => name === "acme");
      const { missing } = await untrash(platform, sql, claim!, (await inspectTrash(sql)).get("acme")!);
      assert.match(
        missing as string,
        /^acme: its rows were not counted \(.*administrator's key.*\); what it had is in the b/,
      );
      assert.equal(standIn.project.tenants.get("acme")?.status, "ready");
    });
  });

  it("goes back to a backup with the rows of then, once a key, and has its schema brought up again", () => {
    let refuses = false;
    const interfere = ({ method, path }: { method: string; path: string }) =>
      refuses && method === "POST" && path === "/deployments" ? failure(403, "this key may only read") : undefined;
    return withShop({ interfere }, async (shop) => {
      const { standIn, context, template, tenant, fresh, write, platform } = shop;
      const names = ["acme", "globex"];
      const app = await schemaTemplate.create({ inputs: template(), context });
      const made = new Map<string, Awaited<ReturnType<typeof tenantDatabase.create>>>();
      const backups = new Map<string, string>();
      for (const name of names) {
        made.set(name, await tenantDatabase.create({ inputs: tenant(name, { schema: template().ref }), context }));
        await standIn.sql(`app__${name}`, "INSERT INTO notes VALUES (1, 'then')");
        backups.set(name, (await platform.takeBackup!(name))!.id);
      }
      write("0002_author.sql", "ALTER TABLE notes ADD COLUMN author text;\n");
      await schemaTemplate.update({ id: app.id, olds: app.outputs, news: template(), context });
      const inputs = (name: string, restoreFrom?: object) => ({
        ...tenant(name, { schema: template().ref }),
        restoreFrom,
      });
      const update = async (name: string, restoreFrom: object | undefined, of = fresh()) => {
        const { id, outputs } = made.get(name)!;
        return {
          id,
          outputs: await tenantDatabase.update({ id, olds: outputs, news: inputs(name, restoreFrom), context: of }),
        };
      };
      for (const name of names) {
        made.set(name, await update(name, undefined));
        await standIn.sql(`app__${name}`, "INSERT INTO notes VALUES (2, 'later', 'me')");
      }
      const rollbacks = () => standIn.requests.filter(({ path }) => path.endsWith("/rollback")).length;

      // What is refused has used up no key.
      const unknown = update("acme", { backup: "s3://nothing", key: "import" });
      await assert.rejects(unknown, /roll tenant "acme" back to "s3:\/\/nothing": backup not found \(404\)/);
      assert.equal(rollbacks(), 1);

      const run = fresh();
      const before = new Map(made);
      for (const name of names) {
        made.set(name, await update(name, { backup: backups.get(name)!, key: "import" }, run));
        const rows = await standIn.sql(`app__${name}`, "SELECT id, body, author FROM notes");
        assert.deepEqual(rows, [{ id: 1, body: "then", author: null }]);
        const { schemaVersion, restores } = made.get(name)!.outputs;
        assert.equal(schemaVersion, "0002_author");
        assert.deepEqual(
          restores?.map(({ key, to, database, undoUntil }) => [key, to, database, undoUntil]),
          [["import", backups.get(name), name, undefined]],
        );
      }
      assert.equal(rollbacks(), 3);

      // What was put back and not brought up is so by the next run, which does not put it back again.
      const { id } = made.get("globex")!;
      const news = inputs("globex", { backup: backups.get("globex")!, key: "second" });
      refuses = true;
      const failed = await update("globex", news.restoreFrom).catch((error: unknown) => error);
      refuses = false;
      assert.ok(failed instanceof Unfinished);
      const left = failed.outputs as TenantDatabaseOutputs;
      assert.deepEqual([left.schemaVersion, left.restores?.length], [undefined, 2]);
      assert.equal((await tenantDatabase.diff({ id, olds: left, news, context: fresh() })).changes, true);
      const brought = await tenantDatabase.update({ id, olds: left, news, context: fresh() });
      assert.deepEqual([brought.schemaVersion, brought.restores], ["0002_author", left.restores]);
      assert.equal((await standIn.sql("app__globex", "SELECT author FROM notes")).length, 1);
      assert.equal(rollbacks(), 4);

      // Never again by that key: where state has it, where it lost it, and where the program says it no more.
      await standIn.sql("app__acme", "INSERT INTO notes VALUES (3, 'since', 'me')");
      const declared = inputs("acme", { backup: backups.get("acme")!, key: "import" });
      const read = (await tenantDatabase.read({ ...made.get("acme")!, context: fresh() }))!;
      assert.deepEqual(read, made.get("acme")!.outputs);
      for (const news of [declared, inputs("acme")]) {
        const { id } = made.get("acme")!;
        assert.equal((await tenantDatabase.diff({ id, olds: read, news, context: fresh() })).changes, false);
      }
      made.set("acme", before.get("acme")!);
      const again = await update("acme", declared.restoreFrom);
      assert.deepEqual(
        again.outputs.restores?.map(({ key, isUnclear }) => [key, isUnclear]),
        [["import", undefined]],
      );
      assert.equal(rollbacks(), 4);
      assert.equal((await standIn.sql("app__acme", "SELECT id FROM notes")).length, 2);
    });
  });

  it("goes back to a moment on L2, is undone within its window, and says afterwards when that ended", () =>
    withShop({}, async ({ standIn, context, tenant, fresh }) => {
      await makeWorkspace(standIn, "docs", "MongoDB");
      const inputs = tenant("acme", { databases: [{ blueprint: "docs", isolation: "L2" }] });
      const { id, outputs } = await tenantDatabase.create({ inputs, context });
      const back = { ...inputs, restoreFrom: { timestamp: new Date().toISOString(), key: "import" } };
      const restored = await tenantDatabase.update({ id, olds: outputs, news: back, context: fresh() });
      const [record] = restored.restores!;
      assert.deepEqual([record?.key, record?.database], ["import", "acme"]);
      assert.ok(Date.parse(record!.undoUntil!) > Date.now() + 23 * 3_600_000, record?.undoUntil);
      const recovers = (): number => standIn.requests.filter(({ path }) => path.endsWith("/recover")).length;
      assert.equal(recovers(), 1);

      // A refresh after it is clean, and neither its key nor taking it out does anything.
      const read = (await tenantDatabase.read({ id, outputs: restored, context: fresh() }))!;
      assert.deepEqual(read, restored);
      for (const news of [back, inputs]) {
        assert.equal((await tenantDatabase.diff({ id, olds: read, news, context })).changes, false);
        assert.deepEqual((await tenantDatabase.update({ id, olds: read, news, context })).restores, restored.restores);
      }
      assert.equal(recovers(), 1);

      const undo = { ...inputs, restoreFrom: { undo: "import" } };
      const shown = await tenantDatabase.diff({ id, olds: read, news: undo, context });
      assert.match(shown.note!, /acme: its restore "import" is to be undone/);
      const undone = await tenantDatabase.update({ id, olds: read, news: undo, context: fresh() });
      assert.equal(undone.restores?.[0]?.undone, true);
      assert.equal(standIn.project.tenants.get("acme")?.undoUntil, undefined);
      assert.equal((await tenantDatabase.diff({ id, olds: undone, news: undo, context })).changes, false);

      const late = { ...read, restores: [{ ...record!, undoUntil: "2026-01-02T03:04:05.000Z" }] };
      await assert.rejects(async () => tenantDatabase.diff({ id, olds: late, news: undo, context }), {
        code: "expired",
        message: /the restore "import" of acme could be undone until 2026-01-02T03:04:05\.000Z\. Take restoreFrom out/,
      });
      const unknown = { ...inputs, restoreFrom: { undo: "exprot" } };
      await assert.rejects(async () => tenantDatabase.diff({ id, olds: read, news: unknown, context }), {
        code: "invalid-input",
        message: /has had no restore "exprot"\. There is "import"\./,
      });
    }));

  it("does a restore once whose reply is lost, and says that nobody knows whether it took effect", () => {
    let lose = false;
    const interfere = ({ path: at }: { path: string }) =>
      lose && at.endsWith("/recover") ? ("lost" as const) : undefined;
    return withShop({ interfere }, async ({ standIn, context, tenant, fresh }) => {
      await makeWorkspace(standIn, "docs", "MongoDB");
      const inputs = tenant("acme", { databases: [{ blueprint: "docs", isolation: "L2" }] });
      const { id, outputs } = await tenantDatabase.create({ inputs, context });
      const news = { ...inputs, restoreFrom: { timestamp: new Date().toISOString(), key: "import" } };
      lose = true;
      await assert.rejects(tenantDatabase.update({ id, olds: outputs, news, context: fresh() }));
      const again = await tenantDatabase.update({ id, olds: outputs, news, context: fresh() });
      assert.equal(again.restores?.[0]?.isUnclear, true);
      assert.equal(standIn.requests.filter(({ path }) => path.endsWith("/recover")).length, 1);
    });
  });

  it("is handed over to another resource and back, and no tenant is made, moved or deleted for it", () =>
    withShop({}, async (shop) => {
      const { standIn, context, tenant, fresh } = shop;
      await makeWorkspace(standIn, "docs", "MongoDB");
      const databases = [{ blueprint: "docs" }];
      const made = await tenantDatabase.create({ inputs: tenant("acme", { databases }), context });
      const sql = registryOf(shop);
      const claim = async () => (await inspectClaims(sql)).find(({ name }) => name === "acme")!;
      const change = ({ method, path }: { method: string; path: string }) =>
        method !== "GET" && path.startsWith("/tenants");
      const before = standIn.requests.filter(change).length;

      assert.deepEqual(await writeMoves(sql, [{ claim: await claim(), address: self("moved") }]), []);
      assert.equal((await claim()).address, self("moved"));
      assert.deepEqual(
        (await openMoves(sql)).map(({ claim: { name }, from }) => [name, from]),
        [["acme", self("acme")]],
      );
      const left = await tenantDatabase.delete({ ...made, context: fresh() });
      assert.match(left as string, /acme: left as it is.*moved/);
      const inputs = { ...tenant("acme", { databases }), self: self("moved") };
      const taken = await tenantDatabase.create({ inputs, context: fresh() });
      assert.equal(taken.outputs.databaseId, made.outputs.databaseId);

      // And back, where state has it as before; what was read meanwhile is not overwritten.
      const stale = await claim();
      assert.deepEqual(await writeMoves(sql, [{ claim: stale, address: self("acme") }]), []);
      assert.equal((await writeMoves(sql, [{ claim: stale, address: self("third") }])).length, 1);
      const mine = await tenantDatabase.read({ ...made, context: fresh() });
      assert.equal(mine?.databaseId, made.outputs.databaseId);
      assert.equal((await claim()).owner, made.id);
      assert.equal(standIn.requests.filter(change).length, before);
    }));
});
