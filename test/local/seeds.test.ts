import assert from "node:assert/strict";
import { utimes } from "node:fs/promises";
import { join } from "node:path";
import { type LocalPlatform, startLocalPlatform } from "../../provider/local";
import { type Client, createClient } from "../../provider/platform/libsql-client";
import { type ApiCaller, apiCaller, mint } from "./api-caller";

describe("embedded platform: seeds", function () {
  // Generous: only a hang is a failure, and the machine may be busy.
  this.timeout(60_000);
  let platform: LocalPlatform;
  let api: ApiCaller;
  let token: string;
  const open: Client[] = [];
  before(async () => {
    platform = await startLocalPlatform();
    api = apiCaller(platform, "local");
    await api.ok("POST", "/groups", { name: "g", location: "local" });
    token = await mint(api, "groups/g");
  });
  afterEach(() => open.splice(0).forEach((client) => client.close()));
  after(() => platform.close());

  const connect = (name: string): Client => {
    const client = createClient({ url: platform.databaseUrl(name), authToken: token });
    open.push(client);
    return client;
  };
  const hour = 3_600_000;
  const ago = (ms: number): string => new Date(Date.now() - ms).toISOString();
  const seeded = (name: string, source: string, timestamp?: unknown) =>
    api("POST", "/databases", { name, group: "g", seed: { type: "database", name: source, timestamp } });
  const refusal = async (call: ReturnType<ApiCaller>): Promise<string> => {
    const { status, body } = await call;
    assert.equal(status, 400, JSON.stringify(body));
    return (body as { error: string }).error;
  };
  const exists = async (name: string): Promise<boolean> => (await api("GET", `/databases/${name}`)).status === 200;

  /** A database with one row, whose files say that it was last written to so long ago. */
  const written = async (name: string, before: number): Promise<void> => {
    const { database } = await api.ok<{ database: { DbId: string } }>("POST", "/databases", { name, group: "g" });
    await connect(name).batch(["CREATE TABLE t (x)", "INSERT INTO t VALUES (1)"], "write");
    const file = join(platform.directory, "databases", "local", `${database.DbId}.db`);
    const time = new Date(Date.now() - before);
    for (const part of ["", "-wal"]) await utimes(file + part, time, time);
  };

  it("take a moment since which nothing was written: the present is its content", async () => {
    await written("quiet", 2 * hour);
    for (const name of ["branch", "branch-again"]) {
      assert.equal((await seeded(name, "quiet", ago(hour))).status, 200);
      assert.equal((await connect(name).execute("SELECT * FROM t")).rows.length, 1);
    }
    await connect("quiet").execute("SELECT * FROM t");
    const offset = `${new Date(Date.now() - hour + 2 * hour).toISOString().slice(0, 19)}+02:00`;
    assert.equal((await seeded("reading-is-no-writing", "quiet", offset)).status, 200);
    const { database } = await api.ok<{ database: { parent: { name: string } } }>("GET", "/databases/branch");
    assert.equal(database.parent.name, "quiet");
  });

  it("refuse a moment after which something was written, and say what to do", async () => {
    await written("busy", 2 * hour);
    const error = await refusal(seeded("late", "busy", ago(3 * hour)));
    assert.match(error, /busy was made or written to later.*no history.*Leave the timestamp out/);
    await connect("busy").execute("INSERT INTO t VALUES (2)");
    assert.match(await refusal(seeded("late", "busy", ago(hour))), /no history/);
    assert.equal(await exists("late"), false);
    assert.equal((await seeded("late", "busy")).status, 200);
  });

  it("refuse a moment before the database, in the future, or that is none", async () => {
    await api.ok("POST", "/databases", { name: "young", group: "g" });
    assert.match(await refusal(seeded("x", "young", "2020-01-01T00:00:00Z")), /was made or written to later/);
    assert.match(await refusal(seeded("x", "young", ago(-hour))), /in the future/);
    for (const wrong of ["yesterday", 5, "2026-01-01", "2026-01-01T00:00:00"])
      assert.match(await refusal(seeded("x", "young", wrong)), /invalid seed timestamp/);
    assert.equal(await exists("x"), false);
  });

  it("leave nothing where the source is written to while it is copied", async () => {
    await written("moving", 2 * hour);
    const timestamp = ago(hour);
    const [answer] = await Promise.all([
      seeded("torn", "moving", timestamp),
      ...Array.from({ length: 20 }, () => connect("moving").execute("INSERT INTO t VALUES (2)")),
    ]);
    // Whichever came first: the copy holds the content of that moment, or there is none.
    if (answer.status === 200) assert.equal((await connect("torn").execute("SELECT * FROM t")).rows.length, 1);
    else assert.equal(await exists("torn"), false);
    assert.match(await refusal(seeded("torn-too", "moving", timestamp)), /no history/);
  });

  it("of an upload begin empty", async () => {
    await api.ok("POST", "/databases", { name: "shell", group: "g", seed: { type: "database_upload" } });
    assert.deepEqual((await connect("shell").execute("SELECT * FROM sqlite_schema")).rows, []);
  });
});
