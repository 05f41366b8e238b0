import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import path from "node:path";
import { type TLSSocket, createServer } from "node:tls";
import { describe, it } from "mocha";
import { selfSigned } from "../support/certificate";
import type { Fate, LineCall } from "../support/faulty-line";
import type { Project } from "../support/engine";
import { errorsOf, isSqlOf, withScene } from "../support/scene";

const names = Array.from({ length: 20 }, (_, i) => `t${String(i + 1).padStart(2, "0")}`);
const program = (settings: string): string => `
import { SchemaTemplate, TenantDatabase } from "tenantry";
const schema = new SchemaTemplate("app", { migrations: "./migrations" });
for (const name of ${JSON.stringify(names)}) new TenantDatabase(name, { group: "eu", schema, ${settings} });
`;
const few = `
import { TenantDatabase } from "tenantry";
for (const name of ["a", "b", "c", "d", "e", "f"]) new TenantDatabase(name, { group: "eu" });
`;
const parallel = { args: ["--parallel", "16"] };
const isCreate = ({ method, path }: LineCall): boolean => method === "POST" && path.endsWith("/databases");
const isApi = ({ path }: LineCall): boolean => path.startsWith("/v1/");

/** Counts calls of the same text. */
function counter(): (call: LineCall) => number {
  const seen = new Map<string, number>();
  return ({ method, path, body }) => {
    const key = `${method} ${path} ${body}`;
    seen.set(key, (seen.get(key) ?? 0) + 1);
    return seen.get(key)!;
  };
}

/** One call in ten fails, the same ones in whatever order they come: half of them before their effect, half after it. */
function oneInTen(seed: number): (call: LineCall) => Fate {
  const nth = counter();
  return (call) => {
    // The bodies of claims hold random ids.
    const known = isSqlOf(call) ? { ...call, body: "" } : call;
    const hash = createHash("sha256").update(`${seed} ${known.method} ${known.path} ${known.body} ${nth(known)}`);
    const share = hash.digest().readUInt32BE() / 2 ** 32;
    return share < 0.05 ? "drop" : share < 0.1 ? "lose" : "pass";
  };
}

