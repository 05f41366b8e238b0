import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "mocha";
import type { LocalPlatform } from "../../provider/local";
import { apiCaller, mint } from "./api-caller";
import { runChild } from "./child";

/** Every Node process of a command calls in over a socket, which the system closes when the process ends. */
const callIn = (port: number): string => `
const socket = require("node:net").connect(${port}, "127.0.0.1");
socket.on("error", () => undefined);
socket.unref();
socket.write(process.pid + " " + process.argv[1]);
`;

describe("a killed embedded platform", function () {
  this.timeout(60_000);

  it("takes the processes that run its SQL along, also out of a statement without an end", async () => {
    const directory = await mkdtemp(join(tmpdir(), "tenantry-orphans-"));
    const living = new Map<Socket, string>();
    let onChange = (): void => undefined;
    const until = (holds: () => boolean): Promise<void> =>
      new Promise((resolve) => {
        onChange = () => (holds() ? resolve() : undefined);
        onChange();
      });
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.once("data", (data) => {
        living.set(socket, String(data));
        onChange();
      });
      socket.once("close", () => {
        living.delete(socket);
        onChange();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const hook = join(directory, "call-in.cjs");
    await writeFile(hook, callIn((server.address() as { port: number }).port));
    const before = process.env.NODE_OPTIONS;
    process.env.NODE_OPTIONS = `--require ${JSON.stringify(hook)}`;
    const child = runChild("test/local/running-platform.js", join(directory, "data"));
    if (before === undefined) delete process.env.NODE_OPTIONS;
    else process.env.NODE_OPTIONS = before;
    try {
      const platform = JSON.parse(await child.printed(/^\{.*\}$/m)) as LocalPlatform;
      const api = apiCaller(platform, "local");
      await api.ok("POST", "/groups", { name: "g", location: "local" });
      for (const name of ["a", "b"]) await api.ok("POST", "/databases", { name, group: "g" });
      const token = await mint(api, "groups/g");
      const run = (name: string, sql: string) =>
        fetch(`${platform.url}/db/${name}/v2/pipeline`, {
          method: "POST",
          headers: { authorization: `Bearer ${token}` },
          body: JSON.stringify({ requests: [{ type: "execute", stmt: { sql } }, { type: "close" }] }),
        });
      // Each of its threads calls in; the pid is the same.
      const ofSql = () => new Set([...living.values()].filter((caller) => caller.includes("processes"))).size;
      await run("a", "SELECT 1");
      await until(() => ofSql() === 1);
      const endless = run(
        "a",
        "WITH RECURSIVE r(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM r) SELECT count(*) FROM r",
      );
      endless.catch(() => undefined);
      await run("b", "SELECT 1");
      await until(() => ofSql() === 2);
      await child.end("SIGKILL");
      await until(() => living.size === 0);
      await assert.rejects(endless);
    } finally {
      await child.end("SIGKILL");
      for (const socket of living.keys()) socket.destroy();
      server.close();
      await rm(directory, { recursive: true, force: true });
    }
  });
});
