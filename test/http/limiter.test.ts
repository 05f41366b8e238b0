import assert from "node:assert/strict";
import { createLimiter } from "../../provider/http/limiter";

/** A clock that only the test moves; pauses use real timers and are tested with the real clock. */
function stoppedClock() {
  let at = 0;
  const sleep = () => assert.fail("nothing is to be waited for");
  return { now: () => at, sleep, pass: (ms: number) => (at += ms) };
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
});
