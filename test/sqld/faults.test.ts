import assert from "node:assert/strict";
import { type ErrorCode, TenantryError, hasCode } from "../../provider/platform/errors";
import type { Platform } from "../../provider/platform/platform";
import { newSigningKey } from "../../provider/signing-key";
import { type SqldCall, type SqldFate, faultySqld } from "../support/faulty-sqld";
import { formsOf } from "../support/secret-search";
import { type ServedSqld, describeWithSqld, serveSqld } from "../support/sqld";

/** What a process asks, each on a database of its own. `changes`: it writes. */
const calls: Record<string, { changes: boolean; run: (platform: Platform, name: string) => Promise<unknown> }> = {
  account: { changes: false, run: (platform) => platform.account() },
  usage: { changes: false, run: (platform) => platform.usage() },
  listGroups: { changes: false, run: (platform) => platform.listGroups() },
  getGroup: { changes: false, run: (platform) => platform.getGroup("g") },
  createGroup: {
    changes: true,
    run: (platform, name) => platform.createGroup({ name: `${name}-g`, location: "default" }),
  },
  configureGroup: { changes: true, run: (platform) => platform.configureGroup("g", { deleteProtection: false }) },
  deleteGroup: { changes: true, run: (platform, name) => platform.deleteGroup(`${name}-none`) },
  listDatabases: {
    changes: false,
    async run(platform) {
      const names: string[] = [];
      for await (const { name } of platform.listDatabases({ group: "g" })) names.push(name);
      assert.ok(names.includes("present"));
    },
  },
  getDatabase: { changes: false, run: async (platform) => assert.ok(await platform.getDatabase("present")) },
  createDatabase: {
    changes: true,
    run: (platform, name) => platform.createDatabase({ name: `${name}-new`, group: "g" }),
  },
  copyDatabase: {
    changes: true,
    run: (platform, name) =>
      platform.createDatabase({ name: `${name}-copy`, group: "g", seed: { database: "present" } }),
  },
  getConfiguration: { changes: false, run: async (platform) => assert.ok(await platform.getConfiguration("present")) },
  configureDatabase: { changes: true, run: (platform, name) => platform.configureDatabase(name, { blockReads: true }) },
  deleteDatabase: { changes: true, run: (platform, name) => platform.deleteDatabase(name) },
  mintToken: {
    changes: false,
    run: (platform) => platform.mintToken({ database: "present" }, { access: "read-only", lifetime: 60 }),
  },
  mintGroupToken: {
    changes: false,
    run: (platform) => platform.mintToken({ group: "g" }, { access: "read-only", lifetime: 60 }),
  },
  rotateTokens: { changes: true, run: (platform, name) => platform.rotateTokens({ database: name }) },
};

/** A fault at one request passes unnoticed, or says of a create that it may have been done. */
const once: Record<string, SqldFate> = {
  "429": { status: 429, text: '{"error":"slow down"}' },
  "half an answer": { status: 200, text: '{"block_re' },
  "a connection that ends before": "drop",
  "a connection that ends after": "lose",
};

const always: Record<string, { fate: SqldFate; codes: ErrorCode[] }> = {
  "429": { fate: { status: 429, text: '{"error":"slow down"}' }, codes: ["rate-limited"] },
  "500": { fate: { status: 500, text: '{"error":"oops"}' }, codes: ["unavailable"] },
  "502": { fate: { status: 502, text: "<html>bad gateway</html>" }, codes: ["unavailable"] },
  HTML: { fate: { status: 200, text: "<html>hello</html>" }, codes: ["bad-answer"] },
  "an answer to something else": { fate: { status: 200, text: '{"hello":1}' }, codes: ["bad-answer"] },
  "a success with an error in it": { fate: { status: 200, text: '{"error":"but no"}' }, codes: ["bad-answer"] },
  "a proxy's 404": { fate: { status: 404, text: '{"error":"no such page"}' }, codes: ["bad-answer", "invalid-input"] },
  "403": { fate: { status: 403, text: '{"error":"no"}' }, codes: ["forbidden"] },
  silence: { fate: "silent", codes: ["timed-out"] },
  "connections that end": { fate: "drop", codes: ["unreachable"] },
};

describeWithSqld("libsql-server driver under faults", () => {
  let sqld: ServedSqld;
  let whole: Platform;
  let count = 0;
  before(async () => {
    sqld = await serveSqld();
    whole = sqld.platform();
    await whole.createGroup({ name: "g", location: "default" });
    await whole.createDatabase({ name: "present", group: "g" });
  });
  after(() => sqld?.close());

  const fresh = async (): Promise<string> => {
    const name = `db-${++count}`;
    await whole.createDatabase({ name, group: "g" });
    return name;
  };

  /** What came of one call on a line with faults, beginning at the nth request of the call itself. */
  const on = async (run: (platform: Platform, name: string) => Promise<unknown>, fate: (n: number) => SqldFate) => {
    const name = await fresh();
    let begun = Infinity;
    const line = await faultySqld(sqld, ({ n }: SqldCall) => (n > begun ? fate(n - begun) : "pass"), {
      timeout: fate(1) === "silent" ? 200 : 5_000,
    });
    try {
      // The catalogue's tables, once a process.
      await line.platform.listGroups();
      begun = line.calls.length;
      const error = await run(line.platform, name).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (error !== undefined) assertClean(error);
      return { error, requests: line.calls.length - begun };
    } finally {
      await line.close();
      await whole.deleteDatabase(name);
    }
  };

  /** A TenantryError for people, without a secret in any form. */
  const assertClean = (error: unknown): void => {
    assert.ok(error instanceof TenantryError, String(error));
    const said = `${error.message} ${error.stack} ${error.platformText}`;
    for (const secret of [sqld.signingKey, sqld.adminKey]) {
      for (const form of formsOf(secret)) assert.ok(!said.includes(form), "a secret is in the message");
    }
    assert.ok(!/eyJ[\w-]+\./.test(said), "a token is in the message");
  };

  for (const [title, { changes, run }] of Object.entries(calls)) {
    it(`${title}: one fault at any request`, async () => {
      for (const [what, fate] of Object.entries(once)) {
        for (let at = 1; ; at++) {
          const { error, requests } = await on(run, (n) => (n === at ? fate : "pass"));
          const where = `${what} at request ${at}: ${String(error)}`;
          // A create whose reply was lost finds its own name taken, and says that it may be its own.
          if (error !== undefined)
            assert.ok(changes && hasCode(error, "already-exists") && error.afterLostReply, where);
          if (requests < at) break;
        }
      }
    });

    it(`${title}: faults without end`, async () => {
      for (const [what, { fate, codes }] of Object.entries(always)) {
        const { error, requests } = await on(run, () => fate);
        assert.ok(hasCode(error, ...codes), `${what}: ${String(error)}`);
        assert.ok(requests <= 8, `${what}: ${requests} requests`);
      }
    });
  }

  it("says of a wrong admin key and of another signing key what they are, once", async () => {
    const wrongKey = sqld.platform({ apiToken: "wrong-admin-key" });
    await assert.rejects(wrongKey.account(), (error) => {
      assertClean(error);
      return hasCode(error, "credentials-rejected") && /--admin-auth-key/.test(error.message);
    });
    const wrongSignature = sqld.platform({ signingKey: newSigningKey() });
    await assert.rejects(wrongSignature.listGroups(), (error) => {
      assertClean(error);
      return hasCode(error, "credentials-rejected") && /another signing key/.test(error.message);
    });
  });
});
