import assert from "node:assert/strict";
import { chmod, mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "mocha";
import { startLocalPlatform } from "../../provider/local";
import { apiCaller, mint } from "./api-caller";

describe("embedded platform: who can read its files", function () {
  this.timeout(60_000);

  it("lets nobody else read keys, tokens and databases, also in a folder that all can read", async function () {
    // Windows has no such modes: there the folder's own rules hold.
    if (process.platform === "win32") return this.skip();
    const directory = await mkdtemp(path.join(tmpdir(), "tenantry-modes-"));
    await chmod(directory, 0o755);
    const platform = await startLocalPlatform({ directory });
    try {
      const api = apiCaller(platform, "local");
      await api.ok("POST", "/groups", { name: "g", location: "local" });
      await api.ok("POST", "/databases", { name: "a", group: "g" });
      await api.ok("POST", "/databases", { name: "copy", group: "g", seed: { type: "database", name: "a" } });
      const token = await mint(api, "groups/g");
      for (const name of ["a", "copy"]) {
        const answer = await fetch(`${platform.databaseUrl(name)}v2/pipeline`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}` },
          body: JSON.stringify({ requests: [{ type: "execute", stmt: { sql: "CREATE TABLE t (x)" } }] }),
        });
        assert.equal(answer.status, 200);
      }
      const open: string[] = [];
      const look = async (folder: string): Promise<void> => {
        for (const entry of await readdir(folder, { withFileTypes: true })) {
          const file = path.join(folder, entry.name);
          if (((await stat(file)).mode & 0o077) === 0) continue;
          if (entry.isDirectory()) await look(file);
          else open.push(path.relative(directory, file));
        }
      };
      await look(directory);
      // Which process runs, and nothing else.
      assert.deepEqual(
        open.filter((file) => !/^lock\.(?:json|db|db-journal)$/.test(file)),
        [],
      );
    } finally {
      await platform.close();
      await rm(directory, { recursive: true, force: true });
    }
  });

  it("keeps a folder that it makes out of version control, and leaves one that was there alone", async () => {
    const parent = await mkdtemp(path.join(tmpdir(), "tenantry-folder-"));
    try {
      const made = path.join(parent, "a", "b");
      await (await startLocalPlatform({ directory: made })).close();
      assert.equal(await readFile(path.join(made, ".gitignore"), "utf8"), "*\n");
      await writeFile(path.join(made, ".gitignore"), "mine\n");
      await (await startLocalPlatform({ directory: made })).close();
      assert.equal(await readFile(path.join(made, ".gitignore"), "utf8"), "mine\n");
      await (await startLocalPlatform({ directory: parent })).close();
      assert.ok(!(await readdir(parent)).includes(".gitignore"));
    } finally {
      await rm(parent, { recursive: true, force: true });
    }
  });
});
