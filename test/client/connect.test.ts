import assert from "node:assert/strict";
import { parseEnv } from "node:util";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { mint } from "../local/api-caller";
import type { RequestEntry } from "../../provider/local";
import type { Delivery } from "../../sdk/cli/fleet/deliver";
import { envText, variablesOf } from "../../sdk/cli/fleet/env-file";
import { type TenantryOptions, createTenantry } from "../../sdk/client";
import { ClientCache } from "../../sdk/client/client-cache";
import { markOf } from "../../sdk/client/variables";
import { createTokenKeeper } from "../../sdk/client/token-keeper";
import { type Bench, withBench } from "../support/bench";

const application = ({ platform }: Bench, options: TenantryOptions = {}) =>
  createTenantry({
    ...{ platform: "local", apiUrl: platform.url, token: platform.apiToken, access: "full-access" },
    ...options,
  });

async function withTenants(
  names: readonly string[],
  use: (bench: Bench, asked: () => string[]) => Promise<void>,
): Promise<void> {
  let entries: RequestEntry[] = [];
  await withBench(
    async (bench) => {
      for (const name of names) await bench.api.ok("POST", "/databases", { name, group: "eu" });
      entries = [];
      await use(bench, () => entries.splice(0).map(({ method, path, status }) => `${method} ${path} ${status}`));
    },
    { onRequest: (entry) => entries.push(entry) },
  );
}

const tokenCall = (name: string): string => `POST /v1/organizations/local/databases/${name}/auth/tokens 200`;

