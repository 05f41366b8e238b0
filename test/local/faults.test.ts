import assert from "node:assert/strict";
import { type LocalPlatform, type LocalPlatformOptions, startLocalPlatform } from "../../provider/local";
import { createFaultPlan, createRateLimit, type Fault } from "../../provider/local/faults";
import { localPlatform } from "../../provider/drivers/local";
import { hasCode } from "../../provider/platform/errors";
import { apiCaller } from "./api-caller";

describe("embedded platform: faults on request", function () {
  // Generous: only a hang is a failure, and the machine may be busy.
  this.timeout(60_000);
  const running: LocalPlatform[] = [];
  const start = async (options: LocalPlatformOptions): Promise<LocalPlatform> => {
    const platform = await startLocalPlatform(options);
    running.push(platform);
    return platform;
  };
  afterEach(async () => {
    for (const platform of running.splice(0)) await platform.close();
  });
  const call = async (platform: LocalPlatform, method: string, path: string, body?: object): Promise<Fault | 200> => {
    try {
      return (await apiCaller(platform, "local")(method, path, body)).status as Fault | 200;
    } catch (error) {
      // What the built-in fetch throws for a connection that ended; anything else is a failure of this test.
      assert.ok(error instanceof TypeError && error.message === "fetch failed", String(error));
      return "lost reply";
    }
  };

  it("above the rate answer 429 and say when to come back, for the Platform API only", async () => {
    const platform = await start({ rate: 2 });
    const ask = (path: string) =>
      fetch(platform.url + path, { headers: { authorization: `Bearer ${platform.apiToken}` } });
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask("/v1/locations")));
    const refused = answers.filter(({ status }) => status === 429);
    assert.ok(refused.length > 0 && refused.length <= 38, String(refused.length));
    for (const answer of refused) {
      assert.equal(answer.headers.get("retry-after"), "1");
      assert.match(((await answer.json()) as { error: string }).error, /too many requests/);
    }
    const others = await Promise.all(Array.from({ length: 10 }, () => ask("/tenantry/identity")));
    assert.ok(others.every(({ status }) => status === 200));
  });

  it("above the rate hold up Tenantry's own driver, and no more than that", async () => {
    const platform = await start({ rate: 25 });
    const driver = localPlatform({ apiUrl: platform.url, apiToken: platform.apiToken });
    await driver.createGroup({ name: "g", location: "local" });
    await Promise.all(Array.from({ length: 40 }, (_, i) => driver.createDatabase({ name: `t${i}`, group: "g" })));
    const names = new Set<string>();
    for await (const { name } of driver.listDatabases()) names.add(name);
    assert.equal(names.size, 40);
  });

  it("let pass what the rate allows, in bursts of one second's worth", () => {
    let now = 1_000;
    const take = createRateLimit(4, () => now);
    const waits = () => Array.from({ length: 6 }, take);
    assert.deepEqual(waits(), [0, 0, 0, 0, 0.25, 0.25]);
    now += 125;
    assert.equal(take(), 0.125);
    now += 375;
    assert.deepEqual(waits(), [0, 0, 0.25, 0.25, 0.25, 0.25]);
    now += 3_600_000;
    assert.deepEqual(waits(), [0, 0, 0, 0, 0.25, 0.25]);
    const slow = createRateLimit(0.1, () => now);
    assert.deepEqual([slow(), slow()], [0, 10]);
  });

  it("come in the share asked for, half of them after the effect, and in the same order for the same seed", () => {
    const fates = (share: number, seed: number): (Fault | undefined)[] => {
      const next = createFaultPlan(share, seed);
      return Array.from({ length: 20_000 }, next);
    };
    const tenth = fates(0.1, 7);
    const of = (fault: Fault): number => tenth.filter((one) => one === fault).length;
    assert.ok(Math.abs(of("lost reply") - 1_000) < 150, String(of("lost reply")));
    assert.ok(Math.abs(of(500) - 500) < 100 && Math.abs(of(503) - 500) < 100);
    assert.deepEqual(fates(0.1, 7), tenth);
    assert.notDeepEqual(fates(0.1, 8), tenth);
    const fifth = fates(0.2, 7);
    assert.ok(
      tenth.every((fault, i) => fault === undefined || fifth[i] === fault),
      "more fail, the same ones as before among them",
    );
    assert.ok(fates(0, 7).every((fault) => fault === undefined));
    assert.ok(fates(1, 7).every((fault) => fault !== undefined));
  });

  it("happen before the effect or after it, the same for the same calls", async () => {
    const names = Array.from({ length: 30 }, (_, i) => `t${i}`);
    const story = async (): Promise<(Fault | 200)[]> => {
      const platform = await start({ fail: 0.5, seed: 42 });
      assert.equal(platform.seed, 42);
      for (;;) if ((await call(platform, "POST", "/groups", { name: "g", location: "local" })) !== 500) break;
      const told: (Fault | 200)[] = [];
      for (const name of names) told.push(await call(platform, "POST", "/databases", { name, group: "g" }));
      return told;
    };
    const directory = await story();
    assert.deepEqual(await story(), directory);
    for (const kind of [200, 500, 503, "lost reply"] as const) assert.ok(directory.includes(kind), String(kind));
  });

  it("leave what they say: nothing after a 5xx, the database after a lost reply", async () => {
    const seen: number[] = [];
    const platform = await start({ fail: 1, seed: 3, onRequest: ({ status }) => seen.push(status) });
    const until = async (wanted: Fault, name: string): Promise<void> => {
      for (;;) {
        const fault = await call(platform, "POST", "/groups", { name, location: "local" });
        if (fault === wanted) return;
        assert.notEqual(fault, "lost reply");
      }
    };
    await until("lost reply", "made");
    assert.equal(seen.at(-1), 200, "it took effect");
    assert.ok(seen.slice(0, -1).every((status) => status >= 500));
    assert.equal((await fetch(`${platform.url}/health`)).status, 200);
  });

  it("delay the Platform API and SQL each by its own time", async () => {
    const platform = await start({ latency: { control: 80, data: 0 } });
    const took = async (path: string): Promise<number> => {
      const begun = performance.now();
      await fetch(platform.url + path);
      return performance.now() - begun;
    };
    assert.ok((await took("/v1/locations")) >= 75);
    const other = await start({ latency: { data: 80 } });
    const begun = performance.now();
    await fetch(other.databaseUrl("none"));
    assert.ok(performance.now() - begun >= 75);
  });

  const nonsense: [string, LocalPlatformOptions][] = [
    ["rate", { rate: 0 }],
    ["rate", { rate: NaN }],
    ["fail", { fail: 1.5 }],
    ["fail", { fail: -0.1 }],
    ["fail", { fail: NaN }],
    ["latency", { latency: -1 }],
    ["latency", { latency: { data: NaN } }],
    ["seed", { seed: 0.5 }],
  ];
  for (const [name, options] of nonsense) {
    it(`refuse a ${name} that means nothing: ${JSON.stringify(options)}`, async () => {
      await assert.rejects(
        startLocalPlatform(options),
        (error: unknown) => hasCode(error, "invalid-input") && error.message.startsWith(`${name}: `),
      );
    });
  }
});
