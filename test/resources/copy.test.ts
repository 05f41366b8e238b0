import assert from "node:assert/strict";
import type { Context } from "../../provider/context";
import { Unfinished } from "../../provider/resources/handler";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseInputs } from "../../provider/resources/tenant-database/inputs";
import type { TenantDatabaseOutputs } from "../../provider/resources/tenant-database/outputs";
import { type Bench, addressOf, tenant, withBench } from "../support/bench";
import { type Fate, atEveryWrite } from "../support/faulty-line";

const migrations = { "0001_notes.sql": "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);" };
const self = addressOf("acme");

type Made = { id: string; outputs: TenantDatabaseOutputs };
const update = async ({ id, outputs }: Made, news: TenantDatabaseInputs, context: Context): Promise<Made> => ({
  id,
  outputs: await tenantDatabase.update({ id, olds: outputs, news, context }),
});

async function madeWithRows(bench: Bench, more: Partial<TenantDatabaseInputs> = {}): Promise<Made> {
  const { ref } = await bench.template(migrations);
  const made = await tenantDatabase.create({
    inputs: tenant("acme", { schema: ref, ...more }),
    context: bench.context(),
  });
  await bench.sql("acme", "INSERT INTO notes (text) VALUES ('kept')").catch(() => undefined);
  return made;
}

const news = ({ outputs }: Made, more: Partial<TenantDatabaseInputs> = {}): TenantDatabaseInputs =>
  tenant("umbrella", { self, schema: outputs.schema, onReplace: "copy", ...more });

const isWritable = async (bench: Bench, name: string): Promise<boolean> =>
  (await bench.api.ok("GET", `/databases/${name}/configuration`))["block_writes"] === false;

const tables = async (bench: Bench): Promise<unknown[]> =>
  (await bench.sql("umbrella", "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")).map(
    ({ name }) => name,
  );

const soft = { deletionPolicy: "soft", gracePeriod: "30d" } as const;

/** Under "soft" the source is kept, closed, and due when its grace period is over. */
async function assertKept(bench: Bench): Promise<void> {
  const { block_reads, block_writes } = await bench.api.ok("GET", "/databases/acme/configuration");
  assert.deepEqual([block_reads, block_writes], [true, true]);
  const left = (await bench.claims()).find(({ name }) => name === "acme");
  assert.deepEqual([left?.state, left?.address], ["held", `${self}#left`]);
  const days = (Date.parse(left!.expiresAt!) - Date.now()) / 86_400_000;
  assert.ok(days > 29.9 && days <= 30, `${days}`);
}

async function assertMoved(bench: Bench, { id, outputs }: Made): Promise<void> {
  const isSoft = outputs.deletionPolicy === "soft";
  if (isSoft) await assertKept(bench);
  assert.deepEqual(await bench.databases(), isSoft ? ["acme", "umbrella"] : ["umbrella"]);
  assert.deepEqual(await bench.sql("umbrella", "SELECT text FROM notes"), [{ text: "kept" }]);
  assert.equal(await isWritable(bench, "umbrella"), true);
  assert.equal(outputs.databaseId, await bench.databaseId("umbrella"));
  assert.deepEqual([outputs.name, outputs.schemaVersion], ["umbrella", "0001_notes"]);
  assert.deepEqual(
    (await bench.claims())
      .filter(({ name }) => name !== "acme" || !isSoft)
      .map((claim) => [claim.name, claim.state, claim.owner, claim.incarnation, claim.databaseId]),
    [["umbrella", "held", id, outputs.incarnation, outputs.databaseId]],
  );
}