describe("connect", () => {
  it("opens a tenant with a token of its own, once for all who ask", async () => {
    await withTenants(["acme", "bolt"], async (bench, asked) => {
      const tenantry = application(bench);
      const all = await Promise.all(Array.from({ length: 100 }, () => tenantry.connect("acme")));
      assert.equal(new Set(all).size, 1);
      assert.deepEqual(asked(), [tokenCall("acme")]);
      const [db] = all;
      await db!.execute("CREATE TABLE notes (text)");
      await db!.batch(["INSERT INTO notes VALUES ('a')", "INSERT INTO notes VALUES ('b')"], "write");
      assert.equal((await (await tenantry.connect("acme")).execute("SELECT * FROM notes")).rows.length, 2);
      assert.equal(asked().filter((call) => call.includes("/v1/")).length, 0);
      // Others may have the same client.
      db!.close();
      assert.equal((await db!.execute("SELECT * FROM notes")).rows.length, 2);
    });
  });

  it("says at once that there is no such tenant, and asks again the next time", async () => {
    await withTenants([], async (bench) => {
      const tenantry = application(bench);
      await assert.rejects(tenantry.connect("acme"), { code: "database-not-found", message: /"acme"/ });
      await bench.api.ok("POST", "/databases", { name: "acme", group: "eu" });
      await (await tenantry.connect("acme")).execute("SELECT 1");
    });
  });

  it("opens nothing but tenants, whatever id it is given, and says who may have been meant", async () => {
    await withTenants([], async (bench, asked) => {
      await application(bench, { group: "eu" }).provision("user-1");
      asked();
      const tenantry = application(bench);
      const ids = ["tenantry-registry-eu", "Tenantry-Registry-EU", "", ".", ".."];
      for (const id of ids)
        await assert.rejects(tenantry.connect(id), { code: "database-not-found", message: /no tenant/ });
      const tenants = { eu: { name: "tenantry-registry-eu" }, acme: {} };
      const known = application(bench, { tenants });
      await assert.rejects(known.connect("eu"), { code: "database-not-found" });
      for await (const { tenant, ok } of known.forEachTenant(() => 1, { where: { tenants: ["eu"] } }))
        assert.deepEqual([tenant.id, ok], ["eu", false]);
      for await (const { ok } of tenantry.forEachTenant(() => 1, { where: { tenants: [ids[0]!] } }))
        assert.equal(ok, false);
      assert.deepEqual(asked(), []);
      const typo = { code: "database-not-found", message: 'There is no tenant "acmee". Did you mean "acme"?' };
      await assert.rejects(known.connect("acmee"), typo);
      // Nor is it about a platform that this application needs none of.
      await assert.rejects(createTenantry({ tenants, tokenFor: () => "t" }).connect("acmee"), typo);
    });
  });

  it("mints one new token for all requests that are refused at once, and tries each once more", async () => {
    await withTenants(["acme"], async (bench, asked) => {
      const db = await application(bench).connect("acme");
      await db.execute("SELECT 1");
      await bench.api("POST", "/databases/acme/auth/rotate");
      asked();
      const all = await Promise.all(Array.from({ length: 20 }, () => db.execute("SELECT 7 AS seven")));
      assert.ok(all.every(({ rows }) => rows[0]?.["seven"] === 7));
      assert.deepEqual(
        asked().filter((call) => call.includes("/v1/")),
        [tokenCall("acme")],
      );
    });
  });

  it("tells a token that is refused twice, without showing it", async () => {
    await withTenants(["acme", "bolt"], async (bench) => {
      const wrong = await mint(bench.api, "databases/bolt");
      let minted = 0;
      const db = await application(bench, { tokenFor: () => (minted++, wrong) }).connect("acme");
      await assert.rejects(db.execute("SELECT 1"), (error: Error) => {
        assert.match(error.message, /^acme: .*refuses its token, and a new one too \(401\)/);
        assert.ok(!error.message.includes(wrong));
        return true;
      });
      assert.equal(minted, 2);
    });
  });

  it("needs no platform where the application has addresses and tokens of its own", async () => {
    await withTenants(["acme"], async (bench, asked) => {
      const token = await mint(bench.api, "databases/acme");
      const url = bench.platform.databaseUrl("acme");
      asked();
      const tokenFor = () => token;
      for (const options of [
        { tokenFor, urlFor: (tenant: string) => (tenant === "4711" ? url : undefined) },
        { tokenFor, tenants: { "4711": { name: "acme", url } } },
      ]) {
        const db = await createTenantry(options).connect("4711");
        await db.execute("SELECT 1");
      }
      // By a template of addresses, with a platform but no credential for it that counts.
      const databaseUrl = `${bench.platform.url}/db/{name}/`;
      const byTemplate = { platform: "turso", organization: "acme", token: "none", databaseUrl };
      await (await createTenantry({ ...byTemplate, tokenFor }).connect("acme")).execute("SELECT 1");
      assert.deepEqual(
        asked().filter((call) => call.includes("/v1/")),
        [],
      );
    });
  });

  it("finds address and token in variables, each tenant its own and no other's", async () => {
    await withTenants(["acme", "bolt"], async (bench, asked) => {
      const deliveries: Delivery[] = [];
      for (const [id, name] of [
        ["acme", "acme"],
        ["Bolt 2", "bolt"],
      ] as const) {
        const [url, token] = [bench.platform.databaseUrl(name), await mint(bench.api, `databases/${name}`)];
        deliveries.push({ id, name, url, token, expiresAt: undefined });
      }
      asked();
      const text = envText(deliveries, variablesOf(deliveries, "T6_{ID}"));
      const variables = parseEnv(text);
      assert.equal(variables["T6_BOLT_2_ID"], "Bolt%202");
      Object.assign(process.env, variables);
      try {
        const tenantry = createTenantry({ variables: "T6_{ID}" });
        for (const id of ["acme", "Bolt 2"]) await (await tenantry.connect(id)).execute("SELECT 1");
        for (const id of ["bolt-2", "BOLT 2", "Acme"]) {
          await assert.rejects(tenantry.connect(id), { code: "not-configured", message: /_ID says another tenant/ });
        }
        await assert.rejects(tenantry.connect("cafe"), {
          code: "not-configured",
          message: /^cafe: T6_CAFE_\w+ is not set/,
        });
        await assert.rejects(tenantry.provision("cafe"), { code: "not-configured" });
        const mine = createTenantry({ variables: "T6_{ID}", urlFor: () => bench.platform.databaseUrl("bolt") });
        await assert.rejects((await mine.connect("acme")).execute("SELECT 1"), { code: "credentials-rejected" });
      } finally {
        for (const name of Object.keys(variables)) delete process.env[name];
      }
      const marks = ["a!b", "a'b", "a_b", "A-B", "a%21b"].map(markOf);
      assert.equal(new Set(marks).size, marks.length);
      assert.ok(marks.every((mark) => mark !== undefined && /^[\w.%-]+$/.test(mark)));
      assert.throws(() => createTenantry({ variables: "TENANT" }), { code: "invalid-input", message: /has no \{ID\}/ });
      assert.deepEqual(
        asked().filter((call) => call.includes("/v1/")),
        [],
      );
    });
  });

  it("never closes a client under its user, though 600 others were opened since", async () => {
    await withTenants(["acme"], async (bench) => {
      const token = await mint(bench.api, "databases/acme");
      const url = bench.platform.databaseUrl("acme");
      const tenantry = createTenantry({ urlFor: () => url, tokenFor: () => token });
      const db = await tenantry.connect("tenant");
      await db.execute("CREATE TABLE notes (text)");
      const transaction = await db.transaction("write");
      await transaction.execute("INSERT INTO notes VALUES ('kept')");
      for (let count = 0; count < 600; count++) await tenantry.connect(`tenant-${count}`);
      await transaction.commit();
      assert.equal((await db.execute("SELECT * FROM notes")).rows.length, 1);
      assert.notEqual(await tenantry.connect("tenant"), db, "it had left the cache");
      tenantry.close();
      assert.equal((await db.execute("SELECT * FROM notes")).rows.length, 1);
    });
  });

  it("says what is missing in the words of its options", async () => {
    const cases: [TenantryOptions, RegExp][] = [
      [{}, /^No platform is configured.*Pass platform to createTenantry, or set TENANTRY_PLATFORM/],
      [{ platform: "turos" }, /^platform: there is no platform "turos"; did you mean "turso"\?/],
      [{ platform: "turso", organization: "acme" }, /^No Turso API token is configured\. Pass token to createTenantry/],
      [{ platform: "turso", token: "x" }, /^No Turso organization is configured.*Pass organization/],
      [{ platform: "local", apiUrl: "ftp://x" }, /^apiUrl: it is not an http or https address/],
      [{ tokenFor: () => "", cache: { size: 1 } } as TenantryOptions, /^cache: there is no option "size"/],
      [{ tokenFor: () => "", cache: { clients: 0 } }, /^cache\.clients: 0 is not more than 0/],
      [{ tokn: "x" } as TenantryOptions, /^createTenantry: there is no option "tokn"\. Did you mean "token"\?/],
    ];
    for (const [options, message] of cases) assert.throws(() => createTenantry(options), { message });
  });
});

