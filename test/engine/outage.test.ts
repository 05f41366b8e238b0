import assert from "node:assert/strict";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, it } from "mocha";
import { withCountedPlatform } from "../support/counted-platform";
import { withProject } from "../support/engine";

/** A platform may be away for so long in the middle of a run, seconds. */
const outage = 30;

/** Carries connections to a platform, or refuses them, as a host does whose server is restarted. */
async function openGate(target: string) {
  const sockets = new Set<Socket>();
  const onward = Number(new URL(target).port);
  const server = createServer((socket) => {
    const other = connect(onward, "127.0.0.1");
    for (const one of [socket, other]) {
      sockets.add(one);
      one.on("error", () => undefined);
      one.on("close", () => {
        sockets.delete(one);
        for (const each of [socket, other]) each.destroy();
      });
    }
    socket.pipe(other).pipe(socket);
  });
  const listen = (port: number): Promise<void> => new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const shut = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    url: `http://127.0.0.1:${port}`,
    async away(milliseconds: number): Promise<void> {
      await shut();
      await sleep(milliseconds);
      await listen(port);
    },
    close: shut,
  };
}

describe("a platform that is down for half a minute", function () {
  this.timeout(240_000);

  it("in the middle of an up: the run waits, goes on and makes each tenant once", async () => {
    await withCountedPlatform({}, async (platform) => {
      await platform.api.ok("POST", "/groups", { name: "eu", location: "local" });
      const gate = await openGate(platform.url);
      // The hosted platform's patience: an embedded one that is gone does not come back by itself.
      const env = {
        TENANTRY_PLATFORM: "turso",
        TURSO_ORGANIZATION: "local",
        TURSO_API_TOKEN: platform.apiToken,
        TENANTRY_API_URL: gate.url,
        TENANTRY_DATABASE_URL: `${gate.url}/db/{name}/`,
      };
      const names = Array.from({ length: 8 }, (_, i) => `t${i}`);
      const program = `
        import { SchemaTemplate, TenantDatabase } from "tenantry";
        const schema = new SchemaTemplate("app", { migrations: "./migrations" });
        for (const name of ${JSON.stringify(names)}) new TenantDatabase(name, { group: "eu", schema });`;
      const files = { "index.ts": program, "migrations/0001_init.sql": "CREATE TABLE notes (body TEXT);" };
      try {
        await withProject({ files, env }, async (project) => {
          const began = Date.now();
          const running = project.up({ args: ["--parallel", "2"] });
          const tenants = async (): Promise<string[]> => {
            const listed = await platform.api.ok<{ databases: { Name: string }[] }>("GET", "/databases");
            return listed.databases.map(({ Name }) => Name).filter((name) => !name.startsWith("tenantry-"));
          };
          while ((await tenants()).length < 3) await Promise.race([sleep(20), running]);
          await gate.away(outage * 1_000);
          const { counts } = await running;
          assert.equal(counts["create"], names.length + 1);
          assert.ok(Date.now() - began > outage * 1_000);
          assert.deepEqual((await tenants()).sort(), names);
          assert.deepEqual((await project.preview()).counts, { same: names.length + 1 });
        });
      } finally {
        await gate.close();
      }
    });
  });
});
