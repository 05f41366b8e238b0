import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { RequestEntry } from "../../provider/local";
import { readClaims } from "../../provider/local/jwt";
import { type TenantryOptions, createTenantry, subjectName } from "../../sdk/client";
import { type Bench, withBench } from "../support/bench";

const application = ({ platform }: Bench, options: TenantryOptions = {}) =>
  createTenantry({
    ...{ platform: "local", apiUrl: platform.url, token: platform.apiToken, access: "full-access" },
    ...options,
  });

const names = Array.from({ length: 12 }, (_, i) => `tenant-${String(i + 1).padStart(2, "0")}`);

async function withTenants(use: (bench: Bench, asked: () => RequestEntry[]) => Promise<void>): Promise<void> {
  let entries: RequestEntry[] = [];
  await withBench(
    async (bench) => {
      await bench.api.ok("POST", "/groups", { name: "us", location: "aws-us-east-1" });
      for (const [i, name] of names.entries()) {
        await bench.api.ok("POST", "/databases", { name, group: i < 8 ? "eu" : "us" });
        if (i !== 2) await bench.sql(name, `CREATE TABLE notes AS SELECT ${i} AS n`);
      }
      // Its registry is nobody's tenant.
      await application(bench, { group: "eu" }).provision("user-1");
      entries = [];
      await use(bench, () => entries.splice(0));
    },
    { onRequest: (entry) => entries.push(entry) },
  );
}

