import assert from "node:assert/strict";
import fc from "fast-check";
import type { NetworkFault } from "../../provider/http/network-fault";
import { type Attempted, decideRetry, defaultRetryPolicy, outcomeUnknown } from "../../provider/http/retry";

const policy = defaultRetryPolicy;
const refused: NetworkFault = { kind: "refused", sent: false, text: "connection refused (ECONNREFUSED)" };
const lost: NetworkFault = { kind: "lost", sent: true, text: "the connection was lost (ECONNRESET)" };
const nameless: NetworkFault = { kind: "not-resolved", sent: false, text: "host name not found (ENOTFOUND)" };
const untrusted: NetworkFault = { kind: "certificate", sent: false, text: "the TLS connection failed" };

function decide(given: Partial<Attempted>) {
  return decideRetry(
    {
      method: "GET",
      idempotent: false,
      attempt: 1,
      result: { status: 503 },
      retryAfter: undefined,
      elapsed: 0,
      random: 0.5,
      ...given,
    },
    policy,
  );
}

const attempted: fc.Arbitrary<Attempted> = fc.record({
  method: fc.constantFrom("GET", "POST", "PATCH", "PUT", "DELETE"),
  idempotent: fc.boolean(),
  attempt: fc.integer({ min: 1, max: 20 }),
  result: fc.oneof(
    fc.integer({ min: 200, max: 599 }).map((status) => ({ status })),
    fc.constantFrom(refused, lost, nameless, untrusted).map((fault) => ({ fault })),
    fc.constant({ unreadable: true as const }),
  ),
  retryAfter: fc.option(fc.integer({ min: 0, max: 600_000 }), { nil: undefined }),
  elapsed: fc.integer({ min: 0, max: 200_000 }),
  random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
});

describe("retry decision", () => {
  const table: [string, Partial<Attempted>, boolean][] = [
    ["a read after 503", {}, true],
    ["a read after 429", { result: { status: 429 } }, true],
    ["a read after 408", { result: { status: 408 } }, true],
    ["a read after 501", { result: { status: 501 } }, false],
    ["a read after 404", { result: { status: 404 } }, false],
    ["a read after 401", { result: { status: 401 } }, false],
    ["a read after a lost connection", { result: { fault: lost } }, true],
    ["a read after half an answer", { result: { unreadable: true } }, true],
    ["a read from an untrusted host", { result: { fault: untrusted } }, false],
    ["a read from a host that does not exist", { result: { fault: nameless } }, false],
    ["a create after 503", { method: "POST" }, false],
    ["a create after a lost connection", { method: "POST", result: { fault: lost } }, false],
    ["a create after half an answer", { method: "POST", result: { unreadable: true } }, false],
    ["a create that was never sent", { method: "POST", result: { fault: refused } }, true],
    ["a create that was told to slow down", { method: "POST", result: { status: 429 } }, true],
    ["a create checked for idempotency, after 503", { method: "POST", idempotent: true }, true],
    ["a patch after 503", { method: "PATCH" }, false],
    ["a delete after 503", { method: "DELETE" }, true],
    ["the last attempt", { attempt: policy.attempts, result: { status: 500 } }, false],
    ["the same attempt of 429", { attempt: policy.attempts, result: { status: 429 } }, true],
    ["the same attempt where nobody listens", { attempt: policy.attempts, result: { fault: refused } }, true],
    ["the last attempt of an outage", { attempt: policy.outageAttempts }, false],
    ["a wait beyond the budget", { retryAfter: policy.budget + 1 }, false],
  ];
  for (const [name, given, expected] of table) {
    it(`${name}: ${expected ? "again" : "final"}`, () => {
      const decision = decide(given);
      assert.equal(decision.retry, expected);
      assert.ok(decision.reason.length > 0);
    });
  }

  it("waits at least what the platform asks and at most one backoff more", () => {
    const decision = decide({ retryAfter: 2_000, random: 0.999 });
    assert.ok(decision.retry && decision.delay >= 2_000 && decision.delay <= 2_000 + policy.base);
  });

  it("never exceeds attempts, budget or the longest backoff", () => {
    fc.assert(
      fc.property(attempted, (given) => {
        const decision = decideRetry(given, policy);
        if (!decision.retry) return;
        assert.ok(given.attempt < policy.outageAttempts);
        assert.ok(given.elapsed + decision.delay <= policy.budget);
        assert.ok(decision.delay >= (given.retryAfter ?? 0));
        assert.ok(decision.delay - (given.retryAfter ?? 0) <= policy.longest);
      }),
    );
  });

  /** A call that meets `results` one after the other: when each attempt began, and whether it was told to go on. */
  function run(
    results: readonly Attempted["result"][],
    given: Pick<Attempted, "method" | "idempotent" | "retryAfter"> & { random: number; each: number },
  ) {
    let elapsed = 0;
    for (let attempt = 1; ; attempt += 1) {
      const result = results[(attempt - 1) % results.length]!;
      elapsed += given.each;
      const decision = decideRetry({ ...given, attempt, result, elapsed }, policy);
      if (!decision.retry) return { attempts: attempt, elapsed, last: result };
      elapsed += decision.delay;
    }
  }

  it("ends every call in bounded attempts and time, whatever it meets", () => {
    const call = fc.record({
      method: fc.constantFrom("GET", "POST", "PATCH", "DELETE"),
      idempotent: fc.boolean(),
      retryAfter: fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined }),
      random: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      each: fc.integer({ min: 0, max: 30_000 }),
    });
    fc.assert(
      fc.property(fc.array(attempted, { minLength: 1, maxLength: 20 }), call, (many, given) => {
        const results = many.map(({ result }) => result);
        const { attempts, elapsed } = run(results, given);
        assert.ok(attempts <= policy.outageAttempts);
        assert.ok(elapsed <= policy.budget + given.each, `${elapsed} ms`);
        if (given.idempotent || !["POST", "PATCH"].includes(given.method)) return;
        // All but the last were sent again: none of them may have had its effect.
        for (let n = 0; n < attempts - 1; n += 1) assert.equal(outcomeUnknown(results[n % results.length]!), false);
      }),
    );
  });

  it("outlasts 30 s without a platform, whatever the dice say", () => {
    for (const result of [{ fault: refused }, { status: 503 }, { status: 429 }]) {
      for (const random of [0, 0.5, 0.999]) {
        const { elapsed } = run([result], { method: "GET", idempotent: true, retryAfter: undefined, random, each: 0 });
        assert.ok(elapsed > 30_000 && elapsed <= policy.budget, `${elapsed} ms`);
      }
    }
  });

  it("never sends a POST or PATCH twice that may have had its effect, unless told that it may", () => {
    fc.assert(
      fc.property(attempted, (given) => {
        const risky = (given.method === "POST" || given.method === "PATCH") && !given.idempotent;
        if (risky && outcomeUnknown(given.result)) assert.equal(decideRetry(given, policy).retry, false);
      }),
    );
  });

  it("is the same for the same input", () => {
    fc.assert(
      fc.property(attempted, (given) => assert.deepEqual(decideRetry(given, policy), decideRetry(given, policy))),
    );
  });
});
