import assert from "node:assert/strict";
import { createBatcher } from "../provider/batch";

describe("createBatcher", () => {
  it("sends what arrives together together, and the rest in the next batch", async () => {
    const batches: number[][] = [];
    let arrive: (() => void) | undefined;
    const ask = createBatcher<number, number>(async (requests) => {
      batches.push(requests);
      if (batches.length === 1) await new Promise<void>((resolve) => (arrive = resolve));
      return requests.map((one) => one * 10);
    });
    const first = [ask(1), ask(2), ask(3)];
    while (!arrive) await new Promise((resolve) => setImmediate(resolve));
    const second = [ask(4), ask(5)];
    arrive();
    assert.deepEqual(await Promise.all([...first, ...second]), [10, 20, 30, 40, 50]);
    assert.deepEqual(batches, [
      [1, 2, 3],
      [4, 5],
    ]);
    assert.equal(await ask(6), 60);
  });

  it("splits at the largest size, in order", async () => {
    const batches: number[][] = [];
    const ask = createBatcher<number, number>(
      async (requests) => {
        batches.push(requests);
        return requests;
      },
      { maxSize: 2 },
    );
    const all = [1, 2, 3, 4, 5];
    assert.deepEqual(await Promise.all(all.map(ask)), all);
    assert.deepEqual(batches, [[1, 2], [3, 4], [5]]);
  });

  it("lets a request leave beside a batch that takes its time, up to a number of them", async () => {
    const batches: number[][] = [];
    const returns: (() => void)[] = [];
    const departed = async (count: number) => {
      while (batches.length < count) await new Promise((resolve) => setTimeout(resolve, 1));
    };
    const ask = createBatcher<number, number>(
      async (requests) => {
        batches.push(requests);
        await new Promise<void>((resolve) => returns.push(resolve));
        return requests;
      },
      { maxUnderWay: 2 },
    );
    const first = ask(1);
    await departed(1);
    const second = [ask(2), ask(3)];
    await departed(2);
    const third = [ask(4), ask(5)];
    // Longer than a short trip: two are under way, so they stay.
    await new Promise((resolve) => setTimeout(resolve, 20));
    assert.deepEqual(batches, [[1], [2, 3]]);
    returns[1]!();
    assert.deepEqual(await Promise.all(second), [2, 3]);
    await departed(3);
    returns[0]!();
    returns[2]!();
    assert.deepEqual(await Promise.all([first, ...third]), [1, 4, 5]);
    assert.deepEqual(batches, [[1], [2, 3], [4, 5]]);
  });

  it("lets a busy stream over a short trip leave at intervals", async () => {
    let batches = 0;
    const ask = createBatcher<number, number>(async (requests) => {
      batches += 1;
      return requests;
    });
    const began = performance.now();
    const asked: Promise<number>[] = [];
    for (let i = 0; i < 60; i++) {
      asked.push(ask(i));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    assert.deepEqual(await Promise.all(asked), [...asked.keys()]);
    // 10 ms apart; timers may be a millisecond early.
    const most = (performance.now() - began) / 9 + 2;
    assert.ok(batches <= most, `${batches} batches, at most ${most} expected`);
  });

  it("fails one by one where the reply says so, all of a batch where it throws, and goes on", async () => {
    let broken = false;
    const ask = createBatcher<number, string>(async (requests) => {
      if (broken) throw new Error("no line");
      return requests.map((one) => (one < 0 ? new Error(`${one} is negative`) : `${one}`));
    });
    const mixed = await Promise.allSettled([ask(1), ask(-1), ask(2)]);
    assert.deepEqual(
      mixed.map((one) => (one.status === "fulfilled" ? one.value : (one.reason as Error).message)),
      ["1", "-1 is negative", "2"],
    );
    broken = true;
    const failed = await Promise.allSettled([ask(1), ask(2)]);
    assert.deepEqual(new Set(failed.map((one) => one.status)), new Set(["rejected"]));
    broken = false;
    assert.equal(await ask(3), "3");
  });
});