describe("forEachTenant", () => {
  it("asks every tenant, a failure being a result, for one list and one token a group", async () => {
    await withTenants(async (bench, asked) => {
      const results = new Map<string, unknown>();
      const tenantry = application(bench);
      for await (const result of tenantry.forEachTenant(
        async (db) => (await db.execute("SELECT n FROM notes")).rows[0]!["n"],
      )) {
        results.set(result.tenant.name, result.ok ? result.value : result.error.message);
      }
      assert.deepEqual([...results.keys()].sort(), [...names, await subjectName("user-1")].sort());
      assert.equal(results.get("tenant-07"), 6);
      assert.match(String(results.get("tenant-03")), /no such table: notes/);
      const control = asked().filter((entry) => entry.path.startsWith("/v1/"));
      assert.deepEqual(
        control.map(({ method, path: at }) => `${method} ${at.replace("/v1/organizations/local", "")}`).sort(),
        ["GET /databases", "POST /groups/eu/auth/tokens", "POST /groups/us/auth/tokens"],
      );
    });
  });

  it("only reads, unless more is asked for", async () => {
    await withTenants(async (bench) => {
      const tenantry = application(bench);
      const write = async (access?: "full-access"): Promise<string[]> => {
        const found: string[] = [];
        const where = { tenants: ["tenant-01"] };
        for await (const one of tenantry.forEachTenant((db) => db.execute("INSERT INTO notes VALUES (7)"), {
          where,
          access,
        }))
          found.push(one.ok ? `${one.value.rowsAffected}` : one.error.message);
        return found;
      };
      assert.match((await write())[0]!, /not authorized|read-?only|readonly|BLOCKED|forbidden/i);
      assert.deepEqual(await write("full-access"), ["1"]);
    });
  });

  it("finds those of a group, of a list, of labels, or of a function", async () => {
    await withTenants(async (bench) => {
      const found = async (tenantry: ReturnType<typeof application>, where: object): Promise<string[]> => {
        const all: string[] = [];
        for await (const { tenant } of tenantry.forEachTenant(() => 1, { where })) all.push(tenant.id);
        return all.sort();
      };
      const tenantry = application(bench);
      assert.deepEqual(await found(tenantry, { group: "us" }), names.slice(8));
      assert.deepEqual(await found(tenantry, { tenants: ["tenant-02", "tenant-11"] }), ["tenant-02", "tenant-11"]);
      assert.deepEqual(await found(tenantry, ({ name }: { name: string }) => name.endsWith("5")), ["tenant-05"]);
      const tenants = {
        a: { name: "tenant-01", group: "eu", labels: { ring: "beta" } },
        b: { name: "tenant-02", group: "eu", labels: { ring: "stable" } },
        c: { name: "tenant-09", labels: { ring: "beta" } },
      };
      const knowing = application(bench, { tenants });
      assert.deepEqual(await found(knowing, { labels: { ring: "beta" } }), ["a", "c"]);
      assert.deepEqual(await found(knowing, { labels: { ring: "beta" }, group: "eu" }), ["a"]);
      for await (const result of knowing.forEachTenant((db) => db.execute("SELECT n FROM notes"))) assert.ok(result.ok);
    });
  });

  it("asks nobody where it is not understood whom", async () => {
    await withTenants(async (bench) => {
      const tenantry = application(bench, { tenants: { acme: { name: "acme" } } });
      const cases: [object, RegExp][] = [
        [{ wher: {} }, /^forEachTenant: there is no option "wher"\. Did you mean "where"\?/],
        [{ where: { label: { ring: "beta" } } }, /^where: there is no option "label"\. Did you mean "labels"\?/],
        [{ where: { tenants: ["acmee"] } }, /^There is no tenant "acmee"\. Did you mean "acme"\?/],
        [{ onError: "ignore" }, /^onError: /],
      ];
      for (const [options, message] of cases) {
        const asked = tenantry.forEachTenant(() => assert.fail("somebody was asked"), options as never);
        await assert.rejects(asked.next(), { message });
      }
    });
  });

  it("has no more under way than it is told, though its consumer takes its time", async () => {
    await withTenants(async (bench) => {
      let underWay = 0;
      let most = 0;
      let begun = 0;
      let seen = 0;
      const fn = async () => {
        begun += 1;
        most = Math.max(most, ++underWay);
        await new Promise(setImmediate);
        underWay -= 1;
      };
      for await (const _ of application(bench).forEachTenant(fn, { concurrency: 3 })) {
        seen += 1;
        for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate);
        assert.ok(begun - seen <= 3, `${begun} begun, ${seen} seen`);
      }
      assert.equal(most, 3);
      assert.equal(seen, names.length + 1);
    });
  });

  it("ends with its consumer: no tenant is begun after a break, and no request leaves", async () => {
    await withTenants(async (bench, asked) => {
      let begun = 0;
      const failed: unknown[] = [];
      let release = (): void => undefined;
      const gate = new Promise<void>((resolve) => (release = resolve));
      const fn = async (db: { execute(sql: string): Promise<unknown> }, _: unknown, signal: AbortSignal) => {
        begun += 1;
        if (begun === 1) return;
        await gate;
        assert.ok(signal.aborted);
        await db.execute("SELECT 1").catch((error: unknown) => failed.push(error));
      };
      for await (const _ of application(bench).forEachTenant(fn, { concurrency: 3 })) break;
      const then = begun;
      asked();
      release();
      while (failed.length < then - 1) await new Promise(setImmediate);
      assert.equal(begun, then);
      assert.deepEqual(asked(), []);
    });
  });

  it("throws the first failure where it is told to, or tells a function", async () => {
    await withTenants(async (bench) => {
      const tenantry = application(bench);
      const fn = async (db: { execute(sql: string): Promise<unknown> }) => db.execute("SELECT n FROM notes");
      const drain = async (onError: "throw" | ((error: Error, tenant: { id: string }) => void)) => {
        let count = 0;
        for await (const _ of tenantry.forEachTenant(fn, { onError, where: { group: "eu" } })) count += 1;
        return count;
      };
      await assert.rejects(drain("throw"), /no such table: notes/);
      const told: string[] = [];
      await drain((_, { id }) => told.push(id));
      assert.deepEqual(told.sort(), [await subjectName("user-1"), "tenant-03"]);
      await assert.rejects(
        async () => {
          for await (const _ of tenantry.forEachTenant(fn, { concurrency: 0 }));
        },
        { code: "invalid-input", message: /^concurrency: / },
      );
    });
  });
});

