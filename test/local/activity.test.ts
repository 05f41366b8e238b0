import assert from "node:assert/strict";
import { type LocalPlatform, startLocalPlatform } from "../../provider/local";
import { createUsage } from "../../provider/local/store/usage";
import { createClient } from "../../provider/platform/libsql-client";
import { type ApiCaller, apiCaller, mint } from "./api-caller";

interface UsageBody {
  readonly database: {
    readonly uuid: string;
    readonly instances: readonly { readonly uuid: string; readonly usage: Record<string, number> }[];
    readonly total: Record<string, number>;
  };
}

describe("embedded platform: a database's instances, usage and statistics", () => {
  let platform: LocalPlatform;
  let api: ApiCaller;
  let id: string;
  before(async () => {
    platform = await startLocalPlatform();
    api = apiCaller(platform, "local");
    await api.ok("POST", "/groups", { name: "eu", location: "aws-eu-west-1" });
    const made = await api.ok<{ database: { DbId: string } }>("POST", "/databases", { name: "shop", group: "eu" });
    id = made.database.DbId;
  });
  after(() => platform.close());

  it("is one instance, in the group's place", async () => {
    const instance = {
      uuid: id,
      name: "aws-eu-west-1",
      type: "primary",
      region: "aws-eu-west-1",
      hostname: "shop-local.tenantry.localhost",
    };
    assert.deepEqual(await api.ok("GET", "/databases/shop/instances"), { instances: [instance] });
    assert.deepEqual(await api.ok("GET", "/databases/shop/instances/aws-eu-west-1"), { instance });
    assert.equal((await api("GET", "/databases/shop/instances/moon")).status, 404);
  });

  it("shows what is on disk, in total and for the instance, in any period", async () => {
    for (const query of [
      "",
      "?from=2023-01-01T00:00:00Z&to=2023-02-01T00:00:00.5%2B02:00",
      "?to=2999-01-01T00:00:00Z",
    ]) {
      const { database } = await api.ok<UsageBody>("GET", `/databases/shop/usage${query}`);
      assert.ok((database.total["storage_bytes"] ?? 0) > 0);
      assert.deepEqual(database, { uuid: id, instances: [{ uuid: id, usage: database.total }], total: database.total });
      assert.deepEqual(Object.keys(database.total), ["rows_read", "rows_written", "storage_bytes", "bytes_synced"]);
    }
  });

  it("has no statistics before its first statement", async () => {
    assert.deepEqual(await api.ok("GET", "/databases/shop/stats"), { top_queries: null });
  });

  for (const query of ["from=2023-12-12T00:00:00", "to=yesterday", "from=2023-99-01T00:00:00Z", "to="]) {
    it(`refuses the period ${query}`, async () => {
      const answer = await api("GET", `/databases/shop/usage?${query}`);
      assert.equal(answer.status, 400);
      assert.match((answer.body as { error: string }).error, /^invalid (?:from|to) parameter: /);
    });
  }

  it("refuses a period that ends before it begins", async () => {
    const query = "from=2024-01-01T00:00:00Z&to=2023-01-01T00:00:00Z";
    assert.equal((await api("GET", `/databases/shop/usage?${query}`)).status, 400);
  });

  it("tells what SQL has done", async () => {
    const database = createClient({ url: platform.databaseUrl("shop"), authToken: await mint(api, "groups/eu") });
    await database.execute("CREATE TABLE counted (x)");
    await database.execute("INSERT INTO counted VALUES (1), (2)");
    await database.execute("SELECT x FROM counted");
    database.close();
    // Processes tell a few times a second.
    let total: UsageBody["database"]["total"];
    do ({ total } = (await api.ok<UsageBody>("GET", "/databases/shop/usage")).database);
    while ((total.rows_read ?? 0) < 2);
    assert.deepEqual([total.rows_read, total.rows_written], [2, 2]);
    type Stats = { top_queries: { query: string; rows_read: number; rows_written: number }[] };
    const { top_queries } = await api.ok<Stats>("GET", "/databases/shop/stats");
    assert.deepEqual(
      top_queries
        .slice(0, 2)
        .map(({ query }) => query)
        .sort(),
      ["INSERT INTO counted VALUES (1), (2)", "SELECT x FROM counted"],
    );
  });

  it("answers 404 for a database that is not there", async () => {
    for (const part of ["instances", "instances/local", "usage", "stats"])
      assert.equal((await api("GET", `/databases/none/${part}`)).status, 404, part);
  });
});

describe("embedded platform: usage counters", () => {
  const one = (sql: string, rowsRead: number, rowsWritten = 0) => [{ sql, rowsRead, rowsWritten }];

  it("add up for each database, and the heaviest statements come first", () => {
    const usage = createUsage();
    usage.add("a", one("light", 1));
    usage.add("a", one("heavy", 5, 5));
    usage.add("a", one("light", 2));
    usage.add("b", one("other", 7));
    assert.deepEqual(usage.of("a"), {
      rowsRead: 8,
      rowsWritten: 5,
      topQueries: [
        { sql: "heavy", rowsRead: 5, rowsWritten: 5 },
        { sql: "light", rowsRead: 3, rowsWritten: 0 },
      ],
    });
    usage.forget("a");
    assert.deepEqual(usage.of("a"), { rowsRead: 0, rowsWritten: 0, topQueries: [] });
    assert.equal(usage.of("b").rowsRead, 7);
  });

  it("keep few statements and short ones, and let a late heavy one in", () => {
    const usage = createUsage();
    for (let i = 1; i <= 5_000; i++) usage.add("a", one(`SELECT ${i}`, 10));
    usage.add("a", one("x".repeat(1_000_000), 1_000));
    const { rowsRead, topQueries } = usage.of("a");
    assert.equal(rowsRead, 51_000);
    assert.equal(topQueries.length, 10);
    assert.equal(topQueries[0]?.rowsRead, 1_000);
    assert.ok(topQueries.every(({ sql }) => sql.length <= 1_001));
  });

  it("keep nothing of a database that is gone, however late they are told", () => {
    const usage = createUsage((id) => id === "a");
    usage.add("a", one("here", 1));
    usage.add("gone", one("late", 1));
    assert.equal(usage.of("a").rowsRead, 1);
    assert.equal(usage.of("gone").rowsRead, 0);
  });
});
