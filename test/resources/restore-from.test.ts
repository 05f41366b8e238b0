import assert from "node:assert/strict";
import { type Context, createContext } from "../../provider/context";
import { tursoPlatform } from "../../provider/drivers/turso";
import { TenantryError } from "../../provider/platform/errors";
import type { Platform, Scope } from "../../provider/platform/platform";
import { readSettings } from "../../provider/platform/settings";
import { Unfinished } from "../../provider/resources/handler";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseInputs } from "../../provider/resources/tenant-database/inputs";
import type { TenantDatabaseOutputs } from "../../provider/resources/tenant-database/outputs";
import { restoreOrUndo } from "../../provider/resources/tenant-database/restore-from";
import { type Bench, tenant, withBench } from "../support/bench";
import { type Fate, atEveryWrite, openFaultyLine } from "../support/faulty-line";

type Made = { id: string; outputs: TenantDatabaseOutputs };

const moment = "2026-11-27T12:00:00Z";

/** Turso's driver, which knows moments of the past, on the embedded platform, whose only one is now. */
function tursoOn(bench: Bench, apiUrl = bench.platform.url, more: Partial<Platform> = {}): Context {
  const { apiToken } = bench.platform;
  const databaseUrl = `${apiUrl}/db/{name}/`;
  // One place, whichever line leads there.
  const place: Scope = { platform: "turso", organization: "local", host: "" };
  const scope = { scope: async () => place, knownScope: () => place };
  const platform = tursoPlatform({ apiUrl, apiToken, organization: "local", databaseUrl, ...scope });
  const settings = readSettings({ platform: "local", apiUrl, apiToken, organization: "local" }, {});
  const createDatabase: Platform["createDatabase"] = (spec) => {
    if (spec.seed && !spec.name.startsWith("tenantry-")) assert.ok([moment, undefined].includes(spec.seed.timestamp));
    return platform.createDatabase({ ...spec, seed: spec.seed && { database: spec.seed.database } });
  };
  return createContext({ ...platform, createDatabase, ...more }, settings);
}

const migrations = { "0001_notes.sql": "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);" };

async function madeWithRows(bench: Bench): Promise<Made> {
  const { ref } = await bench.template(migrations);
  const made = await tenantDatabase.create({ inputs: tenant("acme", { schema: ref }), context: tursoOn(bench) });
  await bench.sql("acme", "INSERT INTO notes (text) VALUES ('kept')");
  return made;
}

const from = (made: Made, restoreFrom: TenantDatabaseInputs["restoreFrom"]): TenantDatabaseInputs =>
  tenant("acme", { schema: made.outputs.schema!, restoreFrom });
const diff = async ({ id, outputs }: Made, news: TenantDatabaseInputs, context: Context) =>
  tenantDatabase.diff({ id, olds: outputs, news, context });
const update = async ({ id, outputs }: Made, news: TenantDatabaseInputs, context: Context): Promise<Made> => ({
  id,
  outputs: await tenantDatabase.update({ id, olds: outputs, news, context }),
});

const copies = async (bench: Bench): Promise<string[]> =>
  (await bench.databases()).filter((name) => name.startsWith("acme-restored-"));