describe("usage", () => {
  it("tells what each tenant used, and all together", async () => {
    await withTenants(async (bench) => {
      await bench.sql("tenant-01", "INSERT INTO notes VALUES (1), (2), (3)");
      // The platform counts a moment later.
      const tenantry = application(bench);
      while ((await tenantry.usage()).total.rowsWritten === 0);
      const { tenants, total } = await tenantry.usage();
      assert.deepEqual(
        tenants.map(({ name }) => name),
        [...names, await subjectName("user-1")].sort(),
      );
      assert.equal(total.databases, tenants.length + 1, "the registry counts too");
      assert.ok(tenants.every(({ storageBytes }) => storageBytes >= 0));
      assert.ok(total.storageBytes > 0);
      assert.equal(tenants[0]?.group, "eu");
    });
  });
});

describe("a manifest", () => {
  it("says who the tenants are, where new ones may be put, and what their plan gives them", async () => {
    await withTenants(async (bench) => {
      const { path: migrations } = await bench.template({ "0001_init.sql": "CREATE TABLE notes (text);" });
      const file = path.join(path.dirname(migrations), "tenants.yaml");
      await writeFile(
        file,
        `version: 1
platform: local
groups: { eu: {}, us: {} }
residency: { europe: { groups: [eu] } }
plans:
  trial: { group: us, schema: app, tokens: { access: read-only, ttl: 5m }, expiresIn: 14d }
defaults: { geo: europe }
schemas: { app: { migrations: ./${path.basename(migrations)} } }
namePattern: tenant-{id}
tenants:
  "01": { labels: { ring: beta } }
  "02": { tokens: { access: read-only } }
`,
      );
      const { url: apiUrl, apiToken: token } = bench.platform;
      const tenantry = createTenantry({ manifest: file, apiUrl, token, access: "full-access" });
      await (await tenantry.connect("01")).execute("INSERT INTO notes VALUES (1)");
      await assert.rejects((await tenantry.connect("02")).execute("INSERT INTO notes VALUES (1)"));
      const found: string[] = [];
      for await (const { tenant } of tenantry.forEachTenant(() => 1, { where: { labels: { ring: "beta" } } }))
        found.push(tenant.name);
      assert.deepEqual(found, ["tenant-01"]);
      await assert.rejects(tenantry.provision("user-2", { plan: "trial" }), {
        code: "invalid-input",
        message: /^group: group "us", of plan "trial", is not allowed for geo "europe"/,
      });
      await assert.rejects(tenantry.provision("user-2", { geo: "europ" }), { message: /did you mean "europe"/ });
      const { database } = await tenantry.provision("user-2");
      assert.equal((await bench.claims("eu")).find(({ name }) => name === database.name)?.state, "held");
      // What exists elsewhere is not handed out where the rules would not have put it.
      await application(bench, { group: "us" }).provision("user-3");
      await assert.rejects(tenantry.provision("user-3"), { message: /"us" is not allowed for geo "europe"/ });
      await writeFile(
        file,
        `version: 1\nplatform: local\ngroups: { us: {} }\nplans: { trial: { group: us, schema: app, tokens: { access: read-only, ttl: 5m }, expiresIn: 14d } }\nschemas: { app: { migrations: ./${path.basename(migrations)} } }\ntenants: {}\n`,
      );
      const trial = await createTenantry({ manifest: file, apiUrl, token }).provision("user-4", { plan: "trial" });
      const { iat, exp, a } = readClaims(trial.token)!;
      assert.deepEqual([exp! - iat!, a], [300, "ro"]);
      const claim = (await bench.claims("us")).find(({ name }) => name === trial.database.name);
      assert.equal(claim?.template, "app");
      assert.ok(Math.abs(Date.parse(claim?.expiresAt ?? "") - Date.now() - 14 * 86_400_000) < 60_000);
    });
  });
});