describe("the cache of clients", () => {
  it("holds the ones used last", async () => {
    const cache = new ClientCache<string>({ capacity: 2 });
    let opened = 0;
    const get = (key: string) => cache.get(key, async () => `${key} ${++opened}`);
    for (const key of ["a", "b", "a", "c"]) await get(key);
    assert.deepEqual([await get("a"), await get("c"), await get("b")], ["a 1", "c 3", "b 4"]);
    assert.equal(cache.size, 2);
    await assert.rejects(cache.get("x", () => Promise.reject(new Error("no"))));
    assert.equal(await cache.get("x", async () => "yes"), "yes");
    cache.clear();
  });

  it("lets go of what nobody has used for a while", async () => {
    let at = 0;
    const cache = new ClientCache<string>({ idle: 20, now: () => at });
    await cache.get("a", async () => "a");
    at = 15;
    await cache.get("b", async () => "b");
    at = 25;
    while (cache.size > 1) await new Promise(setImmediate);
    assert.equal(await cache.get("b", async () => "another"), "b");
    at = 100;
    while (cache.size > 0) await new Promise(setImmediate);
  });

  it("stays small, however many tenants are touched", async () => {
    await withTenants(["acme"], async (bench) => {
      const token = await mint(bench.api, "databases/acme");
      const url = bench.platform.databaseUrl("acme");
      const tenantry = createTenantry({ urlFor: () => url, tokenFor: () => token });
      const gone: WeakRef<object>[] = [];
      for (let count = 0; count < 10_000; count++) {
        const db = await tenantry.connect(`tenant-${count}`);
        if (count % 1_000 === 0) {
          await db.execute("SELECT 1");
          gone.push(new WeakRef(db));
        }
      }
      setFlagsFromString("--expose-gc");
      const collect = runInNewContext("gc") as () => void;
      const collected = () => gone.filter((ref) => ref.deref() === undefined).length;
      // References are kept to the end of a turn.
      for (let turn = 0; collected() < 9 && turn < 20; turn++) {
        await new Promise(setImmediate);
        collect();
      }
      assert.ok(collected() >= 9, `${collected()} of 10 were let go`);
    });
  }).timeout(60_000);
});

describe("a tenant's token", () => {
  const keeperWith = (lifetime: number) => {
    const state = { at: 0, minted: 0, fail: false };
    const mintOne = async () => {
      if (state.fail) throw new Error("the platform is away");
      return { token: `t${++state.minted}`, expiresAt: new Date(state.at + lifetime) };
    };
    return {
      state,
      token: createTokenKeeper(
        mintOne,
        () => undefined,
        () => state.at,
      ),
    };
  };

  it("is renewed in the last third of its life, once, while the old one is used", async () => {
    const { state, token } = keeperWith(3_600_000);
    assert.deepEqual(await Promise.all([token(), token(), token()]), ["t1", "t1", "t1"]);
    state.at = 2_399_000;
    assert.equal(await token(), "t1");
    assert.equal(state.minted, 1);
    state.at = 2_400_000;
    assert.deepEqual(await Promise.all([token(), token()]), ["t1", "t1"]);
    await new Promise(setImmediate);
    assert.equal(await token(), "t2");
    assert.equal(state.minted, 2);
  });

  it("outlasts a platform that is away until its end, and no longer", async () => {
    const { state, token } = keeperWith(3_600_000);
    await token();
    state.fail = true;
    state.at = 3_580_000;
    assert.equal(await token(), "t1");
    state.at = 3_595_000;
    await assert.rejects(token(), /away/);
    state.fail = false;
    assert.equal(await token(), "t2");
  });
});
