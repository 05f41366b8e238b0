import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { describe, it } from "mocha";
import type { LocalPlatform } from "../../provider/local";
import { createClient } from "../../provider/platform/libsql-client";
import { apiCaller, mint } from "./api-caller";

const root = path.resolve(__dirname, "..", "..");
const databases = 300;

describe("many databases of the embedded platform", function () {
  this.timeout(60_000);

  it(`${databases} are written and read by processes that may have 200 files open`, async function () {
    // Windows has neither such a shell nor such a limit.
    if (process.platform === "win32") return this.skip();
    const directory = await mkdtemp(path.join(tmpdir(), "tenantry-files-"));
    const script = path.join(root, "test", "local", "running-platform.js");
    const command = `ulimit -n 200; exec "${process.execPath}" "${script}" "${directory}"`;
    const child = spawn("sh", ["-c", command], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      const [line] = (await once(createInterface(child.stdout), "line")) as [string];
      const platform = JSON.parse(line) as LocalPlatform;
      const api = apiCaller(platform, "local");
      await api.ok("POST", "/groups", { name: "g", location: "local" });
      const names = Array.from({ length: databases }, (_, n) => `d${n}`);
      for (const name of names) await api.ok("POST", "/databases", { name, group: "g" });
      const authToken = await mint(api, "groups/g");
      const reading = await mint(api, "groups/g", "authorization=read-only");
      const one = async (name: string): Promise<void> => {
        const url = `${platform.url}/db/${name}/`;
        const writer = createClient({ url, authToken });
        await writer.execute("CREATE TABLE t (x)");
        await writer.batch(["INSERT INTO t VALUES (1)", "INSERT INTO t VALUES (2)"], "write");
        const reader = createClient({ url, authToken: reading });
        assert.equal((await reader.execute("SELECT sum(x) AS s FROM t")).rows[0]?.s, 3);
        for (const client of [writer, reader]) client.close();
      };
      // As many at a time as a deploy has in flight.
      const left = [...names];
      const worker = async (): Promise<void> => {
        for (let name = left.shift(); name !== undefined; name = left.shift()) await one(name);
      };
      await Promise.all(Array.from({ length: 8 }, worker));
    } finally {
      child.kill("SIGKILL");
      await once(child, "close");
      await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
    }
  });
});
