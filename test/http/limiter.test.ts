import assert from "node:assert/strict";
import fc from "fast-check";
import { type Release, createLimiter } from "../../provider/http/limiter";
import { simulatedClock } from "../support/simulated-clock";

/** A clock that only the test moves; pauses use real timers and are tested with the real clock. */
function stoppedClock() {
  let at = 0;
  const sleep = () => assert.fail("nothing is to be waited for");
  const cancelled = new AbortController().signal;
  return { now: () => at, sleep, cancelled, pass: (ms: number) => (at += ms) };
}

describe("limiter", () => {
  it("admits as many as the ceiling and the next one when a place is free, in order", async () => {
    const limiter = createLimiter(2);
    const order: number[] = [];
    const first = await limiter.acquire();
    const second = await limiter.acquire();
    const third = limiter.acquire().then((release) => (order.push(3), release));
    const fourth = limiter.acquire().then((release) => (order.push(4), release));
    assert.equal(limiter.running, 2);
    first("ok");
    (await third)("ok");
    second("ok");
    (await fourth)("ok");
    assert.deepEqual(order, [3, 4]);
    assert.equal(limiter.running, 0);
  });

  it("lets what was begun go before what was not", async () => {
    const limiter = createLimiter(1);
    const order: string[] = [];
    const turn = async (name: string, begun?: boolean) => {
      const release = await limiter.acquire(begun);
      order.push(name);
      release("ok");
    };
    const first = await limiter.acquire();
    const turns = [turn("new"), turn("newer"), turn("begun", true), turn("begun later", true)];
    first("ok");
    await Promise.all(turns);
    assert.deepEqual(order, ["begun", "begun later", "new", "newer"]);
  });

  it("halves once for all requests of the same overload", async () => {
    const clock = stoppedClock();
    const limiter = createLimiter(32, clock);
    const releases = await Promise.all(Array.from({ length: 32 }, () => limiter.acquire()));
    clock.pass(1);
    for (const release of releases) release("overloaded");
    assert.equal(limiter.limit, 16);
    const later = await limiter.acquire();
    later("overloaded");
    assert.equal(limiter.limit, 8);
  });

  it("never falls below one, and grows back to the ceiling but not above", async () => {
    const clock = stoppedClock();
    const limiter = createLimiter(4, clock);
    for (let round = 0; round < 10; round += 1) {
      clock.pass(1);
      (await limiter.acquire())("overloaded");
    }
    assert.equal(limiter.limit, 1);
    for (let round = 0; round < 100; round += 1) (await limiter.acquire())("ok");
    assert.equal(limiter.limit, 4);
  });

  it("holds every new request for a pause", async () => {
    const limiter = createLimiter(8);
    const began = performance.now();
    (await limiter.acquire())("overloaded", 60);
    const releases = await Promise.all([limiter.acquire(), limiter.acquire()]);
    assert.ok(performance.now() - began >= 59);
    for (const release of releases) release("ok");
  });

  it("counts a release once only", async () => {
    const limiter = createLimiter(1);
    const release = await limiter.acquire();
    release("ok");
    release("ok");
    assert.equal(limiter.running, 0);
  });

  it("takes the lower of two ceilings", async () => {
    const limiter = createLimiter(32);
    limiter.lowerCeiling(4);
    limiter.lowerCeiling(16);
    assert.equal(limiter.limit, 4);
  });

  it("lets nobody wait for the end of a pause once the run is cancelled", async () => {
    const run = new AbortController();
    const clock = { now: () => 0, cancelled: run.signal, sleep: async () => void run.abort() };
    const limiter = createLimiter(8, clock);
    (await limiter.acquire())("limited", 60_000);
    await Promise.all([limiter.acquire(), limiter.acquire()]);
  });

  it("takes the lower of two rates", async () => {
    const clock = simulatedClock(() => false);
    const limiter = createLimiter(32, clock, 100);
    limiter.lowerCeiling(32, 10);
    limiter.lowerCeiling(32, 50);
    limiter.lowerCeiling(32);
    for (let count = 0; count < 30; count += 1) (await limiter.acquire())("ok");
    assert.ok(clock.now() > 3_000, `30 in ${clock.now()} ms`);
  });

  it("keeps its promises whatever happens", async () => {
    const outcome = fc.constantFrom<Parameters<Release>[0]>("ok", "ok", "ok", "limited", "overloaded", "neutral");
    const request = fc.record({
      outcome,
      takes: fc.integer({ min: 0, max: 300 }),
      after: fc.integer({ min: 0, max: 400 }),
      pause: fc.constantFrom(0, 0, 0, 200, 5_000),
      begun: fc.boolean(),
    });
    const load = fc.record({
      ceiling: fc.integer({ min: 1, max: 40 }),
      perSecond: fc.option(fc.integer({ min: 1, max: 200 }), { nil: undefined }),
      requests: fc.array(request, { minLength: 1, maxLength: 120 }),
    });
    await fc.assert(
      fc.asyncProperty(load, async ({ ceiling, perSecond, requests }) => {
        const clock = simulatedClock(() => false);
        const limiter = createLimiter(ceiling, clock, perSecond);
        const starts: number[] = [];
        let running = 0;
        const pauses: { readonly from: number; readonly until: number }[] = [];
        const ended = requests.map(async ({ outcome, takes, after, pause, begun }) => {
          await clock.sleep(after);
          const release = await limiter.acquire(begun);
          const at = clock.now();
          assert.ok(!pauses.some(({ from, until }) => from < at && at < until), "nothing starts in a pause");
          starts.push(at);
          running += 1;
          assert.ok(running <= limiter.running && limiter.running <= ceiling, `${running} of ${ceiling} run`);
          await clock.sleep(takes);
          running -= 1;
          if (outcome === "limited" || outcome === "overloaded") {
            pauses.push({ from: clock.now(), until: clock.now() + pause });
            release(outcome, pause);
          } else release(outcome);
          assert.ok(limiter.limit >= 1 && limiter.limit <= ceiling, `limit ${limiter.limit}`);
        });
        await Promise.all(ended);
        assert.equal(starts.length, requests.length, "everybody has a turn");
        assert.equal(limiter.running, 0);
        for (const [index, from] of starts.entries()) {
          const within = starts.slice(index).filter((at) => at < from + 1_000).length;
          assert.ok(within <= (perSecond ?? Infinity), `${within} in a second, of ${perSecond}`);
        }
      }),
      { numRuns: 150 },
    );
  });
});
