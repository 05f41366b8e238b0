import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readEndpoint, startLocalPlatform } from "../../provider/local";
import type { LocalPlatform } from "../../provider/local";
import { openDatabaseFiles } from "../../provider/local/store/database-files";
import { hasCode } from "../../provider/platform/errors";
import { createClient } from "../../provider/platform/libsql-client";
import type { Client } from "../../provider/platform/libsql-client";
import { apiCaller, mint } from "./api-caller";
import { runChild } from "./child";
import type { Child } from "./child";

describe("embedded platform: its folder", function () {
  this.timeout(60_000);
  let directory: string;
  const children: Child[] = [];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tenantry-test-"));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await child.end("SIGKILL");
    await rm(directory, { recursive: true, force: true });
  });

  const connect = (platform: LocalPlatform, name: string, authToken: string, organization?: string): Client =>
    createClient({ url: platform.databaseUrl(name, organization), authToken });

  it("keeps identity, tokens, settings and rows over a restart", async () => {
    const first = await startLocalPlatform({ directory, organizations: ["acme", "globex"] });
    const api = apiCaller(first, "globex");
    await api.ok("POST", "/groups", { name: "g", location: "local" });
    await api.ok("POST", "/databases", { name: "a", group: "g" });
    await api.ok("PATCH", "/databases/a/configuration", { delete_protection: true });
    const token = await mint(api, "databases/a");
    const before = connect(first, "a", token, "globex");
    await before.batch(["CREATE TABLE t (x)", "INSERT INTO t VALUES (42)"], "write");
    before.close();
    const shown = await api.ok("GET", "/databases");
    await first.close();

    const second = await startLocalPlatform({ directory });
    assert.deepEqual(
      [second.id, second.apiToken, second.organizations],
      [first.id, first.apiToken, ["acme", "globex"]],
    );
    assert.deepEqual(await apiCaller(second, "globex").ok("GET", "/databases"), shown);
    const after = connect(second, "a", token, "globex");
    assert.equal((await after.execute("SELECT x FROM t")).rows[0]?.["x"], 42);
    after.close();
    await second.close();
  });

  it("publishes its endpoint for its owner only, and takes it back", async () => {
    const platform = await startLocalPlatform({ directory });
    const { url, apiToken, id } = platform;
    assert.deepEqual(readEndpoint(directory), { url, apiToken, id, pid: process.pid });
    assert.equal((await stat(join(directory, "endpoint.json"))).mode & 0o777, 0o600);
    await platform.close();
    assert.equal(readEndpoint(directory), undefined);
  });

  it("copies a seed while it is written to, rowids and full-text index included", async () => {
    const platform = await startLocalPlatform({ directory });
    const api = apiCaller(platform, "local");
    await api.ok("POST", "/groups", { name: "g", location: "local" });
    await api.ok("POST", "/databases", { name: "source", group: "g" });
    const token = await mint(api, "groups/g");
    const source = connect(platform, "source", token);
    await source.batch(
      [
        "CREATE TABLE t (x TEXT)",
        "INSERT INTO t (rowid, x) VALUES (7, 'seven'), (9, 'nine')",
        "CREATE VIRTUAL TABLE f USING fts5(x, content='t')",
        "INSERT INTO f (f) VALUES ('rebuild')",
      ],
      "write",
    );
    const open = await source.transaction("write");
    await open.execute("INSERT INTO t VALUES ('uncommitted')");
    await api.ok("POST", "/databases", { name: "copy", group: "g", seed: { type: "database", name: "source" } });
    await open.commit();
    const copy = connect(platform, "copy", token);
    const { rows } = await copy.execute("SELECT rowid AS id, x FROM t ORDER BY rowid");
    assert.deepEqual(
      rows.map((row) => [row["id"], row["x"]]),
      [
        [7, "seven"],
        [9, "nine"],
      ],
    );
    assert.equal((await copy.execute("SELECT rowid AS id FROM f WHERE f MATCH 'nine'")).rows[0]?.["id"], 9);
    const { database } = await api.ok<{ database: { parent: { name: string } } }>("GET", "/databases/copy");
    assert.equal(database.parent.name, "source");
    await api.ok("DELETE", "/databases/source");
    await copy.execute("INSERT INTO t VALUES ('alive')");
    source.close();
    copy.close();
    await platform.close();
  });

  it("copies nothing from a seed that is gone when its turn comes, and makes no file in its place", async () => {
    const files = openDatabaseFiles(directory);
    const [source, target] = [randomUUID(), randomUUID()].map((id) => ({ organization: "local", id }));
    assert.ok(source && target);
    await assert.rejects(files.copy(source, target), /Unable to open/);
    assert.deepEqual(await readdir(join(directory, "databases", "local")), []);
  });

  it("is refused to a second platform, of this process or another, which names process and folder", async () => {
    const platform = await startLocalPlatform({ directory });
    const refusal = (error: unknown): boolean =>
      hasCode(error, "invalid-input") &&
      error.message.includes(directory) &&
      error.message.includes(`process ${process.pid}`);
    await assert.rejects(startLocalPlatform({ directory }), refusal);
    const child = runChild("test/local/running-platform.js", directory);
    children.push(child);
    assert.equal(await child.ended(), 1);
    assert.ok(child.output().stderr.includes(`process ${process.pid}`));
    assert.equal((await fetch(`${platform.url}/health`)).status, 200);
    await platform.close();
    await (await startLocalPlatform({ directory })).close();
  });

  it("says which port is taken, and lets go of the folder", async () => {
    const platform = await startLocalPlatform();
    const port = Number(new URL(platform.url).port);
    await assert.rejects(
      startLocalPlatform({ directory, port }),
      (error: unknown) => hasCode(error, "invalid-input") && error.message.includes(`Port ${port}`),
    );
    await platform.close();
    await (await startLocalPlatform({ directory })).close();
  });

  it("refuses organizations that no path can hold", async () => {
    for (const organizations of [[], [""], ["../x"], ["Acme"], ["acme", "-"]]) {
      await assert.rejects(startLocalPlatform({ directory, organizations }), (error: unknown) =>
        hasCode(error, "invalid-input"),
      );
    }
    assert.deepEqual(await readdir(directory), []);
  });

  it("begins in no folder whose databases it does not know, and removes no file that it never makes", async () => {
    const mine = join(directory, "databases", "prod", "customers.db");
    await mkdir(dirname(mine), { recursive: true });
    await writeFile(mine, "precious");
    const refused = { code: "invalid-input", message: /"databases" .*control\.db/ };
    // Twice: what the first one leaves must not let the second one in.
    for (const _ of [1, 2]) await assert.rejects(startLocalPlatform({ directory }), refused);
    assert.equal(await readFile(mine, "utf8"), "precious");
    await rm(dirname(mine), { recursive: true });

    const platform = await startLocalPlatform({ directory });
    const api = apiCaller(platform, "local");
    await api.ok("POST", "/groups", { name: "g", location: "local" });
    await api.ok("POST", "/databases", { name: "a", group: "g" });
    await platform.close();
    const folder = join(directory, "databases", "local");
    const [file = ""] = (await readdir(folder)).filter((name) => name.endsWith(".db"));
    for (const name of ["notes.txt", "copy of a.db"]) await writeFile(join(folder, name), "mine");
    const control = join(directory, "control.db");
    await rename(control, `${control}.away`);
    await assert.rejects(startLocalPlatform({ directory }), refused);
    await rename(`${control}.away`, control);
    await (await startLocalPlatform({ directory })).close();
    const left = (await readdir(folder)).filter((name) => !/-(wal|shm)$/.test(name));
    assert.deepEqual(left.sort(), [file, "copy of a.db", "notes.txt"].sort());
  });

  it("sweeps what a killed create or delete left behind", async () => {
    await (await startLocalPlatform({ directory })).close();
    const rubbish = join(directory, "databases", "local");
    const platform = await startLocalPlatform({ directory });
    const api = apiCaller(platform, "local");
    await api.ok("POST", "/groups", { name: "g", location: "local" });
    await api.ok("POST", "/databases", { name: "kept", group: "g" });
    await platform.close();
    const id = randomUUID();
    for (const end of ["", "-wal", ".copying", ".0a1b2c3d4e5f", ".0a1b2c3d4e5f-wal"])
      await writeFile(join(rubbish, `${id}.db${end}`), "x");
    const again = await startLocalPlatform({ directory });
    const { database } = await apiCaller(again, "local").ok<{ database: { DbId: string } }>("GET", "/databases/kept");
    await again.close();
    assert.deepEqual(
      (await readdir(rubbish)).filter((file) => !/-(wal|shm)$/.test(file)),
      [`${database.DbId}.db`],
    );
  });

  // The kills come after so many acknowledged calls, with others under way: the same points in every run.
  for (const acknowledged of [5, 17, 40]) {
    it(`loses nothing acknowledged to a kill -9 after ${acknowledged} creates`, async () => {
      const child = runChild("test/local/running-platform.js", directory);
      children.push(child);
      const victim = JSON.parse(await child.printed(/\{.*\}/)) as LocalPlatform;
      const api = apiCaller(victim, "local");
      await api.ok("POST", "/groups", { name: "g", location: "local" });
      await api.ok("POST", "/databases", { name: "template", group: "g" });
      const token = await mint(api, "groups/g");
      const url = (name: string): string => `${victim.url}/db/${name}/`;
      await createClient({ url: url("template"), authToken: token }).execute("CREATE TABLE t (x)");

      const made: string[] = [];
      const written: string[] = [];
      const worker = async (number: number): Promise<void> => {
        for (let i = 0; ; i++) {
          const name = `w${number}-${i}`;
          const seed = i % 2 === 0 ? { type: "database", name: "template" } : undefined;
          await api.ok("POST", "/databases", { name, group: "g", seed });
          if (made.push(name) === acknowledged) child.process.kill("SIGKILL");
          await createClient({ url: url(name), authToken: token }).batch(
            ["CREATE TABLE IF NOT EXISTS t (x)", "INSERT INTO t VALUES (1)"],
            "write",
          );
          written.push(name);
        }
      };
      await Promise.allSettled([0, 1, 2, 3].map(worker));
      await child.ended();

      const platform = await startLocalPlatform({ directory });
      const { databases } = await apiCaller(platform, "local").ok<{ databases: { Name: string; DbId: string }[] }>(
        "GET",
        "/databases",
      );
      const names = new Set(databases.map(({ Name }) => Name));
      assert.deepEqual(
        made.filter((name) => !names.has(name)),
        [],
      );
      const files = (await readdir(join(directory, "databases", "local"))).filter((file) => file.endsWith(".db"));
      assert.deepEqual(files.sort(), databases.map(({ DbId }) => `${DbId}.db`).sort());
      for (const { Name } of databases) {
        const client = connect(platform, Name, token);
        const rows = await client.execute("SELECT count(*) AS n FROM sqlite_schema WHERE name = 't'");
        if (written.includes(Name))
          assert.equal((await client.execute("SELECT count(*) AS n FROM t")).rows[0]?.["n"], 1, Name);
        assert.equal(rows.rows.length, 1);
        assert.equal((await client.execute("PRAGMA integrity_check")).rows[0]?.["integrity_check"], "ok");
        client.close();
      }
      await platform.close();
    });
  }
});
