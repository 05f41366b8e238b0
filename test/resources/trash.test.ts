import assert from "node:assert/strict";
import type { Context } from "../../provider/context";
import { inspectClaims } from "../../provider/registry/inspect";
import { type Fate, endingsOf, reap } from "../../provider/registry/reap";
import { findTrash, inspectTrash } from "../../provider/registry/trash";
import { untrash } from "../../provider/registry/untrash";
import { Unfinished } from "../../provider/resources/handler";
import { group as groups } from "../../provider/resources/group";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseInputs } from "../../provider/resources/tenant-database/inputs";
import type { TenantDatabaseOutputs } from "../../provider/resources/tenant-database/outputs";
import { type Bench, addressOf, group, tenant, withBench } from "../support/bench";
import { type Fate as LineFate, atEveryWrite } from "../support/faulty-line";

const migrations = { "0001_notes.sql": "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);" };
const soft = { deletionPolicy: "soft" } as const;
const day = 86_400_000;

type Made = { id: string; outputs: TenantDatabaseOutputs };
const create = (inputs: TenantDatabaseInputs, context: Context) => tenantDatabase.create({ inputs, context });
const remove = async ({ id, outputs }: Made, context: Context) => tenantDatabase.delete({ id, outputs, context });

/** A tenant with a row in it. */
async function madeWithRows(bench: Bench, more: Partial<TenantDatabaseInputs> = {}): Promise<Made> {
  const { ref } = await bench.template(migrations);
  const made = await create(tenant("acme", { ...soft, schema: ref, ...more }), bench.context());
  await bench.sql("acme", "INSERT INTO notes (text) VALUES ('kept')");
  return made;
}

const rows = (bench: Bench) => bench.sql("acme", "SELECT text FROM notes");
const kept = [{ text: "kept" }];

async function restore(bench: Bench, context = bench.context()) {
  const sql = (await context.registrySql("eu"))!;
  const claim = (await inspectClaims(sql)).find(({ name }) => name === "acme")!;
  return untrash(context.platform, sql, claim, (await findTrash(sql, "acme"))!);
}

async function reapAt(bench: Bench, now: number): Promise<Record<string, Fate>> {
  const context = bench.context();
  const sql = (await context.registrySql("eu"))!;
  const due = endingsOf(await inspectClaims(sql), await inspectTrash(sql)).filter(({ at }) => at <= now);
  const fates: Record<string, Fate> = {};
  for (const one of due) fates[one.claim.name] = await reap(context.platform, sql, one, "eu", "reaper");
  return fates;
}

const states = async (bench: Bench): Promise<string[]> =>
  (await bench.claims()).filter(({ kind }) => kind === "database").map(({ name, state }) => `${name} ${state}`);

