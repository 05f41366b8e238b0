import assert from "node:assert/strict";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseInputs } from "../../provider/resources/tenant-database/inputs";
import type { TenantDatabaseOutputs } from "../../provider/resources/tenant-database/outputs";
import { type Bench, tenant, withBench } from "../support/bench";
import type { Fate, LineCall } from "../support/faulty-line";

const migrations = { "0001_notes.sql": "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);" };

async function made(bench: Bench, more: Partial<TenantDatabaseInputs> = {}) {
  const { ref } = await bench.template(migrations);
  const inputs = tenant("acme", { schema: ref, ...more });
  return { inputs, ...(await tenantDatabase.create({ inputs, context: bench.context() })) };
}

const outOfBand = (bench: Bench, settings: object) => bench.api.ok("PATCH", "/databases/acme/configuration", settings);
const toDatabase = ({ path }: LineCall): boolean => path.startsWith("/db/");

describe("the refresh of a TenantDatabase", () => {
  for (const [what, settings] of [
    ["blocked reads", { block_reads: true }],
    ["addresses that leave us out", { allowed_ips: ["192.0.2.1/32"] }],
  ] as const) {
    it(`keeps the last known version in spite of ${what}`, async () => {
      await withBench(async (bench) => {
        const { id, outputs } = await made(bench);
        await outOfBand(bench, settings);
        const read = await tenantDatabase.read({ id, outputs, context: bench.context() });
        assert.equal(read?.schemaVersion, "0001_notes");
      });
    });
  }

  for (const status of [400, 401, 402, 403, 404]) {
    it(`keeps it whatever the database's host answers: ${status}`, async () => {
      await withBench(async (bench) => {
        const { id, outputs } = await made(bench);
        const text = '{"error":"no","code":"BLOCKED"}';
        const fate = (call: LineCall): Fate => (toDatabase(call) ? { status, text } : "pass");
        const { context } = await bench.contextOn(fate);
        assert.equal((await tenantDatabase.read({ id, outputs, context }))?.schemaVersion, "0001_notes");
      });
    });
  }

  it("fails when the platform itself refuses a token", async () => {
    await withBench(async (bench) => {
      const { id, outputs } = await made(bench);
      const fate = ({ path }: LineCall): Fate =>
        path.includes("/auth/tokens") ? { status: 403, text: '{"error":"no"}' } : "pass";
      const { context } = await bench.contextOn(fate);
      await assert.rejects(tenantDatabase.read({ id, outputs, context }), { code: "forbidden" });
    });
  });

  for (const suspended of [false, true]) {
    for (const setting of ["block_reads", "block_writes"] as const) {
      it(`sees ${setting} changed where suspended is ${suspended}, at each refresh, and update sets it back`, async () => {
        await withBench(async (bench) => {
          const { id, inputs, outputs } = await made(bench, { suspended });
          const context = () => bench.context();
          const changes = async (olds: TenantDatabaseOutputs) =>
            (await tenantDatabase.diff({ id, olds, news: inputs, context: context() })).changes;
          assert.equal(await changes(outputs), false);
          await outOfBand(bench, { [setting]: !suspended });
          let read = outputs;
          for (let i = 0; i < 3; i++) {
            read = (await tenantDatabase.read({ id, outputs: read, context: context() }))!;
            assert.equal(await changes(read), true);
          }
          const after = await tenantDatabase.update({ id, olds: read, news: inputs, context: context() });
          const { block_reads, block_writes } = await bench.api.ok("GET", "/databases/acme/configuration");
          assert.deepEqual([block_reads, block_writes, after.suspended], [suspended, suspended, suspended]);
          assert.equal(await changes(after), false);
          assert.equal(await changes((await tenantDatabase.read({ id, outputs: after, context: context() }))!), false);
        });
      });
    }
  }

  it("lets a block be declared beside suspended: false", async () => {
    await withBench(async (bench) => {
      const { id, inputs, outputs } = await made(bench, { suspended: false, blockWrites: true });
      const read = (await tenantDatabase.read({ id, outputs, context: bench.context() }))!;
      assert.deepEqual([read.suspended, read.blockWrites], [false, true]);
      const diff = { id, olds: read, news: inputs, context: bench.context() };
      assert.equal((await tenantDatabase.diff(diff)).changes, false);
    });
  });
});

describe("a TenantDatabase's sizeLimit", () => {
  it("is sent with the create only, and compared as bytes", async () => {
    await withBench(async (bench) => {
      // The embedded platform refuses sizes, like Turso's current databases.
      const { context, line } = await bench.contextOn(async ({ body }) => {
        if (!body.includes("size_limit")) return "pass";
        const created = await bench.api.ok("POST", "/databases", { name: "acme", group: "eu" });
        return { status: 200, text: JSON.stringify(created) };
      });
      const inputs = tenant("acme", { sizeLimit: "256mb", blockWrites: true });
      const { id, outputs } = await tenantDatabase.create({ inputs, context });
      const sent = line.calls.filter(({ body }) => body.includes("size_limit"));
      assert.deepEqual(
        sent.map(({ method }) => method),
        ["POST"],
      );
      assert.equal(outputs.sizeLimit, "256mb");
      for (const [sizeLimit, same] of [
        ["256MB", true],
        ["268435456", true],
        ["256000000", true],
        ["0.25gb", false],
        ["257mb", false],
        ["256kb", false],
      ] as const) {
        const olds = { ...outputs, sizeLimit };
        assert.equal((await tenantDatabase.diff({ id, olds, news: inputs, context })).changes, !same, sizeLimit);
      }
    });
  });
});
