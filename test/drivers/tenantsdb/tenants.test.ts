import assert from "node:assert/strict";
import { hasCode } from "../../../provider/platform/errors";
import type { Secured } from "../../../provider/platform/life";
import type { Platform } from "../../../provider/platform/platform";
import { failure } from "../../support/tenantsdb/replies";
import { makeWorkspace, withStandIn } from "../../support/tenantsdb/scene";
import type { StandIn } from "../../support/tenantsdb/stand-in";
import { virtualClock } from "../../support/virtual-clock";

const blueprints = ["app", "orders", "docs", "cache"] as const;
const engines = ["PostgreSQL", "MySQL", "MongoDB", "Redis"] as const;

async function withBlueprints(standIn: StandIn): Promise<void> {
  for (const [i, name] of blueprints.entries()) await makeWorkspace(standIn, name, engines[i]!);
}

const names = async (platform: Platform): Promise<string[]> => {
  const all: string[] = [];
  for await (const { name } of platform.listDatabases()) all.push(name);
  return all;
};

describe("tenants of TenantsDB", () => {
  it("are made with several databases, each with a string that can be used", () =>
    withStandIn({}, async ({ standIn, platform, project }) => {
      await withBlueprints(standIn);
      const made = await platform.createDatabase({
        name: "acme",
        group: project,
        parts: blueprints.map((blueprint) => ({ blueprint })),
      });
      const { proxyPassword, apiKey } = standIn.project;
      const user = `${project}:${proxyPassword}`;
      const expected = [
        ["app", "postgresql", "L1", `postgresql://${user}@pg.tenantsdb.com:5432/app__acme?sslmode=require`],
        ["orders", "mysql", "L1", `mysql://${user}@mysql.tenantsdb.com:3306/orders__acme`],
        [
          "docs",
          "mongodb",
          "L1",
          `mongodb://${user}@mongo.tenantsdb.com:27017/docs__acme?authMechanism=PLAIN&directConnection=true&tls=true`,
        ],
        ["cache", "redis", "L1", `rediss://acme:${apiKey}@redis.tenantsdb.com:6379/0`],
      ];
      const shown = (database: typeof made | undefined) =>
        database!.parts!.map((one) => [one.blueprint, one.engine, one.isolation, one.connectionString]);
      assert.deepEqual(shown(made), expected);
      // A look masks the password, which the create has shown.
      assert.deepEqual(shown(await platform.getDatabase("acme")), expected);
      assert.deepEqual((await platform.getDatabase("acme"))?.id, made.id);
      assert.deepEqual(await names(platform), ["acme"]);
    }));

  it("have no string where it is masked and nobody knows the password", () =>
    withStandIn({}, async ({ standIn, platform, project, open }) => {
      await withBlueprints(standIn);
      await platform.createDatabase({ name: "acme", group: project, parts: [{ blueprint: "app" }] });
      const stranger = open({});
      assert.equal((await stranger.getDatabase("acme"))?.parts?.[0]?.connectionString, undefined);
      const told = open({ proxyPassword: standIn.project.proxyPassword });
      const [part] = (await told.getDatabase("acme"))!.parts!;
      assert.ok(part?.connectionString?.includes(`:${standIn.project.proxyPassword}@pg.tenantsdb.com`));
    }));

  it("on L2 are there when their machine is", () =>
    withStandIn({ driver: { clock: virtualClock() } }, async ({ standIn, platform, project }) => {
      await withBlueprints(standIn);
      const parts = [{ blueprint: "app", isolation: "L2", region: "us-east" }];
      await platform.createDatabase({ name: "acme", group: project, parts });
      assert.equal(standIn.project.tenants.get("acme")?.status, "provisioning");
      const seen: string[] = [];
      const ready = await platform.awaitDatabase!("acme", 900_000, (status) => seen.push(status));
      assert.deepEqual(seen, ["provisioning", "ready"]);
      assert.equal(ready.parts?.[0]?.isolation, "L2");
      assert.equal(standIn.project.tenants.get("acme")?.databases[0]?.region, "us-east");
    }));

  it("that never come to be, or come to something else, are told with what they came to", () =>
    withStandIn({ driver: { clock: virtualClock() } }, async ({ standIn, platform, project }) => {
      await withBlueprints(standIn);
      const parts = [{ blueprint: "app", isolation: "L2" }];
      standIn.operations.next("provision", "stuck");
      await platform.createDatabase({ name: "stuck", group: project, parts });
      await assert.rejects(platform.awaitDatabase!("stuck", 900_000), {
        code: "not-ready",
        message: /within 900 s: "stuck" is still provisioning/,
      });
      standIn.operations.next("provision", { status: "half_done" });
      await platform.createDatabase({ name: "odd", group: project, parts });
      await assert.rejects(platform.awaitDatabase!("odd", 900_000), {
        code: "bad-answer",
        message: /status "half_done", which TenantsDB does not document/,
      });
      // Nothing is deleted while its machine is made: that is waited for, and then said.
      await assert.rejects(platform.deleteDatabase("stuck"), { code: "not-ready", message: /it is provisioning/ });
    }));

  it("are refused by the free plan on L2, and under names that they cannot have", () =>
    withStandIn({ plan: "free" }, async ({ standIn, platform, project }) => {
      await withBlueprints(standIn);
      const parts = [{ blueprint: "app", isolation: "L2" }];
      await assert.rejects(platform.createDatabase({ name: "acme", group: project, parts }), {
        code: "plan-refused",
        message: /not available on the free plan.*isolation L1/,
      });
      const name = "a__b";
      const bad = platform.createDatabase({ name, group: project, parts: [{ blueprint: "app" }] });
      await assert.rejects(bad, { code: "invalid-input" });
      const none = platform.createDatabase({ name: "acme", group: project, parts: [{ blueprint: "nothing" }] });
      await assert.rejects(none, (error) => hasCode(error, "database-not-found") && /nothing/.test(error.message));
      assert.equal(standIn.project.tenants.size, 0);
      assert.ok(!platform.capabilities.names.pattern.test("a__b"));
      assert.ok(!platform.capabilities.names.pattern.test("acme-1"));
      assert.ok(platform.capabilities.names.pattern.test("acme_1"));
    }));

  it("in the trash are told apart from live ones of the name, and come back", () =>
    withStandIn({ driver: { clock: virtualClock() } }, async ({ standIn, platform, project }) => {
      await withBlueprints(standIn);
      const create = () => platform.createDatabase({ name: "acme", group: project, parts: [{ blueprint: "app" }] });
      const { id } = await create();
      await assert.rejects(create(), { code: "already-exists" });
      await platform.softDeleteDatabase!("acme");
      await platform.softDeleteDatabase!("acme");
      assert.equal(await platform.getDatabase("acme"), undefined);
      assert.deepEqual(await names(platform), []);
      await assert.rejects(create(), { code: "in-trash", message: /adopt: "restore"/ });
      // On L1 nobody promises the rows, so a backup was taken first.
      assert.equal((await platform.listBackups!("acme"))[0]?.kind, "manual");
      assert.equal((await platform.undeleteDatabase!("acme")).id, id);
      assert.equal((await platform.undeleteDatabase!("acme")).id, id);
      await platform.deleteDatabase("acme");
      await platform.deleteDatabase("acme");
      assert.equal(standIn.project.tenants.size, 0);
      await assert.rejects(platform.undeleteDatabase!("acme"), { code: "database-not-found" });
      assert.notEqual((await create()).id, id);
    }));

  it("are backed up database by database before they are deleted softly, suspended ones too", () =>
    withStandIn({ driver: { clock: virtualClock() } }, async ({ standIn, platform, project }) => {
      await withBlueprints(standIn);
      const parts = [{ blueprint: "docs" }, { blueprint: "orders" }];
      const suspended = { blockReads: true, blockWrites: true };
      for (const name of ["acme", "globex"]) await platform.createDatabase({ name, group: project, parts });
      await platform.configureDatabase("globex", suspended);
      for (const name of ["acme", "globex"]) {
        let known: Secured | undefined;
        await platform.softDeleteDatabase!(name, async (secured) => void (known = secured));
        const { status, backups } = standIn.project.tenants.get(name)!;
        assert.deepEqual([status, known?.backups], ["deleted", backups.map(({ path }) => path)]);
        assert.equal(backups.length, 2);
        // The docs do not say what a query is on these.
        assert.equal(known?.rows, undefined);
        assert.match(known?.why ?? "", /"docs" is of mongodb, which is not asked/);
      }
      // On L2 the machine's snapshot is the platform's promise.
      await platform.createDatabase({
        name: "initech",
        group: project,
        parts: [{ blueprint: "docs", isolation: "L2" }],
      });
      await platform.awaitDatabase!("initech", 900_000);
      await platform.softDeleteDatabase!("initech", async () => assert.fail());
      // What cannot be written down is not deleted.
      await platform.createDatabase({ name: "hooli", group: project, parts });
      const broken = platform.softDeleteDatabase!("hooli", async () => Promise.reject(new Error("no registry")));
      await assert.rejects(broken, /no registry/);
      assert.equal(standIn.project.tenants.get("hooli")?.status, "ready");
    }));

  it("are suspended and resumed as a whole, however often that is asked", () =>
    withStandIn({}, async ({ standIn, platform, project }) => {
      await withBlueprints(standIn);
      await platform.createDatabase({ name: "acme", group: project, parts: [{ blueprint: "app" }] });
      const blocks = async () => {
        const { blockReads, blockWrites } = (await platform.getConfiguration("acme"))!;
        return [blockReads, blockWrites];
      };
      for (const [blocked, status] of [
        [true, "suspended"],
        [true, "suspended"],
        [false, "ready"],
        [false, "ready"],
      ] as const) {
        await platform.configureDatabase("acme", { blockReads: blocked, blockWrites: blocked });
        assert.equal(standIn.project.tenants.get("acme")?.status, status);
        assert.deepEqual(await blocks(), [blocked, blocked]);
      }
      await assert.rejects(platform.configureDatabase("acme", { blockWrites: true }), { code: "unsupported" });
      await assert.rejects(platform.configureDatabase("nobody", { blockReads: true, blockWrites: true }), {
        code: "database-not-found",
      });
    }));

  it("move to another isolation and region, and say what they are doing", () =>
    withStandIn({ driver: { clock: virtualClock() } }, async ({ standIn, platform, project }) => {
      await withBlueprints(standIn);
      await platform.createDatabase({ name: "acme", group: project, parts: [{ blueprint: "app" }] });
      const seen: string[] = [];
      const onStatus = (status: string): void => void seen.push(status);
      await platform.movePart!("acme", { blueprint: "app", isolation: "L2", region: "eu-central" }, { onStatus });
      assert.deepEqual(seen.filter((status) => status !== "ready").sort(), ["migrating", "syncing"]);
      const database = standIn.project.tenants.get("acme")!.databases[0]!;
      assert.deepEqual([database.level, database.region], [2, "eu-central"]);
      await platform.movePart!("acme", { blueprint: "app", isolation: "L2", region: "us-east" });
      assert.deepEqual([database.level, database.region], [2, "us-east"]);
      standIn.operations.next("move", "stuck");
      await assert.rejects(platform.movePart!("acme", { blueprint: "app", isolation: "L1" }), {
        code: "not-ready",
        message: /still migrating/,
      });
      const missing = platform.movePart!("acme", { blueprint: "orders", isolation: "L2" });
      await assert.rejects(missing, { code: "invalid-input" });
    }));

  it("survive lost replies: what was done is not done twice, and is known to be done", () => {
    let lose: string | undefined;
    const interfere = ({ method, path }: { method: string; path: string }) => {
      if (`${method} ${path}` !== lose) return undefined;
      lose = undefined;
      return "lost" as const;
    };
    return withStandIn({ interfere, driver: { clock: virtualClock() } }, async ({ standIn, platform, project }) => {
      await withBlueprints(standIn);
      lose = "POST /tenants";
      const create = platform.createDatabase({ name: "acme", group: project, parts: [{ blueprint: "app" }] });
      await assert.rejects(create, { code: "already-exists", afterLostReply: true });
      for (const [path, blocked] of [
        ["suspend", true],
        ["resume", false],
      ] as const) {
        lose = `POST /tenants/acme/${path}`;
        await platform.configureDatabase("acme", { blockReads: blocked, blockWrites: blocked });
        assert.equal(lose, undefined);
      }
      lose = "PATCH /tenants/acme/isolation";
      await platform.movePart!("acme", { blueprint: "app", isolation: "L2" });
      assert.equal(standIn.project.tenants.get("acme")?.databases[0]?.level, 2);
      lose = "DELETE /tenants/acme";
      await platform.softDeleteDatabase!("acme");
      lose = "POST /tenants/acme/restore";
      await platform.undeleteDatabase!("acme");
      lose = "DELETE /tenants/acme";
      await platform.deleteDatabase("acme");
      assert.equal(standIn.project.tenants.size, 0);
    });
  });

  it("are read however the docs write them", () => {
    const odd = {
      tenant_id: "acme",
      status: "ready",
      created_at: 1_768_982_386,
      databases: [
        { blueprint: "app", database_type: "Postgres", isolation_level: "1", connection: null, version: 3 },
        {
          blueprint: "docs",
          database_type: "MongoDB",
          isolation_level: 2,
          connection: { connection_string: "mongodb://x" },
        },
      ],
    };
    const interfere = ({ path }: { path: string }) =>
      path === "/tenants/acme"
        ? { status: 200, body: { success: true, tenant: odd } }
        : path === "/tenants"
          ? { status: 200, body: { tenants: [odd] } }
          : undefined;
    return withStandIn({ interfere }, async ({ platform }) => {
      const found = await platform.getDatabase("acme");
      assert.deepEqual(
        found?.parts?.map(({ engine, isolation, version, connectionString }) => [
          engine,
          isolation,
          version,
          connectionString,
        ]),
        [
          ["postgresql", "L1", "3", undefined],
          ["mongodb", "L2", undefined, "mongodb://x"],
        ],
      );
      assert.equal(found?.id, "acme@2026-01-21T07:59:46.000Z");
      assert.deepEqual(await names(platform), ["acme"]);
    });
  });

  it("are not believed where an answer contradicts itself", () => {
    let answer = failure(200, "internal trouble");
    return withStandIn({ interfere: () => answer }, async ({ platform }) => {
      await assert.rejects(platform.getDatabase("acme"), { code: "bad-answer" });
      answer = { status: 200, body: { success: true, tenant_id: "other", status: "ready", databases: [] } };
      await assert.rejects(platform.getDatabase("acme"), {
        code: "bad-answer",
        message: /about "other" instead of "acme"/,
      });
      answer = { status: 200, body: { success: true } };
      await assert.rejects(names(platform), { code: "bad-answer" });
    });
  });
});
