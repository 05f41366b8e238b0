import assert from "node:assert/strict";
import { isReserved, registryName, templateName } from "../../provider/registry/reserved-names";
import { migrate } from "../../provider/rollout/migrate";
import { readMigrations } from "../../provider/rollout/source";
import { ensureTemplateDatabase } from "../../provider/rollout/template";
import { formatTemplateRef, parseTemplateRef } from "../../provider/rollout/template-ref";
import { templateMigrations } from "../../provider/rollout/template-source";
import { withBench } from "../support/bench";

const files = { "0001_notes.sql": "CREATE TABLE notes (x);", "0002_more.sql": "CREATE TABLE more (x);" };

describe("ensureTemplateDatabase", () => {
  it("makes one database, complete, by whomever and how often it is asked for", async () => {
    await withBench(async (bench) => {
      const template = await bench.template(files);
      const { migrations } = readMigrations(template.path);
      const names = await Promise.all(
        Array.from({ length: 4 }, () => ensureTemplateDatabase(bench.context(), "eu", template, migrations)),
      );
      assert.deepEqual(new Set(names), new Set([templateName("eu", "app", template.digest)]));
      assert.deepEqual(await bench.databases(true), [names[0]]);
      const schema = await bench.sql(names[0]!, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name");
      assert.deepEqual(
        schema.map((row) => row["name"]),
        ["_tenantry_migrations", "more", "notes"],
      );
    });
  });

  it("completes one that another stack's newer run has begun", async () => {
    await withBench(async (bench) => {
      const template = await bench.template(files);
      const { migrations } = readMigrations(template.path);
      const name = templateName("eu", "app", template.digest);
      const context = bench.context();
      const database = await context.platform.createDatabase({ name, group: "eu" });
      const sql = context.sql({ name, hostname: database.hostname, group: "eu" });
      await migrate({ sql, database: name, migrations: migrations.slice(0, 1), run: Number.MAX_SAFE_INTEGER });
      await ensureTemplateDatabase(bench.context(), "eu", template, migrations);
      assert.equal((await bench.sql(name, "SELECT id FROM _tenantry_migrations")).length, 2);
    });
  });

  it("completes one that an earlier run left half-made", async () => {
    await withBench(async (bench) => {
      const template = await bench.template(files);
      const { migrations } = readMigrations(template.path);
      const { context } = await bench.contextOn(({ body }) => (body.includes("TABLE notes") ? "die" : "pass"));
      await assert.rejects(ensureTemplateDatabase(context, "eu", template, migrations));
      const name = await ensureTemplateDatabase(bench.context(), "eu", template, migrations);
      assert.deepEqual(await bench.sql(name, "SELECT id FROM _tenantry_migrations ORDER BY seq"), [
        { id: "0001_notes" },
        { id: "0002_more" },
      ]);
    });
  });

  it("says which file of the template fails", async () => {
    await withBench(async (bench) => {
      const template = await bench.template({ ...files, "0003_wrong.sql": "CREATE TABLE notes (x);" });
      await assert.rejects(
        ensureTemplateDatabase(bench.context(), "eu", template, readMigrations(template.path).migrations),
        /^TenantryError: template "app": .*0003_wrong\.sql, line 1: .*notes already exists/,
      );
    });
  });
});

describe("reserved names", () => {
  it("are valid, distinct and known again, however long group and template are called", () => {
    const long = "g".repeat(64);
    const names = [
      registryName("eu"),
      registryName(long),
      registryName(`${long.slice(1)}h`),
      templateName("eu", "app", "d1"),
      templateName("eu", "app", "d2"),
      templateName("us", "app", "d1"),
      templateName(long, "t".repeat(64), "d1"),
    ];
    assert.equal(new Set(names).size, names.length);
    for (const name of names) assert.ok(isReserved(name) && /^[a-z0-9-]{1,64}$/.test(name), name);
  });
});

describe("a template's ref", () => {
  const ref = {
    name: "app",
    version: "0002_more",
    digest: "0123456789abcdef",
    path: "a folder/m",
    start: "copy",
  } as const;

  it("is one line that reads back", () => {
    assert.deepEqual(parseTemplateRef(formatTemplateRef(ref)), ref);
    assert.equal(formatTemplateRef(ref), "app@0002_more 0123456789abcdef copy a folder/m");
    for (const [word, more] of [
      ["copy:prisma", { format: "prisma" }],
      ["copy+rollout", { rollout: true }],
      ["copy+rollout:dbmate", { rollout: true, format: "dbmate" }],
    ] as const) {
      const text = `app@0002_more 0123456789abcdef ${word} a folder/m`;
      assert.equal(formatTemplateRef({ ...ref, ...more }), text);
      assert.deepEqual(parseTemplateRef(text), { ...ref, ...more });
    }
    for (const text of [
      "",
      "app",
      "app@1",
      "app@1 xyz copy m",
      "app@1 abc move m",
      "app@1 abc copy ",
      "app@1 abc copy:auto m",
    ]) {
      assert.equal(parseTemplateRef(text), undefined, text);
    }
  });

  it("runs only the files that were hashed", async () => {
    await withBench(async (bench) => {
      const { name, digest, path } = await bench.template(files, { folder: "m" });
      await bench.template({ ...files, "0002_more.sql": "CREATE TABLE other (x);" }, { folder: "m" });
      assert.throws(() => templateMigrations({ name, digest, path }), { code: "migration-invalid" });
    });
  });
});
