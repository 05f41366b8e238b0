import assert from "node:assert/strict";
import type { Clock } from "../../provider/http/clock";
import { type RatedLoad, type RatedRun, fixedRate, runAgainst, withBans } from "../support/rated-platform";

const second = 1_000;
const refusals = ({ arrivals }: RatedRun): number => arrivals.filter(({ served }) => !served).length;
const all = (calls: number, status: number): number[] => Array.from({ length: calls }, () => status);

/** What was served from `from` to `to`, as a share of what the rate allows in that time. */
function share({ arrivals }: RatedRun, rate: number, from: number, to: number): number {
  const served = arrivals.filter(({ at, served }) => served && at >= from && at < to).length;
  return served / (((to - from) / second) * rate);
}

describe("calls to a platform with a rate", function () {
  this.timeout(60_000);

  const rated: [string, { rate: number; burst: number; patience?: number } & RatedLoad][] = [
    ["100 a second, without Retry-After", { rate: 100, burst: 20, latency: 50, calls: 2_000 }],
    ["100 a second, Retry-After: 1", { rate: 100, burst: 20, patience: 1, latency: 50, calls: 2_000 }],
    ["200 a second, answers in 5 ms: one at a time is as many", { rate: 200, burst: 20, latency: 5, calls: 3_000 }],
    ["20 a second, answers in 5 ms: one at a time is too many", { rate: 20, burst: 5, latency: 5, calls: 600 }],
    ["20 a second, Retry-After: 1", { rate: 20, burst: 5, patience: 1, latency: 5, calls: 600 }],
  ];
  for (const [name, { rate, burst, patience, ...load }] of rated) {
    it(`${name}: all succeed, soon at 70 % of the rate and more`, async () => {
      const run = await runAgainst(
        fixedRate(() => rate, burst, patience),
        load,
      );
      assert.deepEqual(run.statuses, all(load.calls, 200));
      const reached = share(run, rate, run.time / 3, run.time * 0.98);
      assert.ok(reached >= 0.7, `${reached} of the rate`);
      // Of answers in 5 ms the first thousands a second are far beyond 20, which it takes some refusals to learn.
      const bound = rate >= 100 ? load.calls * 0.05 : load.calls * 0.3;
      assert.ok(refusals(run) <= bound, `${refusals(run)} of ${load.calls} refused`);
    });
  }

  it("that four processes share, which do not know of each other: all succeed, and use it up", async () => {
    const run = await runAgainst(
      fixedRate(() => 100, 20),
      { calls: 3_000, latency: 50, processes: 4 },
    );
    assert.deepEqual(run.statuses, all(3_000, 200));
    // They do not get the same part of it; later on the first ones are done.
    const reached = share(run, 100, 5 * second, 20 * second);
    assert.ok(reached >= 0.7, `${reached} of the rate`);
    assert.ok(refusals(run) <= 600, `${refusals(run)} refused`);
  });

  it("that falls to a fifth for 20 s and comes back: so does the throughput", async () => {
    let clock: Clock | undefined;
    const isLow = (): boolean => clock!.now() >= 5 * second && clock!.now() < 25 * second;
    const rule = fixedRate(() => (isLow() ? 20 : 100), 10);
    const run = await runAgainst(rule, { calls: 5_000, latency: 50 }, (given) => (clock = given));
    assert.deepEqual(run.statuses, all(5_000, 200));
    assert.ok(share(run, 20, 10 * second, 25 * second) >= 0.7, "while it is low");
    const after = share(run, 100, 40 * second, 55 * second);
    assert.ok(after >= 0.7, `${after} of the rate after it`);
    assert.ok(refusals(run) <= 500, `${refusals(run)} refused`);
  });

  it("that serves nobody for 20 s: is asked a few times only, and used again afterwards", async () => {
    let clock: Clock | undefined;
    const isAway = (): boolean => clock!.now() >= 5 * second && clock!.now() < 25 * second;
    const open = fixedRate(() => 100, 10);
    const run = await runAgainst(
      (now) => (isAway() ? "refused" : open(now)),
      { calls: 5_000, latency: 50 },
      (given) => (clock = given),
    );
    assert.deepEqual(run.statuses, all(5_000, 200));
    const meanwhile = run.arrivals.filter(({ at }) => at >= 6 * second && at < 25 * second).length;
    assert.ok(meanwhile <= 80, `${meanwhile} requests in 19 s`);
    const after = share(run, 100, 55 * second, 60 * second);
    assert.ok(after >= 0.7, `${after} of the rate after it`);
  });
});

describe("calls to a platform that bans whoever asks too much", function () {
  this.timeout(60_000);

  for (const latency of [5, 50, 400]) {
    it(`never earn a ban where the rate is declared: answers in ${latency} ms`, async () => {
      const rule = withBans();
      const run = await runAgainst(rule, { calls: 1_500, latency, concurrency: 256, perSecond: 100 });
      assert.deepEqual(run.statuses, all(1_500, 200));
      assert.deepEqual(rule.bans, []);
      assert.equal(refusals(run), 0);
      assert.ok(share(run, 100, 0, run.time) >= 0.7);
    });
  }

  it("where it is not, end with the platform's word, do not hammer, and go on after it", async () => {
    const rule = withBans();
    const run = await runAgainst(rule, { calls: 1_500, latency: 50 });
    const [banned] = rule.bans;
    assert.ok(banned! < second, "32 at once, as fast as they can, are too many there");
    const meanwhile = run.arrivals.filter(({ at }) => at > banned! + second && at < banned! + 300 * second).length;
    assert.ok(meanwhile <= 900, `${meanwhile} requests in 299 s`);
    assert.ok(rule.bans.length <= 2, `${rule.bans.length} bans`);
    const ended = run.statuses.map((status) => (status === 429 ? "refused" : status));
    assert.deepEqual([...new Set(ended)].sort(), [200, "refused"]);
    assert.ok(ended.filter((status) => status === 200).length > 1_000, "those that had not begun");
  });
});
