import assert from "node:assert/strict";
import { hasCode } from "../../provider/platform/errors";
import type { Platform, PlatformDatabase, TokenSubject } from "../../provider/platform/platform";
import { openSql } from "../../provider/platform/sql";
import { type ServedSqld, describeWithSqld, serveSqld } from "../support/sqld";

describeWithSqld("libsql-server driver, beside others", () => {
  let sqld: ServedSqld;
  let platform: Platform;
  before(async () => {
    sqld = await serveSqld({ activeNamespaces: 4 });
    platform = sqld.platform();
    await platform.createGroup({ name: "g", location: "default" });
  });
  after(() => sqld?.close());

  it("takes nothing for gone that the server denies for a moment, with more in use than it keeps open", async () => {
    const names = Array.from({ length: 20 }, (_, i) => `many-${i}`);
    for (const name of names) await platform.createDatabase({ name, group: "g" });
    for (let round = 0; round < 5; round++) {
      const found = await Promise.all(names.map((name) => platform.getDatabase(name)));
      assert.deepEqual(
        found.map((one) => one?.name),
        names,
      );
      const listed: string[] = [];
      for await (const { name } of platform.listDatabases({ group: "g" })) listed.push(name);
      assert.deepEqual(listed.sort(), [...names].sort());
    }
  });

  it("leaves namespaces alone that somebody else made, and says that their names are taken", async () => {
    assert.equal((await sqld.admin("POST", "/v1/namespaces/theirs/create", {})).status, 200);
    await assert.rejects(platform.createDatabase({ name: "theirs", group: "g" }), {
      code: "already-exists",
      afterLostReply: false,
    });
    assert.equal(await platform.getDatabase("theirs"), undefined);
    await platform.deleteDatabase("theirs");
    await assert.rejects(platform.createDatabase({ name: "theirs", group: "g", seed: { database: "many-0" } }), {
      code: "already-exists",
    });
    assert.equal((await sqld.admin("GET", "/v1/namespaces/theirs/config")).status, 200);
  });

  it("finds gone what was deleted past it, and makes it anew with another id", async () => {
    const first = await platform.createDatabase({ name: "lost", group: "g" });
    assert.equal((await sqld.admin("DELETE", "/v1/namespaces/lost")).status, 200);
    assert.equal(await platform.getDatabase("lost"), undefined);
    const second = await platform.createDatabase({ name: "lost", group: "g" });
    assert.notEqual(second.id, first.id);
  });

  it("keeps settings that it does not know, through blocks and rotations", async () => {
    const { name } = await platform.createDatabase({ name: "kept", group: "g" });
    const at = `/v1/namespaces/${name}/config`;
    const settings = async () => JSON.parse((await sqld.admin("GET", at)).text) as Record<string, unknown>;
    const by = {
      txn_timeout_s: 7,
      allow_attach: true,
      heartbeat_url: "http://127.0.0.1:9/",
      durability_mode: "strong",
    };
    assert.equal((await sqld.admin("POST", at, { ...(await settings()), ...by, max_db_size: "1mb" })).status, 200);
    await platform.configureDatabase(name, { blockWrites: true });
    await platform.rotateTokens({ database: name });
    const after = await settings();
    assert.deepEqual(Object.fromEntries(Object.keys(by).map((key) => [key, after[key]])), by);
    assert.deepEqual([after["block_writes"], after["max_db_size"]], [true, "999.4 KB"]);
    assert.equal((await platform.getConfiguration(name))?.sizeLimit, "999.4kb");
  });

  it("loses no change of two processes at once", async () => {
    const { name } = await platform.createDatabase({ name: "shared", group: "g" });
    const other = sqld.platform();
    for (const blocked of [true, false, true, false]) {
      const old = (await platform.mintToken({ database: name }, { access: "read-only", lifetime: 60 })).token;
      await Promise.all([
        platform.configureDatabase(name, { blockWrites: blocked }),
        other.rotateTokens({ database: name }),
      ]);
      assert.equal((await platform.getConfiguration(name))?.blockWrites, blocked);
      const url = platform.databaseUrl((await platform.getDatabase(name))!);
      const [past, present] = [
        old,
        (await platform.mintToken({ database: name }, { access: "read-only", lifetime: 60 })).token,
      ].map((token) => openSql({ url, token: async () => token }));
      await assert.rejects(past!.execute({ sql: "SELECT 1", args: [] }), { code: "credentials-rejected" });
      await present!.execute({ sql: "SELECT 1", args: [] });
      past!.close();
      present!.close();
    }
  });

  it("keeps two generations of keys side by side after a rotation, as long as it was asked to", async () => {
    await platform.createGroup({ name: "turning", location: "default" });
    const database = await platform.createDatabase({ name: "turned", group: "turning" });
    const spec = { access: "read-only", lifetime: 600 } as const;
    const mint = async (subject: TokenSubject) => (await platform.mintToken(subject, spec)).token;
    const opens = async (of: PlatformDatabase, token: string): Promise<boolean> => {
      const sql = openSql({ url: platform.databaseUrl(of), token: async () => token });
      return sql
        .execute({ sql: "SELECT 1", args: [] })
        .then(
          () => true,
          (error) => (hasCode(error, "credentials-rejected") ? false : Promise.reject(error)),
        )
        .finally(() => sql.close());
    };
    const both = async () => [await mint({ database: "turned" }), await mint({ group: "turning" })];
    const first = await both();
    await platform.rotateTokens({ group: "turning" }, { keepFor: 600 });
    const second = await both();
    await platform.rotateTokens({ database: "turned" }, { keepFor: 600 });
    const third = await both();
    for (const token of [...first, ...second, ...third]) assert.ok(await opens(database, token));
    // One that is made meanwhile is open to what is still good of its group.
    const made = await platform.createDatabase({ name: "made-meanwhile", group: "turning" });
    await mint({ group: "turning" });
    assert.deepEqual([await opens(made, first[1]!), await opens(made, first[0]!)], [true, false]);
    const { text } = await sqld.admin("GET", "/v1/namespaces/turned/config");
    assert.equal(text.split("BEGIN PUBLIC KEY").length - 1, 6, "two of the group, times two of its own");

    await platform.rotateTokens({ group: "turning" });
    for (const token of [...first, ...second, ...third]) assert.equal(await opens(database, token), false);

    // What was kept for a second is gone when the next token is minted behind it.
    const short = await mint({ database: made.name });
    await platform.rotateTokens({ database: made.name }, { keepFor: 1 });
    let last = await mint({ database: made.name });
    for (let looks = 0; looks < 100 && (await opens(made, short)); looks++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      last = await mint({ database: made.name });
    }
    assert.deepEqual([await opens(made, short), await opens(made, last)], [false, true]);
  });

  it("makes one catalogue of many processes that come first at once", async () => {
    const fresh = await serveSqld();
    try {
      const ids = await Promise.all(
        Array.from({ length: 6 }, async () => (await fresh.platform().scope()).organization),
      );
      assert.equal(new Set(ids).size, 1);
    } finally {
      await fresh.close();
    }
  });

  it("opens the catalogue to no group's token", async () => {
    const { token } = await platform.mintToken({ group: "g" }, { access: "full-access", lifetime: 60 });
    const url = platform.databaseUrl({ name: "tenantry-catalogue", hostname: "" });
    const sql = openSql({ url, token: async () => token });
    await assert.rejects(sql.execute({ sql: "SELECT 1", args: [] }), { code: "credentials-rejected" });
    sql.close();
  });
});
