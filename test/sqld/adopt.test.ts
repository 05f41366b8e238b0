import assert from "node:assert/strict";
import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createContext } from "../../provider/context";
import { hasCode } from "../../provider/platform/errors";
import type { Platform } from "../../provider/platform/platform";
import { readSettings } from "../../provider/platform/settings";
import { openSql } from "../../provider/platform/sql";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { loadManifest } from "../../sdk/manifest/load";
import { runCli } from "../cli/run-cli";
import { tenant } from "../support/bench";
import { type SqldFate, faultySqld } from "../support/faulty-sqld";
import { type ServedSqld, describeWithSqld, serveSqld } from "../support/sqld";

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");

describeWithSqld("namespaces that a libsql-server had before Tenantry", () => {
  let sqld: ServedSqld;
  let platform: Platform;
  before(async () => {
    sqld = await serveSqld();
    platform = sqld.platform();
    await platform.createGroup({ name: "eu", location: "default" });
  });
  after(() => sqld?.close());

  const answers = async (name: string, token: string, sql = "SELECT x FROM t"): Promise<unknown> => {
    const opened = openSql({ url: platform.databaseUrl({ name, hostname: "" }), token: async () => token });
    return opened
      .execute({ sql, args: [] })
      .then(
        ({ rows }) => rows,
        (error) => (hasCode(error, "credentials-rejected") ? "refused" : Promise.reject(error)),
      )
      .finally(() => opened.close());
  };
  const rows = [{ x: 1 }];

  /** One with a row, and a token of somebody else's key; `bits`: the key as base64 alone. */
  const stranger = async (name: string, bits = false): Promise<string> => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const jwt_key = bits ? publicKey.export({ format: "jwk" }).x : publicKey.export({ format: "pem", type: "spki" });
    assert.equal((await sqld.admin("POST", `/v1/namespaces/${name}/create`, { jwt_key })).status, 200);
    const text = `${encoded({ alg: "EdDSA", typ: "JWT" })}.${encoded({ a: "rw" })}`;
    const token = `${text}.${sign(null, Buffer.from(text), privateKey).toString("base64url")}`;
    await answers(name, token, "CREATE TABLE t (x)");
    await answers(name, token, "INSERT INTO t VALUES (1)");
    return token;
  };
  const mint = async (database: string): Promise<string> =>
    (await platform.mintToken({ database }, { access: "read-only", lifetime: 600 })).token;

  it("are taken over by name, whoever could open them goes on until a rotation, and after it for its time of grace", async () => {
    for (const bits of [false, true]) {
      const name = `old-${bits}`;
      const theirs = await stranger(name, bits);
      assert.deepEqual([await platform.unlisted!.has(name), await platform.getDatabase(name)], [true, undefined]);
      const taken = await platform.unlisted!.take({ name, group: "eu" });
      assert.deepEqual([taken?.name, taken?.group], [name, "eu"]);
      assert.equal((await platform.getDatabase(name))?.id, taken?.id);
      assert.equal(await platform.unlisted!.has(name), false);
      assert.equal(await platform.unlisted!.take({ name, group: "eu" }), undefined);
      const first = await mint(name);
      for (const token of [theirs, first]) assert.deepEqual(await answers(name, token), rows);
      await platform.rotateTokens(bits ? { group: "eu" } : { database: name }, { keepFor: 600 });
      for (const token of [theirs, first, await mint(name)]) assert.deepEqual(await answers(name, token), rows);
      await platform.rotateTokens(bits ? { group: "eu" } : { database: name });
      for (const token of [theirs, first]) assert.equal(await answers(name, token), "refused");
      assert.deepEqual(await answers(name, await mint(name)), rows);
    }
    for (const name of ["nowhere", "tenantry-catalogue"]) assert.equal(await platform.unlisted!.has(name), false);
  });

  it("are taken over once and whole, wherever the process ends", async () => {
    for (const fate of ["drop-and-die", "lose-and-die"] satisfies SqldFate[]) {
      for (let n = 1; ; n++) {
        const name = `cut-${fate}-${n}`;
        const theirs = await stranger(name);
        const line = await faultySqld(sqld, (call) => (call.n === n ? fate : "pass"));
        const ended = await line.platform.unlisted!.take({ name, group: "eu" }).catch(() => "died");
        await line.close();
        const taken = (await platform.unlisted!.take({ name, group: "eu" })) ?? (await platform.getDatabase(name));
        assert.ok(taken, `${fate} at ${n}`);
        for (const token of [theirs, await mint(name)]) assert.deepEqual(await answers(name, token), rows, `${n}`);
        if (line.calls.length < n) {
          assert.notEqual(ended, "died");
          break;
        }
      }
    }
  });

  const settings = () => ({
    ...{ apiUrl: sqld.adminUrl, apiToken: sqld.adminKey, databaseUrl: sqld.databaseUrl, signingKey: sqld.signingKey },
  });

  it("are refused to who does not say adopt, and are adopted with their rows by who does", async () => {
    const theirs = await stranger("shop");
    const context = createContext(platform, readSettings({ platform: "libsql-server", ...settings() }, {}));
    await assert.rejects(
      tenantDatabase.create({ inputs: tenant("shop"), context }),
      (error) => hasCode(error, "already-exists") && /adopt: "unowned"/.test(error.fix ?? ""),
    );
    const made = await tenantDatabase.create({ inputs: tenant("shop", { adopt: "unowned" }), context });
    assert.equal(made.outputs.adopted, true);
    for (const token of [theirs, await mint("shop")]) assert.deepEqual(await answers("shop", token), rows);
    // What was there before is left when it goes.
    await tenantDatabase.delete({ id: made.id, outputs: made.outputs, context });
    assert.deepEqual(await answers("shop", theirs), rows);
  }).timeout(60_000);

  it("are written into a manifest when they are named, which a fleet can read", async () => {
    await stranger("globex");
    const folder = await mkdtemp(path.join(tmpdir(), "tenantry-import-"));
    try {
      const { apiUrl, apiToken, databaseUrl, signingKey } = settings();
      const env = {
        ...{ TENANTRY_PLATFORM: "libsql-server", TENANTRY_API_URL: apiUrl, TENANTRY_API_TOKEN: apiToken },
        ...{ TENANTRY_DATABASE_URL: databaseUrl, TENANTRY_SIGNING_KEY: signingKey },
      };
      const cli = (...args: string[]) => runCli(["import", ...args], { cwd: folder, env });
      const { code, stdout, stderr } = await cli("globex", "nowhere");
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, /^Written to tenants\.yaml: 1 tenant\.$/m);
      const file = path.join(folder, "tenants.yaml");
      assert.match(await readFile(file, "utf8"), /^platform: libsql-server$/m);
      const manifest = loadManifest(file);
      assert.deepEqual([manifest.platform, Object.keys(manifest.groups ?? {})], ["libsql-server", ["eu"]]);
      assert.equal(await platform.unlisted!.has("globex"), true);

      await platform.createGroup({ name: "us", location: "default" });
      const unclear = await cli("globex", "--out", "-");
      assert.equal(unclear.code, 1);
      assert.match(unclear.stderr, /globex: it is in no group yet.*--group/);
      assert.match((await cli("globex", "--out", "-", "--group", "us")).stdout, /group: us/);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }).timeout(120_000);

  it("are copied as of a moment only where the server keeps backups, and leave nothing where it does not", async () => {
    const source = await platform.createDatabase({ name: "source", group: "eu" });
    const seed = { database: source.name, timestamp: "2026-01-01T00:00:00Z" };
    await assert.rejects(
      platform.createDatabase({ name: "past", group: "eu", seed }),
      (error) => hasCode(error, "unsupported") && /--enable-bottomless-replication/.test(error.fix ?? ""),
    );
    assert.equal(await platform.getDatabase("past"), undefined);
    assert.equal((await sqld.admin("GET", "/v1/namespaces/past/config")).status, 404);
    assert.equal((await platform.createDatabase({ name: "past", group: "eu" })).name, "past");
  });
});
