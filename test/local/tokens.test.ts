import assert from "node:assert/strict";
import { startLocalPlatform } from "../../provider/local";
import type { LocalPlatform } from "../../provider/local";
import { newKey, signToken } from "../../provider/local/jwt";
import { createClient } from "../../provider/platform/libsql-client";
import type { Client } from "../../provider/platform/libsql-client";
import { apiCaller, mint } from "./api-caller";
import type { ApiCaller } from "./api-caller";

interface Failure {
  readonly code: string;
  readonly message: string;
  readonly cause?: { readonly status?: number };
}

describe("embedded platform: tokens", function () {
  // Generous: only a hang is a failure, and the machine may be busy.
  this.timeout(60_000);
  let platform: LocalPlatform;
  let api: ApiCaller;
  const open: Client[] = [];

  const connect = (name: string, authToken: string | undefined): Client => {
    const client = createClient({ url: platform.databaseUrl(name), authToken });
    open.push(client);
    return client;
  };
  const failure = async (work: Promise<unknown>): Promise<Failure> => {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason as Failure,
    );
    assert.ok(error, "it was not refused");
    return error;
  };
  const refused = async (name: string, token: string | undefined): Promise<void> => {
    assert.equal((await failure(connect(name, token).execute("SELECT 1"))).cause?.status, 401);
  };
  const claims = (token: string): Record<string, unknown> =>
    JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as Record<string, unknown>;

  before(async () => {
    platform = await startLocalPlatform();
    api = apiCaller(platform, "local");
    for (const group of ["one", "two"]) await api.ok("POST", "/groups", { name: group, location: "local" });
    for (const [name, group] of [
      ["a", "one"],
      ["b", "one"],
      ["c", "two"],
    ])
      await api.ok("POST", "/databases", { name, group });
    await connect("a", await mint(api, "databases/a")).batch(
      ["CREATE TABLE t (x)", "INSERT INTO t VALUES (1)"],
      "write",
    );
  });
  after(async () => {
    for (const client of open) client.close();
    await platform.close();
  });

  it("open their database only", async () => {
    const token = await mint(api, "databases/a");
    assert.equal((await connect("a", token).execute("SELECT x FROM t")).rows.length, 1);
    await refused("b", token);
    await refused("a", undefined);
    await refused("a", platform.apiToken);
    await refused("a", "a.b.c");
  });

  it("of a group open all its databases, also those made later, and no others", async () => {
    const token = await mint(api, "groups/one");
    await api.ok("POST", "/databases", { name: "later", group: "one" });
    for (const name of ["a", "b", "later"]) await connect(name, token).execute("SELECT 1");
    await refused("c", token);
  });

  it("that read only cannot write, in whatever way it is put", async () => {
    const client = connect("a", await mint(api, "databases/a", "authorization=read-only"));
    assert.equal((await client.execute("SELECT count(*) AS n FROM t")).rows[0]?.["n"], 1);
    const writes = [
      "INSERT INTO t VALUES (2)",
      "WITH v AS (SELECT 2) INSERT INTO t SELECT * FROM v",
      "CREATE TABLE u (x)",
      "DROP TABLE t",
      "/* SELECT */ DELETE FROM t",
    ];
    for (const sql of writes) {
      const error = await failure(client.execute(sql));
      assert.match(`${error.code} ${error.message}`, /READONLY|BLOCKED|read-?only|not authorized/i, sql);
    }
    await failure(client.batch(["INSERT INTO t VALUES (2)"], "write"));
    await failure(client.executeMultiple("PRAGMA query_only = OFF; INSERT INTO t VALUES (2);"));
    assert.equal((await connect("a", await mint(api, "databases/a")).execute("SELECT * FROM t")).rows.length, 1);
  });

  it("carry what was asked for", async () => {
    const { database } = await api.ok<{ database: { DbId: string } }>("GET", "/databases/a");
    const now = Math.floor(Date.now() / 1000);
    for (const [expiration, seconds] of [
      ["7d", 604_800],
      ["1h30m", 5_400],
      ["2w1d30m", 1_297_800],
    ] as const) {
      const { exp, iat } = claims(await mint(api, "databases/a", `expiration=${expiration}`)) as {
        exp: number;
        iat: number;
      };
      assert.equal(exp - iat, seconds);
      assert.ok(Math.abs(iat - now) <= 5);
    }
    const never = claims(await mint(api, "databases/a", "expiration=never&authorization=full-access"));
    assert.deepEqual([never["id"], never["a"], never["exp"]], [database.DbId, "rw", undefined]);
    const group = claims(await mint(api, "groups/one", "authorization=read-only"));
    assert.deepEqual([typeof group["gid"], group["a"], group["id"]], ["string", "ro", undefined]);
  });

  for (const expiration of [
    "soon",
    "7",
    "7 d",
    "-1d",
    "1y",
    "1.5h",
    "d",
    "0s",
    "0",
    "7d,",
    "Never",
    "9999999999999999w",
  ]) {
    it(`have no expiration of "${expiration}"`, async () => {
      for (const subject of ["databases/a", "groups/one"]) {
        const answer = await api("POST", `/${subject}/auth/tokens?expiration=${encodeURIComponent(expiration)}`);
        assert.deepEqual(answer, { status: 400, body: { error: "Invalid expiration format" } });
      }
    });
  }

  for (const body of [
    { permissions: {} },
    { permissions: { read_attach: { databases: [] } } },
    { permissions: { read_attach: { databases: ["b"] } } },
    { fine_grained_permissions: [{ t: ["t"], a: ["data_read"] }] },
  ]) {
    it(`have no ${JSON.stringify(body)}`, async () => {
      for (const subject of ["databases/a", "groups/one"]) {
        const answer = await api("POST", `/${subject}/auth/tokens`, body);
        const error = "Permissions are not supported for db-api controlled databases";
        assert.deepEqual(answer, { status: 400, body: { error } });
      }
    });
  }

  it("end at their time", async () => {
    const client = connect("a", await mint(api, "databases/a", "expiration=1s"));
    const deadline = Date.now() + 5_000;
    let last: Failure | undefined;
    while (!last && Date.now() < deadline)
      last = await client.execute("SELECT 1").then(
        () => undefined,
        (error: unknown) => error as Failure,
      );
    assert.equal(last?.cause?.status, 401);
  });

  it("forged, unsigned or of another key, open nothing", async () => {
    const { id } = claims(await mint(api, "databases/a")) as { id: string };
    const iat = Math.floor(Date.now() / 1000);
    await refused("a", signToken(newKey(), { id, a: "rw", iat }));
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
    await refused("a", `${part({ alg: "none" })}.${part({ id, a: "rw", iat })}.`);
    await refused("a", `${part({ alg: "EdDSA" })}.${part({ id, a: "rw", iat })}.`);
    const [head, , signature] = (await mint(api, "databases/a", "authorization=read-only")).split(".");
    await refused("a", `${head}.${part({ id, a: "rw", iat })}.${signature}`);
  });

  it("die with the key: a database's rotation reaches its own tokens, a group's all of them", async () => {
    const [own, neighbour, group, other] = await Promise.all([
      mint(api, "databases/a"),
      mint(api, "databases/b"),
      mint(api, "groups/one"),
      mint(api, "groups/two"),
    ]);
    for (const [name, token] of [
      ["a", own],
      ["b", neighbour],
      ["a", group],
      ["c", other],
    ] as const)
      await connect(name, token).execute("SELECT 1");
    await api.ok("POST", "/databases/a/auth/rotate");
    await refused("a", own);
    await connect("b", neighbour).execute("SELECT 1");
    await connect("a", group).execute("SELECT 1");
    const fresh = await mint(api, "databases/a");
    await connect("a", fresh).execute("SELECT 1");
    await api.ok("POST", "/groups/one/auth/rotate");
    for (const [name, token] of [
      ["a", fresh],
      ["b", neighbour],
      ["a", group],
    ] as const)
      await refused(name, token);
    await connect("c", other).execute("SELECT 1");
    await connect("a", await mint(api, "groups/one")).execute("SELECT 1");
  });

  it("of a deleted database do not open its successor of the same name", async () => {
    await api.ok("POST", "/databases", { name: "again", group: "one" });
    const token = await mint(api, "databases/again");
    await connect("again", token).execute("CREATE TABLE kept (x)");
    await api.ok("DELETE", "/databases/again");
    assert.equal((await failure(connect("again", token).execute("SELECT 1"))).cause?.status, 404);
    await api.ok("POST", "/databases", { name: "again", group: "one" });
    await refused("again", token);
    const { rows } = await connect("again", await mint(api, "databases/again")).execute(
      "SELECT name FROM sqlite_schema",
    );
    assert.deepEqual(rows, []);
  });

  it("do not pass a block", async () => {
    const client = connect("b", await mint(api, "databases/b"));
    await client.execute("CREATE TABLE IF NOT EXISTS t (x)");
    await api.ok("PATCH", "/databases/b/configuration", { block_writes: true });
    assert.equal((await failure(client.execute("INSERT INTO t VALUES (1)"))).code, "BLOCKED");
    await client.execute("SELECT * FROM t");
    await api.ok("PATCH", "/databases/b/configuration", { block_writes: false, block_reads: true });
    assert.equal((await failure(client.execute("SELECT * FROM t"))).code, "BLOCKED");
    await api.ok("PATCH", "/databases/b/configuration", { block_reads: false });
    await client.execute("INSERT INTO t VALUES (1)");
  });
});
