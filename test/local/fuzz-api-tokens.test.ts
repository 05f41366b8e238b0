import assert from "node:assert/strict";
import fc from "fast-check";
import { after, afterEach, before, describe, it } from "mocha";
import { demands, presets, scopes } from "../../provider/local/api/scopes";
import { fuzzSeed, startFuzzedPlatform, type FuzzAnswer } from "./fuzzed-platform";

describe(`fuzz: API tokens and usage of the embedded platform (TENANTRY_FUZZ_SEED=${fuzzSeed})`, function () {
  this.timeout(240_000);
  let platform: Awaited<ReturnType<typeof startFuzzedPlatform>>;
  before(async () => (platform = await startFuzzedPlatform()));
  afterEach(() => platform.intact());
  after(() => platform.close());

  const root = "/v1/organizations/local";
  const call = (method: string, path: string, body?: string, token = platform.apiToken): Promise<FuzzAnswer> =>
    platform.send({ method, path, headers: { authorization: `Bearer ${token}` }, body });
  const ok = async (method: string, path: string, body?: object): Promise<Record<string, string>> => {
    const answer = await call(method, path, body && JSON.stringify(body));
    assert.equal(answer.status, 200, answer.text);
    return JSON.parse(answer.text) as Record<string, string>;
  };
  const tokens = async (): Promise<{ name: string; id: string }[]> =>
    (await ok("GET", "/v1/auth/api-tokens"))["tokens"] as unknown as { name: string; id: string }[];

  const junk = fc.oneof(
    fc.constantFrom<unknown>(null, true, 0, -1, "", "local", "g", "nowhere", "..", "__proto__", [], {}, "\u0000"),
    fc.constantFrom<unknown>(["read"], ["read-only"], ["full-access", "read"], [""], [null], ["__proto__"], ["READ"]),
    fc.jsonValue({ maxDepth: 2 }),
  );

  it("takes or refuses any body and any name of a new token, and never makes one that may do more than it says", async () => {
    const name = fc.oneof(
      fc.stringMatching(/^[\w.-]{1,64}$/),
      fc.constantFrom(
        "local",
        "validate",
        "..",
        "%2e%2e",
        "a%2fb",
        "%00",
        "%ff",
        "%",
        "__proto__",
        "x".repeat(65),
        "ok",
      ),
      fc.string({ minLength: 1, maxLength: 20, unit: "binary" }).map((text) => encodeURIComponent(text)),
    );
    const near = {
      organization: fc.constant<unknown>("local"),
      group: fc.constantFrom<unknown>("g", "g", "G", undefined),
      scopes: fc.constantFrom<unknown>(["read"], ["full-access"], ["read", "read"], ["reed"], undefined),
    };
    const fields = fc.record(
      { organization: junk, group: junk, scopes: junk, name: junk, jti: junk },
      { requiredKeys: [] },
    );
    const bodies: fc.Arbitrary<Record<string, unknown>> = fc.oneof(fields, fc.record(near, { requiredKeys: [] }));
    let made = 0;
    await fc.assert(
      fc.asyncProperty(name, bodies, async (asked, body) => {
        const text = JSON.stringify(body);
        const answer = await call("POST", `/v1/auth/api-tokens/${asked}`, text);
        platform.judge(answer, `${asked} ${text}`);
        if (answer.status !== 200) return;
        made += 1;
        const { id, token } = JSON.parse(answer.text) as { id: string; token: string };
        const listed = (await tokens()).find((one) => one.id === id) as Record<string, unknown> | undefined;
        assert.ok(listed, "it is in the list");
        // Who asked for limits has them, each of them.
        assert.deepEqual([listed["organization"], listed["group"]], [body["organization"], body["group"]]);
        const groups = await call("POST", `${root}/groups`, "{}", token);
        assert.equal(groups.status, body["group"] === undefined ? 400 : 403, "creating a group");
        await ok("DELETE", `/v1/auth/api-tokens/${encodeURIComponent(String(listed["name"]))}`);
        assert.equal((await call("GET", `${root}/groups`, undefined, token)).status, 401, "it is revoked");
      }),
      { seed: fuzzSeed, numRuns: 250 },
    );
    assert.ok(made > 5, "no token that was made up was taken");
    assert.deepEqual(
      (await tokens()).map((one) => one.name),
      ["local"],
    );
  });

  it("revokes nothing by a name or id that is made up", async () => {
    const { id = "" } = await ok("POST", "/v1/auth/api-tokens/kept", { organization: "local" });
    const near = [id.slice(0, -1), `${id}x`, id.toUpperCase(), "kep_", "kep%25", "KEPT", "kept%20", "%2a", "1", "%ff"];
    const any = fc.string({ minLength: 1, maxLength: 30, unit: "binary" }).map((text) => encodeURIComponent(text));
    const target = fc.oneof(fc.constantFrom(...near), any);
    await fc.assert(
      fc.asyncProperty(target, fc.constantFrom("/v1/auth/api-tokens", `${root}/api-tokens`), async (name, path) => {
        const answer = await call("DELETE", `${path}/${name}`);
        platform.judge(answer, name);
        assert.ok([400, 403, 404].includes(answer.status), `${answer.status} for ${name}`);
      }),
      { seed: fuzzSeed, numRuns: 150 },
    );
    assert.deepEqual((await tokens()).map((one) => one.name).sort(), ["kept", "local"]);
    await ok("DELETE", `${root}/api-tokens/${id}`);
  });

  it("lets a token with any scopes do what they say, and nothing to another group", async () => {
    await ok("POST", `${root}/groups`, { name: "own", location: "local" });
    await ok("POST", `${root}/databases`, { name: "mine", group: "own" });
    const granted = fc.uniqueArray(fc.constantFrom<string>(...scopes, ...Object.keys(presets)), {
      minLength: 1,
      maxLength: 4,
    });
    const asked = fc.constantFrom(...Object.entries(demands));
    const place = fc.constantFrom(["own", "mine"], ["g", "a"], ["nowhere", "none"]);
    let served = 0;
    try {
      await fc.assert(
        fc.asyncProperty(granted, asked, place, async (scopesAsked, [known, demand], [group = "", database = ""]) => {
          const limits = { organization: "local", group: "own", scopes: scopesAsked };
          const { token = "" } = await ok("POST", "/v1/auth/api-tokens/limited", limits);
          try {
            const [method = "", path = ""] = known
              .replace(":organization", "local")
              .replace(":group", group)
              .replace(":database", database)
              .replace(/:\w+/, "x")
              .split(" ");
            // What would be gone, or be more, by right.
            const undone = (method === "DELETE" && path.endsWith("/mine")) || path.endsWith("/databases");
            if (undone && method !== "GET") return;
            const answer = await call(method, path, undefined, token);
            const what = `${method} ${path} with ${scopesAsked.join()}`;
            platform.judge(answer, what);
            const all = new Set<string>(scopesAsked.flatMap((one): readonly string[] => presets[one] ?? [one]));
            const allowed = demand === "none" || all.has(demand);
            if (!allowed) assert.equal(answer.status, 403, what);
            else if (/\/(?:groups|databases)\/(?:g|a)(?:\/|$)/.test(path)) assert.equal(answer.status, 403, what);
            else assert.notEqual(answer.status, 401, what);
            if (answer.status !== 200) return;
            served += 1;
            // Nothing of others is told either.
            assert.doesNotMatch(answer.text, /"(?:Name|name)":"(?:a|b|g|scratch)"/, what);
          } finally {
            await ok("DELETE", "/v1/auth/api-tokens/limited");
          }
        }),
        { seed: fuzzSeed, numRuns: 300 },
      );
    } finally {
      await ok("DELETE", `${root}/groups/own`);
    }
    assert.ok(served > 20, `only ${served} were served`);
  });

  it("takes or refuses any period of usage", async () => {
    const moment = fc.oneof(
      fc.constantFrom("", "0", "-1", "now", "2026-13-45T99:99:99Z", "2026-01-31", "2026-01-31T12:00:00", "%ff", "%00"),
      fc.constantFrom("1969-12-31T23:59:59Z", "9999-12-31T23:59:59Z", "2026-01-31T12:00:00%2B14:00", "x".repeat(2000)),
      fc.date({ noInvalidDate: true }).map((date) => encodeURIComponent(date.toISOString())),
      fc.string({ maxLength: 20, unit: "binary" }).map((text) => encodeURIComponent(text)),
    );
    const query = fc.array(fc.tuple(fc.constantFrom("from", "to", "from[]", "__proto__"), moment), { maxLength: 3 });
    const seen = new Set<number>();
    await fc.assert(
      fc.asyncProperty(query, async (pairs) => {
        const path = `${root}/databases/a/usage?${pairs.map((pair) => pair.join("=")).join("&")}`;
        const answer = await call("GET", path);
        platform.judge(answer, path);
        assert.ok([200, 400].includes(answer.status), `${answer.status} for ${path}`);
        seen.add(answer.status);
        if (answer.status === 200) {
          const { total } = (JSON.parse(answer.text) as { database: { total: Record<string, number> } }).database;
          assert.ok(
            Object.values(total).every((count) => Number.isSafeInteger(count) && count >= 0),
            answer.text,
          );
        }
      }),
      { seed: fuzzSeed, numRuns: 250 },
    );
    assert.deepEqual([...seen].sort(), [200, 400]);
  });
});
