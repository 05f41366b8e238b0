import assert from "node:assert/strict";
import { createCanary } from "../../provider/rollout/canary";

/** Work that ends when told, and says when it began. */
function work() {
  let settle: { resolve: (value: string) => void; reject: (reason: Error) => void };
  const promise = new Promise<string>((resolve, reject) => (settle = { resolve, reject }));
  const scene = { began: false, ...settle!, run: () => ((scene.began = true), promise) };
  return scene;
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("createCanary", () => {
  it("lets one go first and the others only after it succeeded", async () => {
    const canary = createCanary();
    const [a, b, c] = [work(), work(), work()];
    const all = [canary.run("a", a.run), canary.run("b", b.run), canary.run("c", c.run)];
    await turn();
    assert.deepEqual([a.began, b.began, c.began], [true, false, false]);
    a.resolve("a");
    await turn();
    assert.deepEqual([b.began, c.began], [true, true]);
    b.resolve("b");
    c.resolve("c");
    assert.deepEqual(await Promise.all(all), ["a", "b", "c"]);
  });

  it("stops the others, also late ones, when the first fails, and says who it was", async () => {
    const canary = createCanary();
    const [a, b] = [work(), work()];
    const all = [canary.run("a", a.run), canary.run("b", b.run)];
    a.reject(new Error("bad SQL"));
    const [first, second] = await Promise.allSettled(all);
    assert.match(String((first as PromiseRejectedResult).reason), /bad SQL/);
    assert.match(String((second as PromiseRejectedResult).reason), /b: not migrated, because a went first and failed/);
    await assert.rejects(canary.run("c", b.run), { code: "migration-failed" });
    assert.equal(b.began, false);
  });

  it("lets a failure behind the first stop nobody", async () => {
    const canary = createCanary();
    assert.equal(await canary.run("a", async () => 1), 1);
    await assert.rejects(
      canary.run("b", async () => Promise.reject(new Error("its own"))),
      /its own/,
    );
    assert.equal(await canary.run("c", async () => 3), 3);
  });
});