describe("a change of a TenantDatabase's name or group", () => {
  it("is refused with the ways out, destroys when told, and copies within the group only", async () => {
    await withBench(async (bench) => {
      const made = await madeWithRows(bench);
      const diff = async (more: Partial<TenantDatabaseInputs>) =>
        tenantDatabase.diff({
          ...{ id: made.id, olds: made.outputs, context: bench.context() },
          news: tenant("acme", { schema: made.outputs.schema, ...more }),
        });
      const refusal = (message: RegExp) => ({ code: "needs-decision", message });
      await assert.rejects(diff({ name: "b" }), refusal(/^name: .*onReplace: "copy".*onReplace: "destroy"/));
      await assert.rejects(diff({ group: "us" }), refusal(/^group: .*onReplace: "copy".*onReplace: "destroy"/));
      const destroy = { changes: true, replaces: ["name"], deleteBeforeReplace: false };
      assert.deepEqual(await diff({ name: "b", onReplace: "destroy" }), destroy);
      const elsewhere = { changes: true, replaces: ["group"], deleteBeforeReplace: true };
      assert.deepEqual(await diff({ group: "us", onReplace: "destroy" }), elsewhere);
      const copy = await diff({ name: "b", onReplace: "copy" });
      assert.deepEqual([copy.changes, copy.replaces], [true, undefined]);
    });
  });

  it("replaces by destroying: a new, empty database, and the old one is gone", async () => {
    await withBench(async (bench) => {
      const made = await madeWithRows(bench);
      const inputs = news(made, { onReplace: "destroy" });
      const next = await tenantDatabase.create({ inputs, context: bench.context() });
      await tenantDatabase.delete({ id: made.id, outputs: made.outputs, context: bench.context() });
      assert.deepEqual(await bench.databases(), ["umbrella"]);
      assert.deepEqual(await bench.sql("umbrella", "SELECT text FROM notes"), []);
      assert.notEqual(next.outputs.databaseId, made.outputs.databaseId);
    });
  });

  it("copies under the new name, under the same id, and retires the source", async () => {
    await withBench(async (bench) => {
      const made = await madeWithRows(bench);
      const moved = await update(made, news(made), bench.context());
      await assertMoved(bench, moved);
      const diff = { id: made.id, olds: moved.outputs, news: news(made), context: bench.context() };
      assert.equal((await tenantDatabase.diff(diff)).changes, false);
    });
  });

  it("gives the copy the declared settings and the pending migration", async () => {
    await withBench(async (bench) => {
      const made = await madeWithRows(bench, { allowedIps: ["127.0.0.0/8"], blockWrites: false });
      const { ref } = await bench.template({ ...migrations, "0002_more.sql": "ALTER TABLE notes ADD COLUMN more;" });
      const settings = { allowedIps: ["127.0.0.0/8"], deleteProtection: true, blockWrites: true };
      const moved = await update(made, news(made, { ...settings, schema: ref }), bench.context());
      assert.deepEqual(moved.outputs.allowedIps, ["127.0.0.0/8"]);
      const { allowed_ips, delete_protection, block_writes } = await bench.api.ok(
        "GET",
        "/databases/umbrella/configuration",
      );
      assert.deepEqual([allowed_ips, delete_protection, block_writes], [["127.0.0.0/8"], true, true]);
      assert.deepEqual(await bench.sql("umbrella", "SELECT text, more FROM notes"), [{ text: "kept", more: null }]);
      assert.equal(moved.outputs.schemaVersion, "0002_more");
    });
  });

  const kept: [string, Partial<TenantDatabaseInputs>, RegExp][] = [
    ["a protected source", { deleteProtection: true }, /it is protected/],
    ["a source whose reads are blocked", { blockReads: true }, /its reads are blocked/],
  ];
  for (const [what, settings, message] of kept) {
    it(`refuses ${what} before anything is done`, async () => {
      await withBench(async (bench) => {
        const made = await madeWithRows(bench, settings);
        await assert.rejects(update(made, news(made, settings), bench.context()), Unfinished);
        await assert.rejects(update(made, news(made, settings), bench.context()), { message });
        assert.deepEqual(await bench.databases(), ["acme"]);
        assert.equal(await isWritable(bench, "acme"), true);
        assert.deepEqual(
          (await bench.claims()).map(({ name, state }) => [name, state]),
          [["acme", "held"]],
        );
      });
    });
  }

  it("refuses a name that is taken, and leaves source and stranger as they were", async () => {
    await withBench(async (bench) => {
      const made = await madeWithRows(bench);
      await bench.api.ok("POST", "/databases", { name: "umbrella", group: "eu" });
      await assert.rejects(update(made, news(made), bench.context()), {
        message: /there is a database "umbrella" already/,
      });
      assert.deepEqual(await bench.databases(), ["acme", "umbrella"]);
      assert.deepEqual(
        (await bench.claims()).map(({ name }) => name),
        ["acme"],
      );
      assert.equal(await isWritable(bench, "acme"), true);
      const other = await tenantDatabase.create({ inputs: tenant("theirs"), context: bench.context() });
      assert.ok(other.id);
      await assert.rejects(update(made, news(made, { name: "theirs" }), bench.context()), { message: /already/ });
      assert.deepEqual(await bench.databases(), ["acme", "theirs", "umbrella"]);
    });
  });

  it("opens the source again when it cannot be copied, and later copies what was written meanwhile", async () => {
    await withBench(async (bench) => {
      const made = await madeWithRows(bench);
      const { context } = await bench.contextOn(({ body }) => (body.includes('"seed"') ? "lose" : "pass"));
      await assert.rejects(update(made, news(made), context), Unfinished);
      assert.equal(await isWritable(bench, "acme"), true);
      await bench.sql("acme", "UPDATE notes SET text = 'changed'");
      const { outputs } = await update(made, news(made), bench.context());
      assert.deepEqual(await bench.databases(), ["umbrella"]);
      assert.deepEqual(await bench.sql("umbrella", "SELECT text FROM notes"), [{ text: "changed" }]);
      assert.equal(outputs.databaseId, await bench.databaseId("umbrella"));
    });
  });

  it("copies also what was written between the confirmation of the block and its effect", async () => {
    await withBench(async (bench) => {
      const made = await madeWithRows(bench);
      let writes = 0;
      const { context } = await bench.contextOn(async ({ method, path, body }) => {
        if (method === "PATCH" && path.includes("/acme/")) return { status: 200, text: body };
        if (!path.startsWith("/db/acme/") || !body.includes("CREATE TABLE")) return "pass";
        if (++writes === 1) await bench.sql("acme", "UPDATE notes SET text = 'late'");
        else await bench.api.ok("PATCH", "/databases/acme/configuration", { block_writes: true });
        return "pass";
      });
      await update(made, news(made), context);
      assert.deepEqual(await bench.databases(), ["umbrella"]);
      assert.equal(writes, 2);
      assert.deepEqual(await bench.sql("umbrella", "SELECT text FROM notes"), [{ text: "late" }]);
      assert.deepEqual(await tables(bench), ["_tenantry_migrations", "notes"]);
    });
  });

  it("copies nothing when writes go on although they were blocked, and lifts the block", async () => {
    await withBench(async (bench) => {
      const made = await madeWithRows(bench);
      const { now } = Date;
      const patches: string[] = [];
      const { context } = await bench.contextOn(({ method, path, body }) => {
        if (method === "PATCH") patches.push(body);
        if (method === "PATCH") return { status: 200, text: body };
        // Once it has tried for the first time, an hour has gone.
        if (path.startsWith("/db/acme/") && body.includes("CREATE TABLE")) Date.now = () => now() + 3_600_000;
        return "pass";
      });
      try {
        const error = await update(made, news(made), context).catch((thrown: unknown) => thrown);
        assert.match(String(error), /acme: it still takes writes 30 s after they were blocked, so it was not copied/);
      } finally {
        Date.now = now;
      }
      assert.deepEqual(patches, ['{"block_writes":true}', '{"block_writes":false}']);
      assert.deepEqual(await bench.databases(), ["acme"]);
    });
  });

  it("does not trust a copy that has as many rows, but others", async () => {
    await withBench(async (bench) => {
      const made = await madeWithRows(bench);
      const { context } = await bench.contextOn(async ({ path, body }): Promise<Fate> => {
        if (path.startsWith("/db/umbrella/") && body.includes("sqlite_schema")) {
          await bench.sql("umbrella", "UPDATE notes SET text = 'lost'");
        }
        return "pass";
      });
      await assert.rejects(update(made, news(made), context), /does not hold the same, so nothing was switched/);
      assert.ok((await bench.databases()).includes("acme"));
      assert.equal(await isWritable(bench, "acme"), true);
    });
  });

  it("keeps an adopted source under its old name, closed to writes", async () => {
    await withBench(async (bench) => {
      await bench.api.ok("POST", "/databases", { name: "acme", group: "eu" });
      const made = await madeWithRows(bench, { adopt: "unowned" });
      await update(made, news(made), bench.context());
      assert.deepEqual(await bench.databases(), ["acme", "umbrella"]);
      assert.equal(await isWritable(bench, "acme"), false);
      assert.deepEqual(
        (await bench.claims()).map(({ name }) => name),
        ["umbrella"],
      );
    });
  });

  it("keeps the source of a soft policy for its grace period, closed, and says so when its name is wanted back", async () => {
    await withBench(async (bench) => {
      const made = await madeWithRows(bench, soft);
      const moved = await update(made, news(made, soft), bench.context());
      await assertMoved(bench, moved);
      const claims = await bench.claims();
      const back = update(
        moved,
        tenant("acme", { self, schema: moved.outputs.schema, onReplace: "copy", ...soft }),
        bench.context(),
      );
      await assert.rejects(
        back,
        /^Error: name: the database "acme" that was left is kept until 20.*Choose another name, or wait/,
      );
      assert.deepEqual(await bench.claims(), claims);
      assert.equal(await isWritable(bench, "umbrella"), true);
    });
  });

  for (const [fate, policy] of [
    ["lose", {}],
    ["die", {}],
    ["lose", soft],
    ["die", soft],
  ] as const) {
    const kind = "deletionPolicy" in policy ? "soft " : "";
    it(`${fate === "lose" ? "survives every lost reply" : "goes on after a death"} in the middle of a ${kind}copy`, async function () {
      this.timeout(60_000);
      await atEveryWrite(async (n) => {
        let writes = 0;
        await withBench(async (bench) => {
          const made = await madeWithRows(bench, policy);
          const decide = ({ write }: { write: number | undefined }): Fate => (write === n ? fate : "pass");
          const { context, line } = await bench.contextOn(decide);
          const first = await update(made, news(made, policy), context).catch((error) =>
            error instanceof Unfinished ? { id: error.id, outputs: error.outputs as TenantDatabaseOutputs } : made,
          );
          writes = line.calls.filter(({ write }) => write !== undefined).length;
          // A death leaves the engine with what it had before.
          const state = fate === "die" ? made : first;
          const diff = { id: state.id, olds: state.outputs, news: news(made, policy), context: bench.context() };
          const { changes } = await tenantDatabase.diff(diff);
          await assertMoved(bench, changes ? await update(state, news(made, policy), bench.context()) : state);
        });
        return writes;
      });
    });
  }
});