describe("soft delete", function () {
  this.timeout(60_000);

  it("keeps the rows closed under their name, until its grace period is over and a reaper comes", async () => {
    await withBench(async (bench) => {
      const made = await madeWithRows(bench, { gracePeriod: "30d" });
      const note = await remove(made, bench.context());
      assert.match(String(note), /^acme: in the trash until \d{4}-.*; `npx tenantry restore acme` brings it back$/);
      assert.deepEqual([await bench.databases(), await states(bench)], [["acme"], ["acme trashed"]]);
      await assert.rejects(rows(bench), /blocked/i);
      const now = Date.now();
      assert.deepEqual(await reapAt(bench, now + 29 * day), {});
      assert.deepEqual(await reapAt(bench, now + 31 * day), { acme: { is: "reaped" } });
      assert.deepEqual([await bench.databases(), await states(bench)], [[], []]);
      // Its name is free.
      assert.notEqual((await create(tenant("acme"), bench.context())).outputs.databaseId, made.outputs.databaseId);
    });
  });

  it("is undone by hand for whoever had it, with all rows and under the same owner", async () => {
    await withBench(async (bench) => {
      const made = await madeWithRows(bench);
      await remove(made, bench.context());
      assert.deepEqual(await restore(bench), { wasExpired: false });
      assert.deepEqual([await rows(bench), await states(bench)], [kept, ["acme held"]]);
      assert.deepEqual(await reapAt(bench, Date.now() + 31 * day), {});
      const again = await create(tenant("acme", { ...soft, schema: made.outputs.schema! }), bench.context());
      assert.deepEqual([again.id, again.outputs.databaseId], [made.id, made.outputs.databaseId]);
    });
  });

  it('tells who declares it again, and gives it back to adopt: "restore"', async () => {
    await withBench(async (bench) => {
      const made = await madeWithRows(bench);
      await remove(made, bench.context());
      for (const adopt of ["never", "unowned", "force"] as const) {
        await assert.rejects(create(tenant("acme", { adopt }), bench.context()), {
          code: "needs-decision",
          message: /^name: the database "acme" of \S+acme is in the trash until \d{4}.*adopt: "restore"/,
        });
      }
      await assert.rejects(create(tenant("acme", { self: addressOf("other") }), bench.context()), {
        code: "needs-decision",
      });
      const { ref } = await bench.template({ ...migrations, "0002_more.sql": "ALTER TABLE notes ADD COLUMN more;" });
      const inputs = tenant("acme", { self: addressOf("other"), adopt: "restore", schema: ref });
      const back = await create(inputs, bench.context());
      assert.deepEqual([back.outputs.databaseId, back.outputs.adopted], [made.outputs.databaseId, undefined]);
      assert.equal(back.outputs.schemaVersion, "0002_more");
      assert.deepEqual([await rows(bench), await states(bench)], [kept, ["acme held"]]);
      await bench.sql("acme", "INSERT INTO notes (text) VALUES ('more')");
      const diff = { id: back.id, olds: back.outputs, news: inputs, context: bench.context() };
      assert.equal((await tenantDatabase.diff(diff)).changes, false);
      // Where nothing is in the trash it is made as any other.
      await create(tenant("fresh", { adopt: "restore" }), bench.context());
      // The one that had it does not delete it any more.
      await assert.rejects(remove(made, bench.context()), { code: "not-owner" });
    });
  });

  it("gives back the blocks that it had, and those of a suspended one stay", async () => {
    await withBench(async (bench) => {
      for (const settings of [{ blockWrites: true }, { suspended: true }]) {
        const name = Object.keys(settings)[0]!.toLowerCase();
        const made = await create(tenant(name, { ...soft, ...settings }), bench.context());
        await remove(made, bench.context());
        await create(tenant(name, { ...soft, adopt: "restore" }), bench.context());
        const { block_reads, block_writes } = await bench.api.ok<Record<string, boolean>>(
          "GET",
          `/databases/${name}/configuration`,
        );
        assert.deepEqual([block_reads, block_writes], ["suspended" in settings, true]);
      }
    });
  });

  it("does not happen to a protected one, and holds its group", async () => {
    await withBench(async (bench) => {
      const ofGroup = await groups.create({ inputs: group("eu"), context: bench.context() });
      const guarded = await create(tenant("guarded", { ...soft, deleteProtection: true }), bench.context());
      await assert.rejects(remove(guarded, bench.context()), { code: "protected" });
      await remove(await madeWithRows(bench), bench.context());
      assert.deepEqual(await states(bench), ["acme trashed", "guarded held"]);
      await bench.api.ok("PATCH", "/databases/guarded/configuration", { delete_protection: false });
      await bench.api.ok("DELETE", "/databases/guarded");
      const removal = groups.delete({ id: ofGroup.id, outputs: ofGroup.outputs, context: bench.context() });
      await assert.rejects(Promise.resolve(removal), { code: "not-empty", message: /\(acme\)/ });
    });
  });

  it("is no reaper's where somebody has opened it again", async () => {
    await withBench(async (bench) => {
      await remove(await madeWithRows(bench), bench.context());
      await bench.api.ok("PATCH", "/databases/acme/configuration", { block_reads: false, block_writes: false });
      const fates = await reapAt(bench, Date.now() + 31 * day);
      assert.deepEqual(fates, { acme: { is: "kept", why: "somebody has opened it again" } });
      assert.deepEqual([await rows(bench), await states(bench)], [kept, ["acme trashed"]]);
    });
  });

  it("refuses a move to another group that would need its name", async () => {
    await withBench(async (bench) => {
      const made = await madeWithRows(bench);
      const news = tenant("acme", { ...soft, group: "us", onReplace: "destroy" });
      const diff = async () => tenantDatabase.diff({ id: made.id, olds: made.outputs, news, context: bench.context() });
      await assert.rejects(diff(), { code: "needs-decision", message: /would keep in the trash/ });
    });
  });

  it("of which the run was killed at the end is found by a refresh, and by an update", async () => {
    await withBench(async (bench) => {
      const made = await madeWithRows(bench);
      await remove(made, bench.context());
      const news = tenant("acme", { ...soft, schema: made.outputs.schema!, allowedIps: ["10.0.0.1"] });
      await assert.rejects(
        tenantDatabase.update({ id: made.id, olds: made.outputs, news, context: bench.context() }),
        (error) => error instanceof Unfinished && /acme: the database is in the trash/.test(error.message),
      );
      assert.equal(await tenantDatabase.read({ ...made, context: bench.context() }), undefined);
      await restore(bench);
      assert.equal((await tenantDatabase.read({ ...made, context: bench.context() }))?.status, "ready");
    });
  });

  for (const fate of ["lose", "die"] as const) {
    const what = fate === "lose" ? "loses nothing with any reply lost" : "loses nothing after a death at any write";
    it(`${what}: put into the trash, and brought back`, async () => {
      await atEveryWrite(async (n) => {
        let writes = 0;
        await withBench(async (bench) => {
          const made = await madeWithRows(bench);
          const decide = ({ write }: { write: number | undefined }): LineFate => (write === n ? fate : "pass");
          const { context, line } = await bench.contextOn(decide);
          await remove(made, context).catch(() => undefined);
          // Begun and not ended, it is no reaper's: the stack may go on with it.
          const [state] = await states(bench);
          if (state !== "acme trashed") assert.deepEqual(await reapAt(bench, Date.now() + 31 * day), {}, state);
          await remove(made, bench.context());
          assert.deepEqual(await states(bench), ["acme trashed"]);
          await restore(bench, context).catch(() => undefined);
          writes = line.calls.filter(({ write }) => write !== undefined).length;
          const [then] = await states(bench);
          if (then !== "acme held") await restore(bench);
          assert.deepEqual([await rows(bench), await states(bench)], [kept, ["acme held"]], then);
        });
        return writes;
      });
    });

    it(`${what}: declared again with adopt: "restore"`, async () => {
      await atEveryWrite(async (n) => {
        let writes = 0;
        await withBench(async (bench) => {
          const made = await madeWithRows(bench);
          await remove(made, bench.context());
          const decide = ({ write }: { write: number | undefined }): LineFate => (write === n ? fate : "pass");
          const { context, line } = await bench.contextOn(decide);
          const inputs = tenant("acme", { ...soft, adopt: "restore", schema: made.outputs.schema! });
          await create(inputs, context).catch(() => undefined);
          writes = line.calls.filter(({ write }) => write !== undefined).length;
          const back = await create(inputs, bench.context());
          assert.deepEqual([await rows(bench), await states(bench)], [kept, ["acme held"]]);
          assert.equal(back.outputs.databaseId, made.outputs.databaseId);
          assert.deepEqual(await reapAt(bench, Date.now() + 31 * day), {});
          await remove(back, bench.context());
          assert.deepEqual(await states(bench), ["acme trashed"]);
        });
        return writes;
      });
    });
  }
});
