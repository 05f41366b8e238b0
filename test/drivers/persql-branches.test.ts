import assert from "node:assert/strict";
import { persqlPlatform } from "../../provider/drivers/persql";
import { failure } from "../support/persql/driver";
import { slugOf } from "../support/persql/namespace";
import { type Meeting, type Persql, withPersql } from "../support/persql/server";

const spec = { access: "read-write", lifetime: 86_400 } as const;

async function withBolt(
  use: (platform: ReturnType<typeof persqlPlatform>, persql: Persql) => Promise<void>,
  meet?: Meeting,
): Promise<void> {
  await withPersql(
    async (persql) => {
      const settings = { apiUrl: persql.url, apiToken: persql.adminToken, retry: { base: 1, longest: 4 } };
      const platform = persqlPlatform(settings);
      const bolt = await platform.createDatabase({ name: "bolt", group: "acme" });
      const sql = platform.openSql!({ name: "bolt", url: platform.databaseUrl(bolt) }, { access: "full-access" });
      await sql.batch(["CREATE TABLE t (x)", "INSERT INTO t VALUES (1)"], "write");
      await use(platform, persql);
    },
    { meet },
  );
}

/** Writes a row into a branch, as whoever has its token. */
async function write({ url, namespace }: Persql, token: string): Promise<() => number> {
  const branch = [...namespace.databases.values()].find(({ branchRef }) => branchRef !== undefined)!;
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const body = JSON.stringify({ sql: "INSERT INTO t VALUES (7)" });
  const reply = await fetch(`${url}/v1/db/acme/${branch.slug}/query`, { method: "POST", headers, body });
  assert.equal(reply.status, 200);
  return () => {
    const now = [...namespace.databases.values()].find(({ branchRef }) => branchRef !== undefined)!;
    return now.sqlite.tables().find(({ name }) => name === "t")!.rowCount;
  };
}

describe("persql driver: branches", () => {
  it("have the tables and no rows, and a second create leaves the first as it is", async () => {
    await withBolt(async ({ branches }, persql) => {
      const { token, expiresAt } = await branches.create("bolt", "pr/42", spec);
      assert.ok(Math.abs(expiresAt!.getTime() - Date.now() - 86_400_000) < 60_000);
      const rows = await write(persql, token);
      assert.equal(rows(), 1);
      const again = await failure(branches.create("bolt", "pr/42", spec));
      assert.deepEqual([again.code, again.afterLostReply, rows()], ["already-exists", false, 1]);
      assert.deepEqual(
        (await branches.list("bolt")).map(({ ref }) => ref),
        ["pr/42"],
      );
      await branches.reset("bolt", "pr/42", spec);
      assert.equal(rows(), 0);
      await branches.delete("bolt", "pr/42");
      await branches.delete("bolt", "pr/42");
      assert.deepEqual(await branches.list("bolt"), []);
      assert.equal((await failure(branches.reset("bolt", "pr/42", spec))).code, "database-not-found");
      assert.ok(persql.namespace.databases.has(slugOf("bolt")));
    });
  });

  it("are claimed once: a claim whose reply was lost is not sent again, and could be another's by then", async () => {
    let claims = 0;
    await withBolt(
      async ({ branches }) => {
        const lost = await failure(branches.create("bolt", "pr", spec));
        assert.deepEqual([lost.code, lost.afterLostReply, claims], ["unreachable", true, 1]);
        assert.equal((await failure(branches.create("bolt", "pr", spec))).code, "already-exists");
        assert.equal(claims, 1);
      },
      ({ path }, answer) => {
        const reply = answer();
        if (!path.endsWith("/claim_branch")) return reply;
        claims += 1;
        return { fault: "drop" };
      },
    );
  });

  it("say so when two made one at the same time", async () => {
    let race = true;
    await withBolt(
      async ({ branches }) => {
        const error = await failure(branches.create("bolt", "pr", spec));
        assert.deepEqual([error.code, error.afterLostReply], ["already-exists", true]);
        assert.match(error.message, /made by somebody else in this moment, and is now empty/);
      },
      ({ path }, answer) => {
        if (path.endsWith("/claim_branch") && race) {
          race = false;
          answer();
        }
        return answer();
      },
    );
  });

  it("refuse names and lifetimes that there are none of, before anything is sent", async () => {
    await withBolt(async ({ branches }, persql) => {
      assert.equal((await failure(branches.create("bolt", "-x", spec))).code, "invalid-input");
      assert.equal((await failure(branches.create("bolt", "x", { ...spec, lifetime: 59 }))).code, "unsupported");
      assert.equal((await failure(branches.create("gone", "x", spec))).code, "database-not-found");
      assert.ok(!persql.requests.some(({ path }) => path.endsWith("/claim_branch")));
    });
  });
});
