import assert from "node:assert/strict";
import type { Context } from "../../provider/context";
import { templateName } from "../../provider/registry/reserved-names";
import { Unfinished } from "../../provider/resources/handler";
import { schemaTemplate } from "../../provider/resources/schema-template";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseInputs } from "../../provider/resources/tenant-database/inputs";
import type { TenantDatabaseOutputs } from "../../provider/resources/tenant-database/outputs";
import { type Bench, tenant, withBench } from "../support/bench";

const first = { "0001_notes.sql": "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);" };
const second = { ...first, "0002_pinned.sql": "ALTER TABLE notes ADD COLUMN pinned;" };
/** Works on an empty table only. */
const failing = {
  ...first,
  "0002_strict.sql": "CREATE TABLE more (x);\n\nALTER TABLE notes ADD COLUMN n NOT NULL DEFAULT (random());",
};

type Made = { id: string; outputs: TenantDatabaseOutputs };

async function fleetOf(size: number, bench: Bench, context: Context, more: Partial<TenantDatabaseInputs> = {}) {
  const { ref } = await bench.template(first);
  const names = Array.from({ length: size }, (_, i) => `tenant-${i}`);
  return Promise.all(
    names.map((name) => tenantDatabase.create({ inputs: tenant(name, { schema: ref, ...more }), context })),
  );
}

const update = async ({ id, outputs }: Made, more: Partial<TenantDatabaseInputs>, context: Context) =>
  tenantDatabase.update({ id, olds: outputs, news: tenant(outputs.name, more), context });

const outcomes = async (fleet: Made[], schema: string, context: Context): Promise<string[]> =>
  (await Promise.allSettled(fleet.map((made) => update(made, { schema }, context)))).map((one) =>
    one.status === "fulfilled" ? "migrated" : (one.reason as Error).message,
  );

