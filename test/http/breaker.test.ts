import assert from "node:assert/strict";
import { createBreaker } from "../../provider/http/breaker";
import { TenantryError } from "../../provider/platform/errors";

const explanation = new TenantryError("credentials-rejected", "The token was rejected, at length.");

describe("breaker", () => {
  it("lets one call go alone until the credential is proven", async () => {
    const breaker = createBreaker();
    let running = 0;
    let prove = () => {};
    const first = breaker.run(async () => {
      running += 1;
      await new Promise<void>((resolve) => (prove = resolve));
      breaker.accept();
    });
    const others = Array.from({ length: 5 }, () => breaker.run(async () => void (running += 1)));
    await new Promise(setImmediate);
    assert.equal(running, 1);
    prove();
    await Promise.all([first, ...others]);
    assert.equal(running, 6);
  });

  it("explains a rejection once and then refuses without calling", async () => {
    const breaker = createBreaker();
    let calls = 0;
    const call = async () => {
      calls += 1;
      throw breaker.reject(explanation);
    };
    const errors = await Promise.all(
      Array.from({ length: 10 }, () => breaker.run(call).catch((error: Error) => error)),
    );
    assert.equal(calls, 1);
    assert.equal(errors.filter((error) => error === explanation).length, 1);
    for (const error of errors.slice(1)) assert.match((error as Error).message, /^Not attempted: .{1,80}$/);
    await assert.rejects(breaker.run(call), /Not attempted/);
    assert.equal(calls, 1);
  });

  it("shares the news of a platform that is down with those who wait, and tries again for later ones", async () => {
    const breaker = createBreaker();
    let calls = 0;
    const down = async () => {
      calls += 1;
      await new Promise(setImmediate);
      throw new TenantryError("unreachable", "Nobody answers.");
    };
    const errors = await Promise.all(Array.from({ length: 8 }, () => breaker.run(down).catch((error: Error) => error)));
    assert.equal(calls, 1);
    for (const error of errors) assert.equal((error as Error).message, "Nobody answers.");
    assert.equal(await breaker.run(async () => "up again"), "up again");
  });

  it("opens for all after an answer that proves nothing", async () => {
    const breaker = createBreaker();
    const first = breaker.run(async () => "503");
    const second = breaker.run(async () => "200");
    assert.deepEqual(await Promise.all([first, second]), ["503", "200"]);
  });
});
