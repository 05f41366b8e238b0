import assert from "node:assert/strict";
import fc from "fast-check";
import { after, afterEach, before, describe, it } from "mocha";
import { fuzzSeed, startFuzzedPlatform } from "./fuzzed-platform";

describe(`fuzz: Platform API of the embedded platform (TENANTRY_FUZZ_SEED=${fuzzSeed})`, function () {
  this.timeout(180_000);
  let platform: Awaited<ReturnType<typeof startFuzzedPlatform>>;
  before(async () => (platform = await startFuzzedPlatform()));
  afterEach(() => platform.intact());
  after(() => platform.close());

  const root = "/v1/organizations/local";
  const call = (method: string, path: string, body?: string | Buffer) =>
    platform.send({ method, path: root + path, headers: { authorization: `Bearer ${platform.apiToken}` }, body });

  const names: [string, string][] = [
    ["a way to the control database", "..%2f..%2fcontrol"],
    ["up", ".."],
    ["up, encoded", "%2e%2e"],
    ["NUL", "%00"],
    ["a known one and NUL", "a%00"],
    ["a known one and space", "a%20"],
    ["a known one, in capitals", "A"],
    ["a known one and up to another", "a%2f..%2fb"],
    ["no UTF-8", "%ff"],
    ["a lone percent", "%"],
    ["an escape that is none", "%zz"],
    ["an emoji", "%F0%9F%98%80"],
    ["leading dashes", "--help"],
    ["10 kB", "a".repeat(10_000)],
    ["a matrix parameter", "a;b"],
    ["a property of every object", "__proto__"],
    ["a method of every object", "constructor"],
    ["SQL", "a'%20OR%201=1--"],
    ["a template", "%24%7b7*7%7d"],
  ];
  for (const [what, name] of names) {
    it(`finds nothing under a name that is ${what}`, async () => {
      const tries = [
        ...["GET", "DELETE"].map((method) => call(method, `/databases/${name}`)),
        ...["/configuration", "/usage"].map((rest) => call("GET", `/databases/${name}${rest}`)),
        ...["tokens", "rotate"].map((rest) => call("POST", `/databases/${name}/auth/${rest}`)),
        ...["GET", "DELETE"].map((method) => call(method, `/groups/${name}`)),
        ...["GET", "POST", "PATCH", "DELETE"].map((method) => call(method, `/members/${name}`)),
        ...["groups", "databases"].map((kind) => call("POST", `/${kind}/${name}/update`)),
        call("POST", `/groups/${name}/auth/rotate`),
        platform.send({
          path: `/v1/organizations/${name}/databases`,
          headers: { authorization: `Bearer ${platform.apiToken}` },
        }),
        platform.send({ path: `/v1/locations/${name}` }),
        platform.pipeline(name, { requests: [] }),
        platform.send({
          method: "POST",
          path: `/org/${name}/db/a/v2/pipeline`,
          headers: { authorization: `Bearer ${platform.token}` },
          body: '{"requests":[]}',
        }),
      ];
      for (const answer of await Promise.all(tries)) {
        // ".." leads to other calls, one level up, each with its own rules.
        if (!what.startsWith("up")) assert.equal(answer.status, 404, answer.text);
        platform.judge(answer, name);
      }
    });
  }

  const junk = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.constantFrom<unknown>(null, true, "", "g", "a", 0, -1, 2 ** 53, "..", "../a", "__proto__"),
    },
    fc.constantFrom<unknown>(
      "@1e999@",
      "@-0@",
      "@9223372036854775808@",
      "@1e-999@",
      "\u0000",
      "\ud800",
      "ａ",
      "a\n",
      "-",
    ),
    fc.string({ maxLength: 80, unit: "binary" }),
    fc.constant("x".repeat(10_000)),
    fc.jsonValue({ maxDepth: 3 }),
    fc.integer({ min: 100, max: 5000 }).map((depth) => `@${"[".repeat(depth)}${"]".repeat(depth)}@`),
  );
  const keys = [
    "name",
    "group",
    "location",
    "extensions",
    "seed",
    "type",
    "value",
    "timestamp",
    "size_limit",
    "schema",
  ].concat(
    [
      "is_schema",
      "use_tursodb",
      "remote_encryption",
      "block_reads",
      "block_writes",
      "delete_protection",
      "allow_attach",
    ],
    [
      "allowed_ips",
      "allowed_aws_vpc_ids",
      "permissions",
      "scopes",
      "organization",
      "overages",
      "__proto__",
      "constructor",
      "toString",
    ],
  );
  const record = fc.array(
    fc.tuple(fc.constantFrom(...keys), fc.oneof(junk, fc.dictionary(fc.constantFrom(...keys), junk))),
    { maxLength: 6 },
  );
  // By hand, since __proto__ would not be a key of an object; and what stands between @ is not JSON of JavaScript's.
  const text = (pairs: [string, unknown][]) =>
    `{${pairs.map(([key, value]) => `${JSON.stringify(key)}:${JSON.stringify(value)}`).join(",")}}`.replace(
      /"@([^"@]*)@"/g,
      "$1",
    );
  const calls: [string, string][] = [
    ["POST", "/databases"],
    ["POST", "/groups"],
    ["PATCH", "/groups/g/configuration"],
    ["PATCH", "/databases/scratch/configuration"],
    ["POST", "/databases/scratch/auth/tokens"],
    ["POST", "/groups/g/auth/tokens"],
    ["PATCH", ""],
    ["POST", "/databases/nowhere/auth/tokens"],
    ["POST", "/members"],
    ["PATCH", "/members/local"],
    ["POST", "/../../../v2/organizations/local/invites"],
  ];
  for (const [method, path] of calls) {
    it(`takes or refuses any body of ${method} ${path || "/"}`, async () => {
      await fc.assert(
        fc.asyncProperty(record, async (pairs) => {
          const body = text(pairs);
          const answer = await call(method, path, body);
          platform.judge(answer, body.slice(0, 500));
          if (answer.status >= 400)
            assert.equal(typeof (JSON.parse(answer.text) as { error: unknown }).error, "string");
          // What was right by accident must not stay.
          const made = method === "POST" && answer.status === 200 && !path.includes("auth");
          if (made) await call("DELETE", `${path}/${(JSON.parse(body) as { name: string }).name}`);
        }),
        { seed: fuzzSeed, numRuns: 150 },
      );
      await call("PATCH", "/groups/g/configuration", '{"delete_protection":false}');
    });
  }

  it("takes or refuses any text as a body", async () => {
    const deep = ["[", '{"name":', '[{"seed":'].map((part) => part.repeat(100_000));
    for (const body of ["null", "[]", "5", '"x"', "{", "NaN", "{'a':1}", "[1,]", "\u0000", ...deep]) {
      for (const [method, path] of calls.slice(0, 4)) {
        const answer = await call(method, path, body);
        assert.equal(answer.status, 400, `${method} ${path} ${body.slice(0, 20)}: ${answer.text}`);
        platform.judge(answer, body.slice(0, 50));
      }
    }
  });

  it("takes or refuses any query", async () => {
    const value = fc.oneof(
      fc.constantFrom(
        "0",
        "-1",
        "1e9",
        "NaN",
        "9".repeat(400),
        "%ff",
        "%00",
        "Li4v",
        "never",
        "1e9d",
        "-1d",
        "0s",
        `${"9".repeat(300)}d`,
      ),
      fc.constantFrom(
        "9999999999999w",
        "root",
        "full-access",
        "..%2f",
        "x".repeat(9000),
        "%F0%9F%98%80",
        "",
        "1&limit=2",
      ),
      fc.string({ maxLength: 20, unit: "binary" }).map((given) => encodeURIComponent(given)),
    );
    const key = fc.constantFrom(
      "limit",
      "cursor",
      "group",
      "group[]",
      "parent",
      "expiration",
      "authorization",
      "from",
      "to",
      "%ff",
      "__proto__",
    );
    const target = fc.constantFrom<[string, string]>(
      ["GET", "/databases"],
      ["GET", "/groups"],
      ["POST", "/databases/scratch/auth/tokens"],
    );
    const query = fc.array(fc.tuple(key, value), { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(target, query, async ([method, path], pairs) => {
        const whole = `${path}?${pairs.map((pair) => pair.join("=")).join("&")}`;
        platform.judge(await call(method, whole), whole);
      }),
      { seed: fuzzSeed, numRuns: 300 },
    );
  });

  it("lets nobody in without the right token, on either half", async () => {
    const unsigned = (claims: object) =>
      `${Buffer.from('{"alg":"none"}').toString("base64url")}.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.`;
    const [header = "", payload = "", signature = ""] = platform.token.split(".");
    const forged = [
      ...["", "Bearer", "Bearer ", "Basic YTpi", `Basic ${platform.apiToken}`, `Bearer x ${platform.apiToken}`],
      `Bearer ${platform.apiToken.slice(0, -1)}`,
      `Bearer ${platform.apiToken}x`,
      `Bearer ${platform.apiToken.toUpperCase()}`,
      `Bearer ${unsigned({ a: "rw" })}`,
      `Bearer ${header}.${payload}.`,
      `Bearer ${header}.${payload}.${signature.slice(0, -4)}`,
      `Bearer ${header}.${Buffer.from('{"a":"rw","gid":null}').toString("base64url")}.${signature}`,
      `Bearer ${Buffer.from('{"alg":"HS256"}').toString("base64url")}.${payload}.${signature}`,
      `Bearer ${"a".repeat(12_000)}`,
      `Bearer ${Buffer.from('{"alg":"EdDSA"}').toString("base64url")}.${Buffer.from('{"exp":"soon"}').toString("base64url")}.x`,
    ];
    for (const authorization of forged) {
      const body = '{"requests":[]}';
      const answers = await Promise.all([
        platform.send({ path: `${root}/groups`, headers: { authorization } }),
        platform.send({ method: "POST", path: "/db/a/v2/pipeline", headers: { authorization }, body }),
        platform.send({
          path: `${root}/groups?token=${platform.apiToken}&authToken=${platform.apiToken}`,
          headers: { authorization },
        }),
      ]);
      for (const answer of answers) {
        assert.equal(answer.status, 401, `${authorization.slice(0, 40)}: ${answer.text}`);
        platform.judge(answer, authorization.slice(0, 40));
      }
    }
    const crossed = [
      platform.send({ path: `${root}/groups`, headers: { authorization: `Bearer ${platform.token}` } }),
      platform.pipeline("a", { requests: [] }, platform.apiToken),
      platform.pipeline("b", { requests: [] }, platform.readOnly),
    ];
    assert.deepEqual(
      (await Promise.all(crossed)).map(({ status }) => status),
      [401, 401, 401],
    );
  });
});