const tables = async (bench: Bench, name: string): Promise<unknown[]> =>
  (await bench.sql(name, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")).map(
    (row) => row["name"],
  );

describe("a TenantDatabase's schema", () => {
  it("is copied from one template database, made once however many tenants come at once", async () => {
    await withBench(async (bench) => {
      const fleet = await fleetOf(8, bench, bench.context());
      const own = (await bench.databases(true)).filter((name) => name.startsWith("tenantry-template-"));
      assert.equal(own.length, 1);
      const { database } = await bench.api.ok<{ database: { parent: { name: string } } }>("GET", "/databases/tenant-3");
      assert.equal(database.parent.name, own[0]);
      assert.deepEqual(new Set(fleet.map(({ outputs }) => outputs.schemaVersion)), new Set(["0001_notes"]));
      assert.deepEqual(await tables(bench, "tenant-7"), ["_tenantry_migrations", "notes"]);
    });
  });

  it("is made once by two processes at the same time", async () => {
    await withBench(async (bench) => {
      const { ref } = await bench.template(first);
      const of = "organization/blog/dev";
      await Promise.all([
        tenantDatabase.create({ inputs: tenant("a", { schema: ref }), context: bench.context() }),
        tenantDatabase.create({ inputs: tenant("b", { schema: ref, self: `${of}/b` }), context: bench.context() }),
      ]);
      assert.equal((await bench.databases(true)).filter((name) => name.startsWith("tenantry-template-")).length, 1);
      for (const name of ["a", "b"]) assert.deepEqual(await tables(bench, name), ["_tenantry_migrations", "notes"]);
    });
  });

  it("gains a migration, named by diff, applied once", async () => {
    await withBench(async (bench) => {
      const [made] = await fleetOf(1, bench, bench.context());
      const { ref } = await bench.template(second);
      const news = tenant("tenant-0", { schema: ref });
      const diff = await tenantDatabase.diff({ id: made!.id, olds: made!.outputs, news, context: bench.context() });
      assert.deepEqual(diff, { changes: true, note: "tenant-0: 0001_notes -> 0002_pinned; to apply: 0002_pinned" });
      const outputs = await update(made!, { schema: ref }, bench.context());
      assert.equal(outputs.schemaVersion, "0002_pinned");
      const again = { id: made!.id, olds: outputs, news, context: bench.context() };
      assert.equal((await tenantDatabase.diff(again)).changes, false);
      assert.equal(
        (await tenantDatabase.read({ id: made!.id, outputs, context: bench.context() }))!.schemaVersion,
        "0002_pinned",
      );
    });
  });

  it("brings an adopted database that has none to the template's version, keeping its rows", async () => {
    await withBench(async (bench) => {
      await bench.api.ok("POST", "/databases", { name: "acme", group: "eu" });
      await bench.sql("acme", "CREATE TABLE theirs (x)");
      const { ref } = await bench.template(second);
      const inputs = tenant("acme", { adopt: "unowned", schema: ref });
      const { outputs } = await tenantDatabase.create({ inputs, context: bench.context() });
      assert.equal(outputs.schemaVersion, "0002_pinned");
      assert.deepEqual(await tables(bench, "acme"), ["_tenantry_migrations", "notes", "theirs"]);
    });
  });

  it("stops behind the first that fails, applying nothing of the file anywhere", async () => {
    await withBench(async (bench) => {
      const fleet = await fleetOf(12, bench, bench.context());
      for (const { outputs } of fleet) await bench.sql(outputs.name, "INSERT INTO notes (text) VALUES ('kept')");
      const { ref } = await bench.template(failing);
      const said = await outcomes(fleet, ref, bench.context());
      assert.equal(
        said.filter((text) => /0002_strict\.sql, line 3: .*Nothing of that file was applied/s.test(text)).length,
        1,
      );
      const victim = said.findIndex((text) => text.includes("0002_strict.sql"));
      const behind = said.filter((text) => text.includes(`tenant-${victim} went first and failed`));
      assert.equal(behind.length, 11);
      for (const { outputs } of fleet) {
        assert.deepEqual(await tables(bench, outputs.name), ["_tenantry_migrations", "notes"]);
      }
    });
  }).timeout(40_000);

  it("lets one of two go first, also under another stack name than their claims'", async () => {
    await withBench(async (bench) => {
      const fleet = await fleetOf(2, bench, bench.context());
      for (const { outputs } of fleet) await bench.sql(outputs.name, "INSERT INTO notes (text) VALUES ('kept')");
      const { ref } = await bench.template(failing);
      const context = bench.context();
      const self = ({ outputs }: Made) => `organization/renamed/dev/${outputs.name}`;
      const said = await Promise.allSettled(
        fleet.map((made) =>
          update(
            { ...made, outputs: { ...made.outputs, self: self(made) } },
            { schema: ref, self: self(made) },
            context,
          ),
        ),
      );
      const reasons = said.map((one) => String((one as PromiseRejectedResult).reason));
      assert.equal(reasons.filter((text) => text.includes("0002_strict.sql, line 3")).length, 1);
      assert.equal(reasons.filter((text) => text.includes("went first and failed")).length, 1);
    });
  });

  it("goes on with the rest when one behind the first fails", async () => {
    await withBench(async (bench) => {
      const fleet = await fleetOf(4, bench, bench.context());
      const { ref } = await bench.template(failing);
      const context = bench.context();
      assert.deepEqual(await outcomes(fleet.slice(0, 1), ref, context), ["migrated"]);
      await bench.sql("tenant-2", "INSERT INTO notes (text) VALUES ('kept')");
      const said = await outcomes(fleet.slice(1), ref, context);
      assert.deepEqual([said[0], said[2]], ["migrated", "migrated"]);
      assert.match(said[1]!, /^tenant-2: .*0002_strict\.sql, line 3: /);
    });
  });

  it("goes on after the file was corrected", async () => {
    await withBench(async (bench) => {
      const fleet = await fleetOf(11, bench, bench.context());
      await bench.sql("tenant-0", "INSERT INTO notes (text) VALUES ('kept')");
      const wrong = await bench.template(failing);
      await outcomes(fleet, wrong.ref, bench.context());
      // Whoever got the wrong file before the failure has it in its ledger, and is told so.
      const right = await bench.template(second);
      const said = await outcomes(fleet.slice(0, 1), right.ref, bench.context());
      assert.deepEqual(said, ["migrated"]);
    });
  }).timeout(40_000);

  for (const closed of [{ suspended: true }, { blockWrites: true }, { blockReads: true }]) {
    const [setting] = Object.keys(closed);
    const blocks = async (bench: Bench) => {
      const { block_reads, block_writes } = await bench.api.ok("GET", "/databases/tenant-0/configuration");
      return [block_reads, block_writes];
    };
    const expected = [setting !== "blockWrites", setting !== "blockReads"];

    it(`reaches a tenant with ${setting}, which stays so: from the start, when set at the same time, and later`, async () => {
      await withBench(async (bench) => {
        const { ref } = await bench.template(second);
        const { ref: third } = await bench.template({ ...second, "0003_more.sql": "CREATE TABLE more (x);" });
        for (const born of [closed, {}]) {
          const [made] = await fleetOf(1, bench, bench.context(), born);
          const at2 = await update(made!, { schema: ref, ...closed }, bench.context());
          assert.deepEqual([at2.schemaVersion, ...(await blocks(bench))], ["0002_pinned", ...expected]);
          const at3 = await update({ id: made!.id, outputs: at2 }, { schema: third, ...closed }, bench.context());
          assert.deepEqual([at3.schemaVersion, ...(await blocks(bench))], ["0003_more", ...expected]);
          const news = tenant("tenant-0", { schema: third, ...closed });
          const diff = { id: made!.id, olds: at3, news, context: bench.context() };
          assert.equal((await tenantDatabase.diff(diff)).changes, false);
          // Opened again, it is as it was before.
          const open = await update({ id: made!.id, outputs: at3 }, { schema: third }, bench.context());
          assert.deepEqual(await blocks(bench), [false, false]);
          await tenantDatabase.delete({ id: made!.id, outputs: open, context: bench.context() });
        }
      });
    });

    it(`stays ${setting} when its migration fails`, async () => {
      await withBench(async (bench) => {
        const [made] = await fleetOf(1, bench, bench.context());
        await bench.sql("tenant-0", "INSERT INTO notes (text) VALUES ('kept')");
        const { ref } = await bench.template(failing);
        for (let i = 0; i < 2; i++) {
          await assert.rejects(update(made!, { schema: ref, ...closed }, bench.context()), Unfinished);
          assert.deepEqual(await blocks(bench), expected);
        }
      });
    });
  }

  it("waits until a block that it lifted itself is gone", async () => {
    await withBench(async (bench) => {
      const [made] = await fleetOf(1, bench, bench.context(), { suspended: true });
      const { ref } = await bench.template(second);
      let calls = 0;
      const { context } = await bench.contextOn(async ({ method, path, body }) => {
        if (method === "PATCH" && body.includes("false")) return { status: 200, text: body };
        const lifts: Record<number, object> = { 2: { block_reads: false }, 5: { block_writes: false } };
        const lift = path.startsWith("/db/tenant-0/") ? lifts[++calls] : undefined;
        if (lift) await bench.api.ok("PATCH", "/databases/tenant-0/configuration", lift);
        return "pass";
      });
      const outputs = await update(made!, { schema: ref, suspended: false }, context);
      assert.deepEqual([outputs.schemaVersion, outputs.suspended], ["0002_pinned", false]);
      assert.ok(calls > 5);
    });
  });

  it("does not wait for a block that somebody else set", async () => {
    await withBench(async (bench) => {
      const [made] = await fleetOf(1, bench, bench.context());
      const { ref } = await bench.template(second);
      await bench.api.ok("PATCH", "/databases/tenant-0/configuration", { block_writes: true });
      const { context, line } = await bench.contextOn(() => "pass");
      await assert.rejects(
        update(made!, { schema: ref }, context),
        /^Error: tenant-0: .*writes are blocked on this database, so it was not migrated\. Lift the block/,
      );
      const tried = line.calls.filter(({ path, body }) => path.startsWith("/db/tenant-0/") && body.includes("ALTER"));
      assert.equal(tried.length, 1);
    });
  });

  it("says that it is blocked also where it would have rebuilt a table", async () => {
    await withBench(async (bench) => {
      const [made] = await fleetOf(1, bench, bench.context());
      const { ref } = await bench.template({ ...first, "0002_gone.sql": "DROP TABLE notes;" });
      for (const block of ["block_writes", "block_reads"]) {
        await bench.api.ok("PATCH", "/databases/tenant-0/configuration", { [block]: true });
        await assert.rejects(update(made!, { schema: ref }, bench.context()), /are blocked on this database/);
      }
    });
  });

  it("is migrated also as a copy of a tenant that another stack's newer runs have migrated", async () => {
    await withBench(async (bench) => {
      const { ref } = await bench.template(first);
      const of = "organization/blog/dev";
      const theirs = tenant("theirs", { schema: ref, self: `${of}/theirs` });
      await tenantDatabase.create({ inputs: theirs, context: bench.context() });
      await bench.sql("theirs", "UPDATE _tenantry_migrations SET run = 9007199254740991");
      await bench.sql("theirs", "INSERT INTO notes (text) VALUES ('kept')");
      const inputs = tenant("acme", { seed: { database: "theirs" } });
      const made = await tenantDatabase.create({ inputs, context: bench.context() });
      const { ref: next } = await bench.template(second);
      const outputs = await update(made, { ...inputs, schema: next }, bench.context());
      assert.equal(outputs.schemaVersion, "0002_pinned");
      assert.deepEqual(await bench.sql("acme", "SELECT text FROM notes"), [{ text: "kept" }]);
      // And with its schema declared from the start.
      const both = tenant("both", { seed: { database: "theirs" }, schema: next });
      const { outputs: also } = await tenantDatabase.create({ inputs: both, context: bench.context() });
      assert.equal(also.schemaVersion, "0002_pinned");
      const [run] = await bench.sql("theirs", "SELECT max(run) AS run FROM _tenantry_migrations");
      assert.deepEqual(run, { run: Number.MAX_SAFE_INTEGER });
      await bench.sql("theirs", "DROP TABLE _tenantry_migrations");
      const bare = tenant("bare", { seed: { database: "theirs" } });
      await tenantDatabase.create({ inputs: bare, context: bench.context() });
    });
  });

  it("forgets the copied runs also where the process died behind the copy", async () => {
    await withBench(async (bench) => {
      const { ref } = await bench.template(first);
      const theirs = tenant("theirs", { schema: ref, self: "organization/blog/dev/theirs" });
      await tenantDatabase.create({ inputs: theirs, context: bench.context() });
      await bench.sql("theirs", "UPDATE _tenantry_migrations SET run = 9007199254740991");
      const inputs = tenant("acme", { seed: { database: "theirs" }, schema: ref });
      const dying = await bench.contextOn(({ path, body }) =>
        path.startsWith("/db/acme/") && body.includes("SET run = 0") ? "die" : "pass",
      );
      await assert.rejects(tenantDatabase.create({ inputs, context: dying.context }));
      await tenantDatabase.create({ inputs, context: bench.context() });
      assert.deepEqual(await bench.sql("acme", "SELECT run FROM _tenantry_migrations"), [{ run: 0 }]);
    });
  });

  it("refuses an edited history before anything is sent", async () => {
    await withBench(async (bench) => {
      const [made] = await fleetOf(1, bench, bench.context());
      const { ref } = await bench.template({ "0001_notes.sql": "CREATE TABLE other (x);" });
      await assert.rejects(update(made!, { schema: ref }, bench.context()), /0001_notes\.sql was edited since/);
      assert.deepEqual(await tables(bench, "tenant-0"), ["_tenantry_migrations", "notes"]);
    });
  });

  it("runs only the files that the program hashed", async () => {
    await withBench(async (bench) => {
      const inputs = await bench.template(first, { folder: "m" });
      await bench.template(second, { folder: "m" });
      const context = bench.context();
      await assert.rejects(tenantDatabase.create({ inputs: tenant("acme", { schema: inputs.ref }), context }), {
        code: "migration-invalid",
        message: /are not those that template "app" was declared with/,
      });
      assert.deepEqual(await bench.databases(), []);
      assert.deepEqual(await bench.claims(), []);
    });
  });
});

describe("SchemaTemplate", () => {
  it("costs nothing by itself, and takes its databases away on update and on delete", async () => {
    await withBench(async (bench) => {
      const inputs = await bench.template(first, { folder: "a" });
      const { id, outputs } = await schemaTemplate.create({ inputs, context: bench.context() });
      assert.deepEqual(await bench.databases(true), []);
      const one = tenant("one", { schema: inputs.ref });
      await tenantDatabase.create({ inputs: one, context: bench.context() });
      const before = templateName("eu", "app", inputs.digest);
      assert.ok((await bench.databases(true)).includes(before));

      const news = await bench.template(second, { folder: "b" });
      const diff = await schemaTemplate.diff({ id, olds: outputs, news, context: bench.context() });
      assert.equal(diff.changes, true);
      const olds = await schemaTemplate.update({ id, olds: outputs, news, context: bench.context() });
      assert.ok(!(await bench.databases(true)).includes(before));
      assert.equal((await schemaTemplate.diff({ id, olds, news, context: bench.context() })).changes, false);

      await tenantDatabase.create({ inputs: tenant("two", { schema: news.ref }), context: bench.context() });
      await schemaTemplate.delete({ id, outputs: olds, context: bench.context() });
      assert.deepEqual(
        (await bench.databases(true)).filter((name) => name.startsWith("tenantry-template-")),
        [],
      );
      assert.deepEqual(await bench.databases(), ["one", "two"]);
      await schemaTemplate.delete({ id, outputs: olds, context: bench.context() });
    });
  });

  it("names an edited, removed or reordered migration in diff, and leaves the refusal to the tenants that have it", async () => {
    await withBench(async (bench) => {
      const inputs = await bench.template(second);
      const { id, outputs } = await schemaTemplate.create({ inputs, context: bench.context() });
      const news = [
        await bench.template({ ...second, "0001_notes.sql": "CREATE TABLE other (x);" }),
        await bench.template({ "0002_pinned.sql": second["0002_pinned.sql"] }),
        await bench.template({ ...first }),
      ];
      for (const one of news) {
        const { changes, note } = await schemaTemplate.diff({ id, olds: outputs, news: one, context: bench.context() });
        assert.equal(changes, true);
        assert.match(
          note ?? "",
          /^template "app": migration 000\d_\w+ (was edited since|\(\w+\) is no longer|\(\w+\) came before)/,
        );
      }
    });
  });
});
