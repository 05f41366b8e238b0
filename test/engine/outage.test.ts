import assert from "node:assert/strict";
import { type AddressInfo, type Socket, connect, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, it } from "mocha";
import { withCountedPlatform } from "../support/counted-platform";
import { withDoomedRun } from "../support/doomed-run";
import { type Project, withProject } from "../support/engine";

/** A platform may be away for so long in the middle of a run, seconds. */
const outage = 30;

/** Carries connections to a platform, or refuses them, as a host does whose server is restarted. */
async function openGate(target: string) {
  const sockets = new Set<Socket>();
  const onward = Number(new URL(target).port);
  let muted = false;
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
    if (muted) return void socket.resume();
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
  /** Drops what is under way; from now on requests are taken, and nobody answers. */
  const mute = async (): Promise<void> => {
    muted = true;
    for (const socket of sockets) socket.destroy();
  };
  const open = async (): Promise<void> => {
    if (server.listening) await shut();
    muted = false;
    await listen(port);
  };
  return { url: `http://127.0.0.1:${port}`, shut, mute, open };
}

type Gate = Awaited<ReturnType<typeof openGate>>;

interface Story {
  project: Project;
  gate: Gate;
  /** What the platform has of the program's tenants, by name. */
  tenants(): Promise<string[]>;
}

const names = Array.from({ length: 8 }, (_, i) => `t${i}`);

const files = {
  "index.ts": `
    import { SchemaTemplate, TenantDatabase } from "tenantry";
    const schema = new SchemaTemplate("app", { migrations: "./migrations" });
    for (const name of ${JSON.stringify(names)}) new TenantDatabase(name, { group: "eu", schema });`,
  "migrations/0001_init.sql": "CREATE TABLE notes (body TEXT);",
};

async function withStory(use: (story: Story) => Promise<void>): Promise<void> {
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
    const tenants = async (): Promise<string[]> => {
      const listed = await platform.api.ok<{ databases: { Name: string }[] }>("GET", "/databases");
      return listed.databases
        .map(({ Name }) => Name)
        .filter((name) => !name.startsWith("tenantry-"))
        .sort();
    };
    try {
      await withProject({ files, env }, (project) => use({ project, gate, tenants }));
    } finally {
      await gate.shut();
    }
  });
}

describe("a platform that is down", function () {
  this.timeout(240_000);

  it(`for ${outage} s in the middle of an up: the run waits, goes on and makes each tenant once`, async () => {
    await withStory(async ({ project, gate, tenants }) => {
      const began = Date.now();
      const running = project.up({ args: ["--parallel", "2"] });
      while ((await tenants()).length < 3) await Promise.race([sleep(20), running]);
      await gate.shut();
      await sleep(outage * 1_000);
      await gate.open();
      const { counts } = await running;
      assert.equal(counts["create"], names.length + 1);
      assert.ok(Date.now() - began > outage * 1_000);
      assert.deepEqual(await tenants(), names);
      assert.deepEqual((await project.preview()).counts, { same: names.length + 1 });
    });
  });

  for (const [what, fail] of [
    ["that refuses connections", (gate: Gate) => gate.shut()],
    ["that takes requests and is silent", (gate: Gate) => gate.mute()],
  ] as const) {
    it(`and Ctrl-C, on a platform ${what}: the run ends within seconds, and the next up finishes it`, async () => {
      await withStory(async ({ project, gate, tenants }) => {
        const args = ["up", "--yes", "--skip-preview", "--parallel", "2"];
        const took = await withDoomedRun(project, args, async (run) => {
          let over = false;
          void run.ended.then(() => (over = true));
          while ((await tenants()).length < 3 && !over) await sleep(20);
          await fail(gate);
          // Its calls have met that, and are patient.
          await Promise.race([sleep(2_000), run.ended]);
          assert.ok(!over, (await Promise.race([run.ended, { output: "" }])).output);
          const pressed = Date.now();
          run.interrupt();
          const { code, output } = await run.ended;
          assert.notEqual(code, 0, output);
          assert.match(output, /\^C received; cancelling/);
          const took = Date.now() - pressed;
          await run.providersEnded();
          return took;
        });
        // 5 s is the promise; the bound is for a busy machine, and far below the patience of any call.
        assert.ok(took < 10_000, `it ended ${took} ms after Ctrl-C`);
        await gate.open();
        const made = await tenants();
        assert.ok(made.length >= 3 && made.length < names.length, `${made.length} were made`);
        const state = (await project.stackExport()).deployment.resources ?? [];
        for (const { type, outputs } of state.filter((one) => one.type.endsWith(":TenantDatabase"))) {
          assert.ok(made.includes(String(outputs?.["name"])), `${type} is in state and not there`);
        }
        await project.up();
        assert.deepEqual(await tenants(), names);
        assert.deepEqual((await project.preview()).counts, { same: names.length + 1 });
      });
    });
  }
});
