import assert from "node:assert/strict";
import { hasCode } from "../../provider/platform/errors";
import type { Platform, PlatformDatabase } from "../../provider/platform/platform";
import { openSql } from "../../provider/platform/sql";
import { type SqldFate, faultySqld } from "../support/faulty-sqld";
import { type ServedSqld, describeWithSqld, serveSqld } from "../support/sqld";

const spec = { access: "full-access", lifetime: 600 } as const;
let count = 0;
const fresh = (): string => `db-${++count}`;

async function answers(platform: Platform, database: PlatformDatabase, token: string, sql = "SELECT 1 AS x") {
  const opened = openSql({ url: platform.databaseUrl(database), token: async () => token });
  try {
    return (await opened.execute({ sql, args: [] })).rows;
  } finally {
    opened.close();
  }
}

const opens = async (platform: Platform, database: PlatformDatabase, token: string): Promise<boolean> =>
  answers(platform, database, token).then(
    () => true,
    (error) => (hasCode(error, "credentials-rejected") ? false : Promise.reject(error)),
  );

const tokenFor = async (platform: Platform, database: string): Promise<string> =>
  (await platform.mintToken({ database }, spec)).token;

describeWithSqld("libsql-server driver, when a process ends at any of its requests", () => {
  let sqld: ServedSqld;
  let whole: Platform;
  before(async () => {
    sqld = await serveSqld();
    whole = sqld.platform();
    await whole.createGroup({ name: "g", location: "default" });
  });
  after(() => sqld?.close());

  /**
   * `work` in a process that ends at its nth request, before or after the server did it, for each n; what a later process
   * finds and does is `after`'s.
   */
  const dying = async (
    prepare: () => Promise<string>,
    work: (platform: Platform, name: string) => Promise<unknown>,
    after: (name: string, how: string) => Promise<void>,
  ): Promise<void> => {
    for (const fate of ["drop-and-die", "lose-and-die"] satisfies SqldFate[]) {
      for (let n = 1; ; n++) {
        const name = await prepare();
        const line = await faultySqld(sqld, (call) => (call.n === n ? fate : "pass"));
        const ended = await work(line.platform, name).then(
          () => "whole",
          () => "died",
        );
        await line.close();
        await after(name, `${fate} at request ${n}`);
        if (line.calls.length < n) {
          assert.equal(ended, "whole");
          break;
        }
      }
    }
  };

  it("a create is begun anew or found whole, never lost and never twice", async () => {
    await dying(
      async () => fresh(),
      (platform, name) => platform.createDatabase({ name, group: "g" }),
      async (name, how) => {
        const found = await whole.getDatabase(name);
        const made = await whole.createDatabase({ name, group: "g" }).catch((error: unknown) => {
          assert.ok(hasCode(error, "already-exists"), `${how}: ${String(error)}`);
          return whole.getDatabase(name);
        });
        assert.ok(made, how);
        if (found) assert.equal(made.id, found.id, how);
        assert.ok(await opens(whole, made, await tokenFor(whole, name)), how);
        await whole.deleteDatabase(name);
      },
    );
  });

  it("a copy too; and its source's tokens do not open it for longer than until somebody looks", async () => {
    const source = await whole.createDatabase({ name: "source", group: "g" });
    const sources = await tokenFor(whole, source.name);
    await answers(whole, source, sources, "CREATE TABLE t (x)");
    await dying(
      async () => fresh(),
      (platform, name) => platform.createDatabase({ name, group: "g", seed: { database: "source" } }),
      async (name, how) => {
        const seed = { database: "source" };
        const made = await whole.createDatabase({ name, group: "g", seed }).catch((error: unknown) => {
          assert.ok(hasCode(error, "already-exists"), `${how}: ${String(error)}`);
          return whole.getDatabase(name);
        });
        assert.ok(made, how);
        assert.deepEqual(await answers(whole, made, await tokenFor(whole, name), "SELECT x FROM t"), [], how);
        assert.equal(await opens(whole, made, sources), false, how);
        await whole.deleteDatabase(name);
      },
    );
  });

  it("a delete is done by the next one, and the name used again has other tokens", async () => {
    let old: string;
    let oldId: string;
    await dying(
      async () => {
        const made = await whole.createDatabase({ name: fresh(), group: "g" });
        oldId = made.id;
        old = await tokenFor(whole, made.name);
        return made.name;
      },
      (platform, name) => platform.deleteDatabase(name),
      async (name, how) => {
        const taken = await whole.createDatabase({ name, group: "g" }).catch((error: unknown) => {
          assert.ok(hasCode(error, "already-exists"), `${how}: ${String(error)}`);
          return undefined;
        });
        if (!taken) await whole.deleteDatabase(name);
        const next = taken ?? (await whole.createDatabase({ name, group: "g" }));
        assert.notEqual(next.id, oldId, how);
        assert.equal(await opens(whole, next, old), false, how);
        assert.ok(await opens(whole, next, await tokenFor(whole, name)), how);
        await whole.deleteDatabase(name);
      },
    );
  });

  it("a rotation leaves tokens that can be minted, and is complete after the next one", async () => {
    let old: string;
    await dying(
      async () => {
        const { name } = await whole.createDatabase({ name: fresh(), group: "g" });
        old = await tokenFor(whole, name);
        return name;
      },
      (platform, name) => platform.rotateTokens({ database: name }),
      async (name, how) => {
        const database = (await whole.getDatabase(name))!;
        assert.ok(await opens(whole, database, await tokenFor(whole, name)), how);
        await whole.rotateTokens({ database: name });
        assert.equal(await opens(whole, database, old), false, how);
        assert.ok(await opens(whole, database, await tokenFor(whole, name)), how);
        await whole.deleteDatabase(name);
      },
    );
  });

  it("a rotation with a time of grace logs nobody out, however often it is begun anew", async () => {
    let old: string;
    await dying(
      async () => {
        const { name } = await whole.createDatabase({ name: fresh(), group: "g" });
        old = await tokenFor(whole, name);
        return name;
      },
      (platform, name) => platform.rotateTokens({ database: name }, { keepFor: 600 }),
      async (name, how) => {
        const database = (await whole.getDatabase(name))!;
        const between = await tokenFor(whole, name);
        await whole.rotateTokens({ database: name }, { keepFor: 600 });
        for (const token of [old, between, await tokenFor(whole, name)]) {
          assert.ok(await opens(whole, database, token), how);
        }
        await whole.rotateTokens({ database: name });
        for (const token of [old, between]) assert.equal(await opens(whole, database, token), false, how);
        await whole.deleteDatabase(name);
      },
    );
  });

  it("a group's rotation and its delete too", async () => {
    let old: string;
    const inside = (group: string) => [`${group}-a`, `${group}-b`];
    const prepare = async (): Promise<string> => {
      const group = `g${fresh()}`;
      await whole.createGroup({ name: group, location: "default" });
      for (const name of inside(group)) await whole.createDatabase({ name, group });
      old = (await whole.mintToken({ group }, spec)).token;
      return group;
    };
    await dying(
      prepare,
      (platform, group) => platform.rotateTokens({ group }),
      async (group, how) => {
        const { token } = await whole.mintToken({ group }, spec);
        for (const name of inside(group)) assert.ok(await opens(whole, (await whole.getDatabase(name))!, token), how);
        await whole.rotateTokens({ group });
        for (const name of inside(group)) {
          const database = (await whole.getDatabase(name))!;
          for (const past of [old, token]) assert.equal(await opens(whole, database, past), false, how);
        }
        await whole.deleteGroup(group);
      },
    );
    await dying(
      prepare,
      (platform, group) => platform.deleteGroup(group),
      async (group, how) => {
        await whole.deleteGroup(group);
        assert.equal(await whole.getGroup(group), undefined, how);
        for (const name of inside(group)) {
          assert.equal((await sqld.admin("GET", `/v1/namespaces/${name}/config`)).status, 404, how);
        }
      },
    );
  });

  it("settings are as before or as asked, and nothing else is lost of them", async () => {
    await dying(
      async () => {
        const { name } = await whole.createDatabase({ name: fresh(), group: "g" });
        return name;
      },
      (platform, name) => platform.configureDatabase(name, { blockWrites: true, sizeLimit: "1mb" }),
      async (name, how) => {
        await whole.configureDatabase(name, { blockWrites: true, sizeLimit: "1mb" });
        const { blockReads, blockWrites, sizeLimit } = (await whole.getConfiguration(name))!;
        assert.deepEqual([blockReads, blockWrites, sizeLimit], [false, true, "1mb"], how);
        assert.ok(await opens(whole, (await whole.getDatabase(name))!, await tokenFor(whole, name)), how);
        await whole.deleteDatabase(name);
      },
    );
  }).timeout(300_000);
});
