import assert from "node:assert/strict";
import { type HttpCall, type HttpClientOptions, createHttpClient } from "../../provider/http/client";
import { TenantryError, type ErrorCode } from "../../provider/platform/errors";
import {
  type Script,
  type ScriptedReply,
  freshToken,
  refusingUrl,
  withScriptedServer,
} from "../support/scripted-server";
import { virtualClock } from "../support/virtual-clock";

const quick = { base: 1, longest: 4, budget: 2_000 };
const get: HttpCall = { method: "GET", path: "/things" };
const post: HttpCall = { method: "POST", path: "/things", body: { name: "a" } };

function client(baseUrl: string, options: Partial<HttpClientOptions> = {}) {
  return createHttpClient({ baseUrl, token: freshToken(), retry: quick, ...options });
}

async function failure(work: Promise<unknown>): Promise<TenantryError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof TenantryError, `a TenantryError was expected, not ${String(error)}`);
  return error;
}

describe("http client", () => {
  it("sends token, agent and JSON, and keeps a path in the base URL", async () => {
    await withScriptedServer(
      () => ({ json: { ok: true }, headers: { "x-request-id": "r-1" } }),
      async (server) => {
        const token = freshToken();
        const sut = client(`${server.url}/proxy/`, { token });
        const answer = await sut.send({ ...post, query: { a: "1 2", b: undefined } });
        const [request] = server.requests;
        assert.equal(request?.path, "/proxy/things");
        assert.deepEqual(request?.query, { a: "1 2" });
        assert.deepEqual(request?.body, { name: "a" });
        assert.equal(request?.headers.authorization, `Bearer ${token}`);
        assert.match(String(request?.headers["user-agent"]), /^tenantry\/\d+\.\d+\.\d+/);
        assert.deepEqual(answer.body, { ok: true });
        assert.equal(answer.requestId, "r-1");
      },
    );
  });

  it("sends no token where none is wanted", async () => {
    await withScriptedServer(
      () => ({ json: {} }),
      async (server) => {
        await client(server.url).send({ ...get, authenticated: false });
        assert.equal(server.requests[0]?.headers.authorization, undefined);
      },
    );
  });

  it("sends another token and headers with one call; what is said of that token says nothing of its own", async () => {
    await withScriptedServer(
      ({ headers }) =>
        headers.authorization === "Bearer visitor-token-that-is-wrong"
          ? { status: 401, json: { error: "no: visitor-token-that-is-wrong" } }
          : { json: {} },
      async (server) => {
        const sut = client(server.url);
        const bearer = "visitor-token-that-is-wrong";
        const answer = await sut.send({ ...post, bearer, headers: { "idempotency-key": "k1" } });
        assert.equal(answer.status, 401);
        assert.ok(!answer.problem.includes(bearer), answer.problem);
        assert.equal(server.requests[0]?.headers["idempotency-key"], "k1");
        assert.equal((await sut.send(get)).status, 200);
        assert.equal(server.requests[1]?.headers["idempotency-key"], undefined);
      },
    );
  });

  it("takes an empty success for what it is", async () => {
    await withScriptedServer(
      () => ({ text: "" }),
      async (server) => assert.equal((await client(server.url).send(post)).body, undefined),
    );
  });

  describe("faults that pass", () => {
    const faults: Record<string, ScriptedReply> = {
      "500": { status: 500, json: { error: "oops" } },
      "502 with HTML": { status: 502, text: "<html>Bad gateway</html>" },
      "429": { status: 429, json: { error: "slow down" } },
      "429 with Retry-After": { status: 429, headers: { "retry-after": "0.02" } },
      "a dropped connection": { fault: "drop" },
      "half a body": { json: { text: "x".repeat(100) }, fault: "truncate" },
      "JSON cut off": { text: '{"databases":[{"Name":"a"' },
    };
    for (const [name, fault] of Object.entries(faults)) {
      it(`a read gets over ${name}`, async () => {
        const script: Script = ({ attempt }) => (attempt < 3 ? fault : { json: { attempt } });
        await withScriptedServer(script, async (server) => {
          assert.deepEqual((await client(server.url).send(get)).body, { attempt: 3 });
          assert.equal(server.requests.length, 3);
        });
      });
    }
  });

  describe("a POST that nobody called idempotent", () => {
    const cases: [string, ScriptedReply, ErrorCode | number, number][] = [
      ["stops at 503", { status: 503, json: { error: "x" } }, 503, 1],
      ["stops at a dropped connection", { fault: "drop" }, "unreachable", 1],
      ["stops at JSON cut off", { text: '{"a":' }, "bad-answer", 1],
      ["goes on after 429", { status: 429 }, 200, 2],
    ];
    for (const [name, reply, expected, requests] of cases) {
      it(name, async () => {
        const script: Script = ({ attempt }) => (attempt === 1 ? reply : { json: {} });
        await withScriptedServer(script, async (server) => {
          const sut = client(server.url);
          if (typeof expected === "number") assert.equal((await sut.send(post)).status, expected);
          else {
            const error = await failure(sut.send(post));
            assert.equal(error.code, expected);
            assert.equal(error.afterLostReply, true);
          }
          assert.equal(server.requests.length, requests);
        });
      });
    }
  });

  it("says that an earlier attempt may have had its effect", async () => {
    const script: Script = ({ attempt }) =>
      attempt === 1 ? { fault: "drop" } : { status: 409, json: { error: "exists" } };
    await withScriptedServer(script, async (server) => {
      const answer = await client(server.url).send({ ...post, idempotent: true });
      assert.deepEqual([answer.status, answer.afterLostReply], [409, true]);
    });
    await withScriptedServer(
      ({ attempt }) => (attempt === 1 ? { status: 429 } : { status: 409, json: { error: "exists" } }),
      async (server) => {
        const answer = await client(server.url).send({ ...post, idempotent: true });
        assert.deepEqual([answer.status, answer.afterLostReply], [409, false]);
      },
    );
  });

  describe("faults that stay", () => {
    const cases: [string, ScriptedReply, ErrorCode, RegExp][] = [
      [
        "HTML",
        { text: "<!doctype html><title>Sign in</title>" },
        "bad-answer",
        /GET 127\.0\.0\.1:\d+\/things.*HTML.*Sign in/,
      ],
      ["half JSON", { text: `{"a": ${"1".repeat(200)}` }, "bad-answer", /not whole JSON: "\{"a": 1{74}\.\.\."/],
      ["a redirect", { status: 302, headers: { location: "https://elsewhere.example/" } }, "bad-answer", /elsewhere/],
      ["a proxy's 404", { status: 404, text: "<h1>Not Found</h1>" }, "bad-answer", /404.*not JSON/],
      ["half a body", { json: { a: "x".repeat(100) }, fault: "truncate" }, "unreachable", /connection was lost/],
      [
        "an answer without end",
        { json: { a: "x".repeat(100) }, fault: "stall" },
        "timed-out",
        /no whole answer in time/,
      ],
      ["silence", { delay: 400 }, "timed-out", /no whole answer in time/],
    ];
    for (const [name, reply, code, text] of cases) {
      it(`${name}: ${code}`, async () => {
        await withScriptedServer(
          () => reply,
          async (server) => {
            const error = await failure(
              client(server.url, {
                timeout: code === "timed-out" ? 100 : undefined,
                retry: { ...quick, attempts: 2 },
              }).send(get),
            );
            assert.equal(error.code, code);
            assert.match(error.message, text);
          },
        );
      });
    }

    it("an answer larger than allowed", async () => {
      await withScriptedServer(
        () => ({ json: { a: "x".repeat(5_000) } }),
        async (server) => {
          const error = await failure(client(server.url, { maxBytes: 1_000 }).send(get));
          assert.match(error.message, /larger than 1000 bytes/);
          assert.equal(server.requests.length, 1);
        },
      );
    });

    it("nobody listening", async () => {
      const error = await failure(client(await refusingUrl()).send(get));
      assert.equal(error.code, "unreachable");
      assert.match(error.message, /connection refused/);
      assert.equal(error.afterLostReply, false);
    });

    it("https where http is spoken, asked once", async () => {
      await withScriptedServer(
        () => ({ json: {} }),
        async (server) => {
          const began = performance.now();
          const patient = { attempts: 5, base: 5_000, longest: 5_000 };
          const sut = client(server.url.replace("http:", "https:"), { retry: patient });
          const error = await failure(sut.send(get));
          assert.equal(error.code, "untrusted-host");
          assert.match(error.message, /TLS.*http or https/);
          assert.ok(performance.now() - began < 1_000);
        },
      );
    });

    it("a Retry-After beyond patience is told, not waited for", async () => {
      await withScriptedServer(
        () => ({ status: 429, headers: { "retry-after": "3600" } }),
        async (server) => {
          const sut = client(server.url);
          const answers = await Promise.all([sut.send(get), sut.send(get)]);
          assert.deepEqual(
            answers.map(({ status, retryAfter }) => [status, retryAfter]),
            [
              [429, 3_600_000],
              [429, 3_600_000],
            ],
          );
        },
      );
    });
  });

  describe("once the run is cancelled", () => {
    const cancellable = () => {
      const run = new AbortController();
      return { run, clock: { ...virtualClock(), cancelled: run.signal } };
    };

    it("tries nothing again, and tells what it met", async () => {
      const { run, clock } = cancellable();
      await withScriptedServer(
        () => {
          run.abort();
          return { status: 503, json: { error: "away" } };
        },
        async (server) => {
          assert.equal((await client(server.url, { clock }).send(get)).status, 503);
          assert.equal(server.requests.length, 1);
        },
      );
    });

    it("does not send again what waits for the end of another call's pause", async () => {
      const { run, clock } = cancellable();
      // The second attempt's wait is over at once; that for its place ends with the run.
      let sleeps = 0;
      const sleep = async (ms: number): Promise<void> => {
        sleeps += 1;
        if (sleeps > 1) run.abort();
        else await clock.sleep(ms - 30_000);
      };
      const refused: ScriptedReply = { status: 429, headers: { "retry-after": "30" }, json: { error: "slow down" } };
      await withScriptedServer(
        () => refused,
        async (server) => {
          const patient = { base: 1, longest: 4, budget: 90_000 };
          const sut = client(server.url, { retry: patient, clock: { ...clock, sleep } });
          assert.equal((await sut.send(get)).status, 429);
          assert.equal(server.requests.length, 1);
        },
      );
    });

    it("begins nothing", async () => {
      const { run, clock } = cancellable();
      run.abort();
      await withScriptedServer(
        () => ({ json: {} }),
        async (server) => {
          const error = await failure(client(server.url, { clock }).send(post));
          assert.equal(error.code, "cancelled");
          assert.equal(server.requests.length, 0);
        },
      );
    });
  });

  it("keeps within its concurrency", async () => {
    await withScriptedServer(
      () => ({ json: {}, delay: 5 }),
      async (server) => {
        const sut = client(server.url, { concurrency: 4 });
        await Promise.all(Array.from({ length: 40 }, () => sut.send(get)));
        assert.equal(server.requests.length, 40);
        assert.ok(server.busiest <= 4 && server.busiest > 1, `${server.busiest} at once`);
      },
    );
  });

  describe("a rejected token", () => {
    it("costs one request for 64 calls at the same time, and is explained once", async () => {
      await withScriptedServer(
        () => ({ status: 401, json: { error: "token is not valid" }, delay: 5 }),
        async (server) => {
          const token = freshToken();
          const sut = client(server.url, { token });
          const errors = await Promise.all(Array.from({ length: 64 }, () => failure(sut.send(get))));
          assert.equal(server.requests.length, 1);
          assert.equal(errors.filter(({ message }) => message.includes("token is not valid")).length, 1);
          assert.equal(errors.filter(({ message }) => message.startsWith("Not attempted")).length, 63);
          for (const error of errors) assert.equal(error.code, "credentials-rejected");
          // Another client with the same credential knows it too.
          await failure(client(server.url, { token }).send(get));
          assert.equal(server.requests.length, 1);
        },
      );
    });

    it("in the middle of a run stops what is still waiting", async () => {
      const script: Script = ({ attempt }) =>
        attempt <= 3 ? { json: {} } : { status: 401, json: { error: "revoked" } };
      await withScriptedServer(script, async (server) => {
        const sut = client(server.url, { concurrency: 2 });
        const results = await Promise.allSettled(Array.from({ length: 50 }, () => sut.send(get)));
        assert.equal(results.filter(({ status }) => status === "fulfilled").length, 3);
        assert.ok(server.requests.length <= 5, `${server.requests.length} requests`);
      });
    });

    it("that is hopeless costs none", async () => {
      await withScriptedServer(
        () => ({ json: {} }),
        async (server) => {
          const hopeless = () => new TenantryError("credentials-rejected", "A database token.");
          const sut = client(server.url, { hopeless });
          const errors = await Promise.all([failure(sut.send(get)), failure(sut.send(get))]);
          assert.deepEqual(errors.map(({ message }) => message.slice(0, 13)).sort(), [
            "A database to",
            "Not attempted",
          ]);
          assert.equal(server.requests.length, 0);
        },
      );
    });
  });

  it("shows no secret in any error", async () => {
    const token = freshToken();
    const echo: Script = ({ headers }) => ({
      text: `oops, you sent ${String(headers.authorization)} and {"jwt":"minted-secret`,
    });
    await withScriptedServer(echo, async (server) => {
      const error = await failure(client(server.url, { token }).send(get));
      const shown = `${error.message}\n${error.stack}\n${JSON.stringify(error)}`;
      assert.ok(!shown.includes(token), shown);
      assert.ok(!shown.includes("minted-secret"), shown);
    });
  });
});
