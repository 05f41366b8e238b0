import assert from "node:assert/strict";
import { tursoPlatform } from "../../provider/drivers/turso";
import { type ErrorCode, TenantryError } from "../../provider/platform/errors";
import type { Platform } from "../../provider/platform/platform";
import {
  type Script,
  type ScriptedReply,
  fakeJwt,
  freshToken,
  refusingUrl,
  withScriptedServer,
} from "../support/scripted-server";

/** Every call of the port, with the good answer to it. */
const calls: Record<string, { run: (platform: Platform) => Promise<unknown>; good: ScriptedReply }> = {
  listLocations: { run: (p) => p.listLocations(), good: { json: { locations: {} } } },
  listGroups: { run: (p) => p.listGroups(), good: { json: { groups: [] } } },
  getGroup: { run: (p) => p.getGroup("eu"), good: { json: { group: { name: "eu", uuid: "g", primary: "x" } } } },
  createGroup: {
    run: (p) => p.createGroup({ name: "eu", location: "x" }),
    good: { json: { group: { name: "eu", uuid: "g", primary: "x" } } },
  },
  configureGroup: { run: (p) => p.configureGroup("eu", { deleteProtection: true }), good: { json: {} } },
  deleteGroup: { run: (p) => p.deleteGroup("eu"), good: { text: "" } },
  listDatabases: { run: (p) => collect(p.listDatabases()), good: { json: { databases: [] } } },
  getDatabase: {
    run: (p) => p.getDatabase("a"),
    good: { json: { database: { Name: "a", DbId: "d", Hostname: "h" } } },
  },
  createDatabase: {
    run: (p) => p.createDatabase({ name: "a", group: "eu" }),
    good: { json: { database: { Name: "a", DbId: "d", Hostname: "h" } } },
  },
  getConfiguration: { run: (p) => p.getConfiguration("a"), good: { json: {} } },
  configureDatabase: { run: (p) => p.configureDatabase("a", { blockReads: true }), good: { json: {} } },
  deleteDatabase: { run: (p) => p.deleteDatabase("a"), good: { json: { database: "a" } } },
  mintToken: {
    run: (p) => p.mintToken({ database: "a" }, { access: "read-only", lifetime: 60 }),
    good: { json: { jwt: fakeJwt({ a: "ro", exp: 2_000_000_000 }) } },
  },
  rotateTokens: { run: (p) => p.rotateTokens({ group: "eu" }), good: { text: "" } },
};

const passing: Record<string, ScriptedReply> = {
  "a dropped connection": { fault: "drop" },
  "half a body": { text: "x".repeat(64), fault: "truncate" },
  "JSON cut off": { text: '{"database":{"Name":' },
  "503": { status: 503, json: { error: "restarting" } },
  "502 with HTML": { status: 502, text: "<html>Bad gateway</html>" },
  "429 with Retry-After": { status: 429, headers: { "retry-after": "0.01" }, json: { error: "slow down" } },
};

const lasting: Record<string, [ScriptedReply, ErrorCode]> = {
  "a dropped connection": [{ fault: "drop" }, "unreachable"],
  "half a body": [{ text: "x".repeat(64), fault: "truncate" }, "unreachable"],
  silence: [{ delay: 200 }, "timed-out"],
  HTML: [{ text: "<html>Sign in</html>" }, "bad-answer"],
  "JSON cut off": [{ text: '{"database":{"Name":' }, "bad-answer"],
  "a proxy's 404": [{ status: 404, text: "no such page" }, "bad-answer"],
  "503": [{ status: 503, json: { error: "restarting" } }, "unavailable"],
  "429": [{ status: 429, json: { error: "slow down" } }, "rate-limited"],
  "402": [{ status: 402, json: { error: "upgrade your plan" } }, "plan-refused"],
  "403": [{ status: 403, json: { error: "no" } }, "forbidden"],
  "an error that is no text": [{ status: 500, json: { error: { reason: ["x"] } } }, "unavailable"],
};

describe("turso driver under faults", () => {
  for (const [name, { run, good }] of Object.entries(calls)) {
    describe(name, () => {
      for (const [fault, reply] of Object.entries(passing)) {
        it(`gets over ${fault}`, async () => {
          await withDriver(
            ({ attempt }) => (attempt === 1 ? reply : good),
            async (platform, requests) => {
              await run(platform);
              assert.equal(requests(), 2);
            },
          );
        });
      }
      for (const [fault, [reply, code]] of Object.entries(lasting)) {
        it(`names ${fault}: ${code}`, async () => {
          await withDriver(
            () => reply,
            async (platform) => {
              await assert.rejects(run(platform), (error: unknown) => {
                assert.ok(error instanceof TenantryError, String(error));
                assert.equal(error.code, code, error.message);
                return true;
              });
            },
            // Only where nothing comes: a loaded machine must not turn another fault into this one.
            code === "timed-out" ? 50 : undefined,
          );
        });
      }
    });
  }

  it("says of a name taken after a lost reply that it may be its own doing", async () => {
    const taken = { status: 400, json: { error: "database with same name already exists" } };
    await withDriver(
      ({ attempt }) => (attempt === 1 ? { fault: "drop" } : taken),
      async (platform) => {
        const create = platform.createDatabase({ name: "a", group: "eu" });
        await assert.rejects(create, { code: "already-exists", afterLostReply: true });
      },
    );
    await withDriver(
      () => taken,
      async (platform) => {
        const create = platform.createDatabase({ name: "a", group: "eu" });
        await assert.rejects(create, { code: "already-exists", afterLostReply: false });
      },
    );
  });

  it("spends one request on a wrong token, whatever is asked at the same time", async () => {
    await withDriver(
      () => ({ status: 401, json: { error: "bad token" }, delay: 5 }),
      async (platform, requests) => {
        const runs = Object.entries(calls).filter(([name]) => name !== "listLocations");
        const results = await Promise.allSettled(runs.map(([, { run }]) => run(platform)));
        assert.ok(results.every(({ status }) => status === "rejected"));
        assert.equal(requests(), 1);
      },
    );
  });

  it("finds out once that nobody is there", async () => {
    const platform = tursoPlatform({ ...settings, apiUrl: await refusingUrl(), apiToken: freshToken() });
    const results = await Promise.allSettled(Object.values(calls).map(({ run }) => run(platform)));
    for (const result of results) assert.ok(result.status === "rejected" && result.reason.code === "unreachable");
  });
});

const settings = {
  organization: "acme",
  retry: { attempts: 2, outageAttempts: 2, unreadableAttempts: 2, base: 1, longest: 2 },
};

async function withDriver(
  script: Script,
  use: (platform: Platform, requests: () => number) => Promise<void>,
  timeout?: number,
): Promise<void> {
  await withScriptedServer(script, (server) =>
    use(
      tursoPlatform({ ...settings, timeout, apiUrl: server.url, apiToken: freshToken() }),
      () => server.requests.length,
    ),
  );
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}