describe("restoreFrom", function () {
  this.timeout(60_000);

  it("makes a copy of that moment once a key, says where it is, and is undone by its key", async () => {
    await withBench(async (bench) => {
      const made = await madeWithRows(bench);
      const news = from(made, { timestamp: moment, key: "oops" });
      const context = tursoOn(bench);
      const before = await diff(made, news, context);
      assert.deepEqual([before.changes, before.replaces], [true, undefined]);
      assert.match(before.note!, /^acme: to be restored to 20\d\d-/);
      const restored = await update(made, news, context);
      const [copy] = await copies(bench);
      assert.deepEqual(await bench.sql(copy!, "SELECT text FROM notes"), [{ text: "kept" }]);
      assert.equal(restored.outputs.databaseId, made.outputs.databaseId);
      assert.equal(restored.outputs.schemaVersion, "0001_notes");
      const [record] = restored.outputs.restores!;
      assert.deepEqual([record?.key, record?.database], ["oops", copy]);
      // Its end is recorded for reapers.
      const claim = (await bench.claims()).find(({ name }) => name === copy)!;
      assert.equal(claim.expiresAt, record?.undoUntil);

      // Nothing more is to do: by the same key, after a refresh, or without it.
      const read = await tenantDatabase.read({ ...restored, context: tursoOn(bench) });
      assert.deepEqual(read?.restores, restored.outputs.restores);
      for (const declared of [news, from(made, undefined)]) {
        assert.equal((await diff({ id: made.id, outputs: read! }, declared, context)).changes, false);
      }
      const undo = from(made, { undo: "oops" });
      assert.equal((await diff(restored, undo, context)).note, 'acme: its restore "oops" is to be undone');
      const undone = await update(restored, undo, tursoOn(bench));
      assert.deepEqual([await copies(bench), undone.outputs.restores![0]!.undone], [[], true]);
      assert.equal((await diff(undone, undo, context)).changes, false);
      assert.equal((await diff(undone, news, context)).changes, false);
      assert.deepEqual(await bench.sql("acme", "SELECT text FROM notes"), [{ text: "kept" }]);
    });
  });

  it("says before a deploy what cannot be undone: another key, a window that ended, a copy that is somebody's", async () => {
    await withBench(async (bench) => {
      const made = await madeWithRows(bench);
      const context = tursoOn(bench);
      await assert.rejects(diff(made, from(made, { undo: "oops" }), context), { code: "invalid-input" });
      const news = from(made, { timestamp: moment, key: "oops" });
      const restored = await update(made, news, context);
      await assert.rejects(diff(restored, from(made, { undo: "ops" }), context), /had no restore "ops".*"oops"/);
      const [record] = restored.outputs.restores!;
      const ended = { ...record!, undoUntil: "2026-01-01T00:00:00.000Z" };
      const late = { id: made.id, outputs: { ...restored.outputs, restores: [ended] } };
      await assert.rejects(diff(late, from(made, { undo: "oops" }), context), {
        code: "expired",
        message: /could be undone until 2026-01-01T00:00:00.000Z/,
      });
      const name = record!.database;
      await tenantDatabase.create({ inputs: tenant(name, { adopt: "force" }), context: tursoOn(bench) });
      const undo = update(restored, from(made, { undo: "oops" }), tursoOn(bench));
      await assert.rejects(undo, (error) => error instanceof Unfinished && /now belongs to/.test(error.message));
      assert.deepEqual(await copies(bench), [name]);
    });
  });

  it("is judged without asking: what platform, key and a new tenant have against it", () => {
    const { capabilities } = tursoPlatform({ apiUrl: "http://127.0.0.1:1", apiToken: "a", organization: "a" });
    const judged = (restoreFrom: object, isNew = false, more: object = {}) =>
      tenantDatabase.check({
        news: tenant("acme", { restoreFrom }),
        olds: isNew ? undefined : tenant("acme"),
        capabilities: { ...capabilities, ...more },
        platform: "turso",
      }).failures;
    const to = { timestamp: moment };
    assert.deepEqual(judged({ ...to, key: "a" }), []);
    assert.deepEqual(judged({ undo: "a" }), []);
    assert.match(judged({ ...to, key: "a" }, true)[0]!, /^restoreFrom: the tenant is new/);
    assert.match(judged(to)[0]!, /^restoreFrom\.key: it is missing/);
    assert.match(judged({ key: "a" })[0]!, /^restoreFrom: give either/);
    assert.match(judged({ backup: "b", key: "a" })[0]!, /^restoreFrom\.backup: turso has no backups/);
    assert.match(judged({ undo: "a", key: "a" })[0]!, /^restoreFrom\.undo: it stands alone/);
    assert.match(judged({ ...to, key: "a" }, false, { seedAtTime: false })[0]!, /^restoreFrom\.timestamp: turso keeps/);
    assert.deepEqual(judged({ backup: "b", key: "a" }, false, { restoreInPlace: ["backup"] }), []);
  });

  it("is not done by a forced replacement, on what is there now", async () => {
    await withBench(async (bench) => {
      const made = await madeWithRows(bench);
      const news = from(made, { timestamp: moment, key: "oops" });
      const again = await tenantDatabase.create({ inputs: news, context: tursoOn(bench) });
      assert.deepEqual(await copies(bench), []);
      assert.equal((await diff(again, news, tursoOn(bench))).changes, false);
    });
  });

  for (const fate of ["lose", "die"] as const) {
    it(`makes one copy ${fate === "lose" ? "with any reply lost" : "after a death at any write"}, and takes it back`, async () => {
      await atEveryWrite(async (n) => {
        let writes = 0;
        await withBench(async (bench) => {
          const made = await madeWithRows(bench);
          const news = from(made, { timestamp: moment, key: "oops" });
          const line = await openFaultyLine(bench.platform.url, ({ write }): Fate => (write === n ? fate : "pass"));
          try {
            await update(made, news, tursoOn(bench, line.url)).catch(() => undefined);
            writes = line.calls.filter(({ write }) => write !== undefined).length;
          } finally {
            await line.close();
          }
          const restored = await update(made, news, tursoOn(bench));
          const [copy, ...more] = await copies(bench);
          assert.deepEqual(more, []);
          assert.deepEqual(await bench.sql(copy!, "SELECT text FROM notes"), [{ text: "kept" }]);
          await update(restored, from(made, { undo: "oops" }), tursoOn(bench));
          assert.deepEqual(await bench.databases(), ["acme"]);
          assert.deepEqual(
            (await bench.claims()).map(({ name, state }) => `${name} ${state}`),
            ["acme held"],
          );
        });
        return writes;
      });
    });
  }

  describe("in place", () => {
    const undoUntil = "2999-01-01T00:00:00.000Z";
    /** A platform that puts rows back where they are: each time it is asked, everything since is lost. */
    function inPlace(bench: Bench, fail?: TenantryError): { context: Context; asked: string[] } {
      const asked: string[] = [];
      const of = { restoreInPlace: ["backup", "timestamp"], restoreUndo: 3_600 } as const;
      const { capabilities } = tursoPlatform({ apiUrl: "http://127.0.0.1:1", apiToken: "a", organization: "a" });
      const context = tursoOn(bench, bench.platform.url, {
        capabilities: { ...capabilities, ...of },
        async restoreDatabase(name, to) {
          asked.push(`${name} ${JSON.stringify(to)}`);
          if (fail?.whose === "yours") throw fail;
          await bench.sql(name, "DELETE FROM notes");
          if (fail) throw fail;
          return { undoUntil };
        },
        async undoRestore(name) {
          asked.push(`undo ${name}`);
          await bench.sql(name, "INSERT INTO notes (text) VALUES ('back')");
        },
      });
      return { context, asked };
    }
    const texts = async (bench: Bench) => (await bench.sql("acme", "SELECT text FROM notes")).map(({ text }) => text);

    it("is done once a key, reads the schema's version anew, and is undone within its window", async () => {
      await withBench(async (bench) => {
        const made = await madeWithRows(bench);
        const { context, asked } = inPlace(bench);
        const news = from(made, { backup: "b/1", key: "oops" });
        const restored = await update(made, news, context);
        assert.deepEqual(asked, ['acme {"backup":"b/1"}']);
        assert.deepEqual([restored.outputs.restores?.[0]?.undoUntil, await texts(bench)], [undoUntil, []]);
        assert.equal(restored.outputs.schemaVersion, "0001_notes");
        assert.equal((await diff(restored, news, context)).changes, false);
        await update(restored, from(made, { undo: "oops" }), context);
        assert.deepEqual([asked.at(-1), await texts(bench)], ["undo acme", ["back"]]);
      });
    });

    it("is not done twice where state has lost it, nor where a reply was lost; a refusal may be tried again", async () => {
      await withBench(async (bench) => {
        const made = await madeWithRows(bench);
        const news = from(made, { backup: "b/1", key: "oops" });
        const refusing = inPlace(bench, new TenantryError("invalid-input", "No such backup."));
        await assert.rejects(update(made, news, refusing.context));
        const { context, asked } = inPlace(bench);
        await update(made, news, context);
        await bench.sql("acme", "INSERT INTO notes (text) VALUES ('since')");
        const again = await update(made, news, inPlace(bench).context);
        assert.deepEqual([asked.length, await texts(bench)], [1, ["since"]]);
        assert.equal(again.outputs.restores?.[0]?.undoUntil, undoUntil);

        const lost = inPlace(bench, new TenantryError("unreachable", "Lost.", { afterLostReply: true }));
        const other = from(made, { backup: "b/1", key: "other" });
        await assert.rejects(update(made, other, lost.context));
        await bench.sql("acme", "INSERT INTO notes (text) VALUES ('since')");
        const notes: string[] = [];
        const { restores } = await restoreOrUndo(
          inPlace(bench).context,
          made.outputs,
          { key: "other", to: { backup: "b/1" } },
          async (text) => void notes.push(text),
        );
        assert.deepEqual([restores[0]?.isUnclear, await texts(bench)], [true, ["since"]]);
        assert.match(notes[0]!, /whether the restore "other" took effect is not known/);
      });
    });
  });
});
