import assert from "node:assert/strict";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { after, afterEach, before, describe, it } from "mocha";
import { startFuzzedPlatform } from "./fuzzed-platform";

describe("fuzz: HTTP of the embedded platform", function () {
  this.timeout(180_000);
  let platform: Awaited<ReturnType<typeof startFuzzedPlatform>>;
  before(async () => (platform = await startFuzzedPlatform()));
  afterEach(() => platform.intact());
  after(() => platform.close());

  const groups = "/v1/organizations/local/groups";
  const head = (...lines: string[]) => `${lines.join("\r\n")}\r\nAuthorization: Bearer ${platform.apiToken}\r\n`;
  const post = (...lines: string[]) => head(`POST ${groups} HTTP/1.1`, "Host: x", ...lines);

  // One request each, and never a second one out of its rest.
  const broken: [string, () => string | Buffer][] = [
    [
      "length and chunks at once",
      () =>
        `${post("Content-Length: 4", "Transfer-Encoding: chunked")}\r\n0\r\n\r\nGET /health HTTP/1.1\r\nHost: x\r\n\r\n`,
    ],
    ["two lengths", () => `${post("Content-Length: 2", "Content-Length: 5")}\r\n{}   `],
    ["a list of lengths", () => `${post("Content-Length: 2, 2")}\r\n{}`],
    ["a negative length", () => `${post("Content-Length: -1")}\r\n{}`],
    ["a length with a sign", () => `${post("Content-Length: +2")}\r\n{}`],
    ["a length beyond every number", () => `${post(`Content-Length: ${"9".repeat(40)}`)}\r\n{}`],
    ["an unknown transfer coding", () => `${post("Transfer-Encoding: xchunked")}\r\n0\r\n\r\n`],
    ["chunks that are not last", () => `${post("Transfer-Encoding: chunked, identity")}\r\n0\r\n\r\n`],
    ["a chunk without a size", () => `${post("Transfer-Encoding: chunked")}\r\nzz\r\n{}\r\n0\r\n\r\n`],
    ["a chunk beyond every size", () => `${post("Transfer-Encoding: chunked")}\r\n${"f".repeat(20)}\r\n{}`],
    [
      "a folded header",
      () => `GET ${groups} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer\r\n ${platform.apiToken}\r\n\r\n`,
    ],
    ["lines without a return", () => `GET ${groups} HTTP/1.1\nHost: x\nAuthorization: Bearer ${platform.apiToken}\n\n`],
    ["space before a colon", () => `GET /health HTTP/1.1\r\nHost : x\r\n\r\n`],
    ["a NUL in a header", () => `GET /health HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n`],
    ["no host", () => "GET /health HTTP/1.1\r\n\r\n"],
    ["a header of 200 kB", () => `GET /health HTTP/1.1\r\nHost: x\r\nX: ${"a".repeat(200_000)}\r\n\r\n`],
    [
      "5,000 headers",
      () => `GET /health HTTP/1.1\r\nHost: x\r\n${Array.from({ length: 5000 }, (_, i) => `X${i}: 1\r\n`).join("")}\r\n`,
    ],
    ["an address of 100 kB", () => `GET /${"a".repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`],
    ["bytes beyond ASCII in a path", () => Buffer.from(`GET ${groups}/\xff HTTP/1.1\r\nHost: x\r\n\r\n`, "latin1")],
    ["another version", () => "GET / HTTP/9.9\r\nHost: x\r\n\r\n"],
    ["HTTP/2", () => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"],
    ["TLS", () => Buffer.from("16030100050100000100", "hex")],
    ["NULs", () => Buffer.alloc(3000)],
    ["a file's address", () => head("GET file:///etc/passwd HTTP/1.1", "Host: x", "Connection: close") + "\r\n"],
    ["the star", () => "OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"],
    ["an unknown expectation", () => `${post("Expect: nonsense", "Content-Length: 2", "Connection: close")}\r\n{}`],
  ];
  for (const [what, bytes] of broken) {
    it(`refuses ${what}`, async () => {
      const text = await platform.raw(bytes());
      assert.match(text, /^HTTP\/1\.1 4\d\d /);
      assert.equal(text.match(/HTTP\/1\.1 /g)?.length, 1, text);
      platform.judge({ status: 400, headers: text, text: "" }, what);
    });
  }

  it("does not become a tunnel", async () => {
    const text = await platform.raw("CONNECT example.invalid:80 HTTP/1.1\r\nHost: x\r\n\r\n");
    assert.ok(text === "" || /^HTTP\/1\.1 4/.test(text), text);
  });

  const hosts = ["", "é", "a b", "a/../b", "http://x", "[::1", "x:99999", "x:abc", "..", "a@b", "%00", "x\\y", "a?b"];
  for (const host of [...hosts, "a#b", "999.999.999.999", "0x7f.1", "a".repeat(8000), "../../control"]) {
    it(`looks nowhere else for the host "${host.slice(0, 20)}"`, async () => {
      const body = '{"requests":[{"type":"execute","stmt":{"sql":"SELECT 1"}},{"type":"close"}]}';
      const lines = [
        ...["POST /v2/pipeline HTTP/1.1", `Host: ${host}`, `Authorization: Bearer ${platform.token}`],
        ...[`Content-Length: ${body.length}`, "Connection: close"],
      ];
      const text = await platform.raw(Buffer.from(`${lines.join("\r\n")}\r\n\r\n${body}`, "latin1"));
      assert.match(text, /^HTTP\/1\.1 40[04] /);
      platform.judge({ status: 400, headers: text, text: "" }, host);
    });
  }

  it("takes the path of an absolute address, and asks nobody else", async () => {
    const text = await platform.raw(
      `${head("GET http://example.invalid/v1/organizations HTTP/1.1", "Host: x", "Connection: close")}\r\n`,
    );
    assert.match(text, /^HTTP\/1\.1 200 /);
    assert.match(text, /"slug":"local"/);
  });

  it("answers pipelined requests one by one, each with its own right", async () => {
    const first = `${head(`GET ${groups} HTTP/1.1`, "Host: x")}\r\n`;
    const second = `GET ${groups} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`;
    const statuses = (await platform.raw(first + second)).match(/HTTP\/1\.1 \d+/g);
    assert.deepEqual(statuses, ["HTTP/1.1 200", "HTTP/1.1 401"]);
  });

  it("reads no token out of a trailer", async () => {
    const start = `POST ${groups} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n`;
    const text = await platform.raw(`${start}2\r\n{}\r\n0\r\nAuthorization: Bearer ${platform.apiToken}\r\n\r\n`);
    assert.match(text, /^HTTP\/1\.1 401 /);
  });

  it("serves others while many headers and bodies are slow, and lets go of those that hang up", async () => {
    const { hostname, port } = new URL(platform.url);
    const slow = Array.from({ length: 200 }, (_, i) => {
      const socket = connect({ host: hostname, port: Number(port) });
      socket.on("error", () => undefined);
      socket.write(i % 2 ? `${post("Content-Length: 1000")}\r\n{` : `GET ${groups} HTTP/1.1\r\nHost: x\r\nX: `);
      return socket;
    });
    try {
      await platform.intact();
    } finally {
      for (const socket of slow) socket.destroy();
    }
  });

  const headers = () => ({ authorization: `Bearer ${platform.apiToken}` });
  const bodies: [string, Buffer, Record<string, string>][] = [
    ["compressed", gzipSync('{"name":"z","location":"local"}'), { "content-encoding": "gzip" }],
    ["in UTF-16", Buffer.from('{"name":"z","location":"local"}', "utf16le"), {}],
    ["not UTF-8", Buffer.from([0x7b, 0xff, 0xfe, 0xc3, 0x28, 0x7d]), {}],
    ["of 63 MB of space", Buffer.alloc(63 * 1024 * 1024, 32), {}],
  ];
  for (const [what, body, more] of bodies) {
    it(`refuses a body ${what}`, async () => {
      const answer = await platform.send({ method: "POST", path: groups, headers: { ...headers(), ...more }, body });
      assert.equal(answer.status, 400);
      platform.judge(answer, what);
    });
  }

  it("refuses a body that says it is too large, before it comes", async () => {
    const text = await platform.raw(`${post("Content-Length: 99999999999", "Connection: close")}\r\n{`, (answer) =>
      /\}$/.test(answer),
    );
    assert.match(text, /^HTTP\/1\.1 413 /);
  });

  for (const method of ["PUT", "TRACE", "OPTIONS", "PROPFIND", "SEARCH"]) {
    it(`has no ${method}`, async () => {
      const answer = await platform.send({ method, path: groups, headers: headers() });
      assert.equal(answer.status, 404);
      platform.judge(answer, method);
      // The token of the question is not in its echo either.
      assert.ok(!answer.text.includes("Bearer"));
    });
  }
});