describe("a network in trouble", function () {
  this.timeout(290_000);

  it("one call in ten fails: nothing is made twice, done twice or left over", async () => {
    const files = { "index.ts": program(""), "migrations/0001_init.sql": "CREATE TABLE notes (body TEXT);" };
    await withScene({ files }, async (scene) => {
      const { project, fault } = scene;
      const fate = oneInTen(7);
      const faults: Fate[] = [];
      fault((call) => {
        const decided = fate(call);
        if (decided !== "pass") faults.push(decided);
        return decided;
      });
      await untilDone(project, "up");
      const made = await scene.databases();
      assert.deepEqual(await scene.tenants(), names);

      await project.write({
        "index.ts": program("blockWrites: true"),
        "migrations/0002_more.sql": "ALTER TABLE notes ADD COLUMN author TEXT; INSERT INTO notes VALUES ('x', 'y');",
      });
      await untilDone(project, "up");
      for (const name of names) {
        assert.deepEqual(await scene.sql(name, "SELECT author FROM notes"), [{ author: "y" }], name);
      }
      await untilDone(project, "refresh");
      assert.deepEqual((await project.preview()).counts, { same: 21 });
      const present = await scene.databases();
      for (const name of names) assert.equal(present[name], made[name], `${name} was made again`);
      assert.deepEqual(
        await scene.claims(),
        names.map((name) => `database ${name} held organization/test-project/dev/${name}`),
      );

      await untilDone(project, "destroy");
      for (const kind of ["drop", "lose"]) assert.ok(faults.includes(kind as Fate), `no call met "${kind}"`);
      assert.deepEqual(await scene.claims(), []);
      assert.deepEqual(Object.keys(await scene.databases()), ["tenantry-registry-eu"]);
    });
  });

  it("a storm of 429 is weathered, with and without Retry-After", async () => {
    await withScene({ files: { "index.ts": few } }, async (scene) => {
      const { project, fault } = scene;
      const nth = counter();
      fault((call) => (isApi(call) && nth(call) <= 2 ? { status: 429, text: '{"error":"slow down"}' } : "pass"));
      assert.deepEqual((await project.up(parallel)).counts, { create: 6 });

      let refusals = 0;
      let pausedUntil = 0;
      const early: LineCall[] = [];
      fault((call) => {
        if (!isApi(call)) return "pass";
        if (Date.now() < pausedUntil) early.push(call);
        if (refusals === 3) return "pass";
        refusals += 1;
        // From the answer on; a little less, since both clocks are read on the way.
        pausedUntil = Date.now() + 990;
        return { status: 429, text: '{"error":"slow down"}', headers: { "retry-after": "1" } };
      });
      await project.destroy(parallel);
      assert.deepEqual([refusals, early], [3, []]);
      assert.deepEqual(await scene.tenants(), []);
    });
  });

  it("a break that outlasts the attempts ends the run, which says so; the next one goes on", async () => {
    for (const broken of ["drop", { status: 503, text: '{"error":"in maintenance"}' }] as const) {
      await withScene({ files: { "index.ts": few } }, async ({ project, fault, tenants, claims }) => {
        let creates = 0;
        fault((call) => {
          if (isCreate(call)) creates += 1;
          return creates < 4 ? "pass" : broken;
        });
        const errors = errorsOf(await project.up({ fails: true, args: ["--parallel", "2"] }));
        assert.ok(errors.length > 0);
        for (const text of errors)
          assert.match(text, /the connection was lost|in maintenance \(503\)|\(503\): in maintenance/);
        // The registry and two tenants; after a refused connection, or a 503, nobody knows about the third.
        assert.ok((await tenants()).length >= 2);
        fault();
        const { counts } = await project.up(parallel);
        assert.equal((counts["create"] ?? 0) + (counts["same"] ?? 0), 6);
        assert.deepEqual(await tenants(), ["a", "b", "c", "d", "e", "f"]);
        assert.equal((await claims()).filter((claim) => claim.includes(" held ")).length, 6);
      });
    }
  });

  it("a host that does not know its database yet: waits, then says so; the next up goes on with the same one", async () => {
    const program = `
      import { TenantDatabase } from "tenantry";
      new TenantDatabase("acme", { group: "eu", timeouts: { create: "2s" } });`;
    await withScene({ files: { "index.ts": program } }, async ({ project, fault, databases, line }) => {
      fault((call) => (isSqlOf(call, "acme") ? { status: 404, text: '{"error":"no such namespace"}' } : "pass"));
      const errors = errorsOf(await project.up({ fails: true }));
      assert.equal(errors.length, 1);
      assert.match(errors[0]!, /db\/acme did not answer SQL within 2 s.*no such namespace.*Try again in a minute/);
      assert.ok(line.calls.filter((call) => isSqlOf(call, "acme")).length > 2, "it waited");
      const { acme } = await databases();
      fault();
      assert.deepEqual((await project.up()).counts, { update: 1 });
      assert.equal((await databases())["acme"], acme);
      assert.deepEqual((await project.preview()).counts, { same: 1 });
    });
  });

  it("a certificate that nobody vouches for is said at once; with NODE_EXTRA_CA_CERTS it goes on", async () => {
    await withScene({ files: { "index.ts": few } }, async ({ project, line, tenants }) => {
      const { key, cert } = selfSigned();
      const sockets: TLSSocket[] = [];
      let refused = 0;
      const server = createServer({ key, cert }, (socket) => {
        sockets.push(socket);
        const onward = connect(Number(new URL(line.url).port), "127.0.0.1");
        for (const one of [socket, onward]) one.on("error", () => [socket, onward].forEach((each) => each.destroy()));
        socket.pipe(onward).pipe(socket);
      });
      server.on("tlsClientError", () => (refused += 1));
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      try {
        const env = { TENANTRY_API_URL: `https://127.0.0.1:${(server.address() as AddressInfo).port}` };
        const errors = errorsOf(await project.up({ fails: true, env, args: ["--parallel", "2"] }));
        assert.match(
          errors.join("\n"),
          /the host's TLS certificate is not trusted \(DEPTH_ZERO_SELF_SIGNED_CERT\)\. .*NODE_EXTRA_CA_CERTS/,
        );
        assert.ok(refused > 0 && refused <= 4, `${refused} connections`);
        assert.deepEqual(line.calls, []);

        const file = path.join(project.folder, "ca.pem");
        await writeFile(file, cert);
        await project.up({ env: { ...env, NODE_EXTRA_CA_CERTS: file } });
        assert.equal((await tenants()).length, 6);
      } finally {
        for (const socket of sockets) socket.destroy();
        await new Promise((resolve) => server.close(resolve));
      }
    });
  });
});

/** Runs the command as a person would: again, after a failure that says what happened. */
async function untilDone(project: Project, verb: "up" | "refresh" | "destroy"): Promise<void> {
  for (let runs = 1; ; runs++) {
    const args = [verb, "--yes", "--skip-preview", "--stack", project.stack, ...parallel.args];
    const ended = await project.pulumi(args);
    if (ended.code === 0) return;
    assert.ok(runs < 6, `${verb} did not get through in ${runs} runs\n${ended.output}`);
    assert.match(ended.output, /connection was lost|Not done, for the reason/);
    assert.doesNotMatch(ended.output, /\n\s+at |Internal error/);
  }
}
