import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { TenantryError } from "../../provider/platform/errors";
import { previewDown } from "../../provider/preview/down";
import { listBranches, reapBranch } from "../../provider/preview/due";
import { previewUp } from "../../provider/preview/up";
import { registryName } from "../../provider/registry/reserved-names";
import type { LineCall } from "../support/faulty-line";
import { isSqlOf } from "../support/scene";
import { of, withPreviewScene } from "./preview-scene";

const first = { "0001_due.sql": "ALTER TABLE notes ADD COLUMN due TEXT;\nUPDATE notes SET due = 'soon';\n" };
const second = { ...first, "0002_words.sql": "UPDATE notes SET words = words + 1 WHERE words > 0;\n" };
const isBranchCreate = ({ method, path, body }: LineCall): boolean =>
  method === "POST" && path.endsWith("/databases") && body.includes("tenantry-pr-");

describe("A pull request's branches, push by push", function () {
  this.timeout(180_000);

  it("keep their rows and are migrated; an edited migration and a failing one are told, `reset` starts over", async () => {
    await withPreviewScene(
      async ({ bench, order, process, opened }) => {
        const push = async (files: Record<string, string>, more = {}) => {
          const { path } = await bench.template(files, { folder: "migrations" });
          const up = await previewUp(await process(), order({ migrations: { folder: path }, ...more }));
          const [branch] = up.report.branches;
          const sql = (text: string) => opened(branch!.url, up.tokens.get("acme")!.token, text);
          return { branch: branch!, sql, fleet: up.report.fleet };
        };
        const one = await push(first);
        assert.deepEqual(
          [
            one.branch.created,
            one.branch.from,
            one.branch.to,
            one.branch.applied.map(({ id, rowsWritten }) => [id, rowsWritten]),
          ],
          [true, null, "0001_due", [["0001_due", 3]]],
        );
        assert.ok(one.branch.applied[0]!.lockedMs > 0 && one.branch.applied[0]!.lockedMs <= one.branch.applied[0]!.ms);
        assert.equal(one.fleet.projectedMs, Math.round((one.branch.applied[0]!.ms * 200) / 16));
        await one.sql("INSERT INTO notes (id, user_id, body, words) VALUES (9, 1, 'typed by hand', 5)");

        const two = await push(second);
        assert.deepEqual(
          [
            two.branch.created,
            two.branch.databaseId,
            two.branch.to,
            two.branch.applied.map(({ id, rowsWritten }) => [id, rowsWritten]),
          ],
          [
            false,
            one.branch.databaseId,
            "0002_words",
            [
              ["0001_due", 3],
              ["0002_words", 3],
            ],
          ],
        );
        assert.deepEqual(await two.sql("SELECT words FROM notes WHERE id = 9"), [{ words: 6 }]);

        const failing = { ...second, "0003_unique.sql": "CREATE UNIQUE INDEX one_note ON notes (user_id);\n" };
        const three = await push(failing);
        assert.equal(three.branch.state, "migration-failed");
        assert.deepEqual([three.branch.to, three.branch.error!.migration], ["0002_words", "0003_unique"]);
        assert.match(
          three.branch.error!.message,
          /^acme: .*0003_unique\.sql.* line 1.*UNIQUE constraint failed: notes\.user_id.* Nothing of that file was applied\.$/,
        );

        const edited = { ...second, "0002_words.sql": "UPDATE notes SET words = 0;\n" };
        const four = await push(edited);
        assert.equal(four.branch.state, "migration-failed");
        assert.match(four.branch.error!.message, /0002_words.* `--reset` starts over from the source\.$/);

        const five = await push(edited, { reset: true });
        assert.deepEqual([five.branch.state, five.branch.created, five.branch.to], ["ready", true, "0002_words"]);
        assert.notEqual(five.branch.databaseId, one.branch.databaseId);
        assert.deepEqual(
          await five.sql("SELECT id, words FROM notes ORDER BY id"),
          [1, 2, 3].map((id) => ({ id, words: 0 })),
        );
        assert.deepEqual((await bench.sql("tenant-acme", "SELECT words FROM notes WHERE id = 1"))[0], { words: 3 });

        await assert.rejects(
          push(edited, { data: "schema-only" }),
          /its rows were made as "copy", and a branch keeps its rows\. Start over with --reset\./,
        );
      },
      { tenants: ["acme"] },
    );
  });

  it("that somebody has deleted or replaced by hand are made anew, or left alone", async () => {
    await withPreviewScene(
      async ({ bench, order, process }) => {
        const { branch } = (await previewUp(await process(), order())).report.branches[0]!;
        await bench.api.ok("DELETE", `/databases/${branch}`);
        const again = (await previewUp(await process(), order())).report.branches[0]!;
        assert.deepEqual([again.branch, again.state, again.created], [branch, "ready", true]);
        await bench.api.ok("DELETE", `/databases/${branch}`);
        await bench.api.ok("POST", "/databases", { name: branch, group: "eu" });
        await assert.rejects(
          previewUp(await process(), order()),
          /another database has its name since, which is not this branch/,
        );
        const { deleted, left } = await previewDown(await process(), of);
        assert.deepEqual([deleted, left.map(({ why }) => why)], [[], ["another database has its name since"]]);
        assert.ok((await bench.databases(true)).includes(branch));
      },
      { tenants: ["acme"] },
    );
  });

  it("are made of the others where a source vanishes over its copy", async () => {
    await withPreviewScene(async ({ bench, order, process, named }) => {
      let isGone = false;
      const context = await process(async (call) => {
        if (!isGone && isBranchCreate(call)) {
          isGone = true;
          await bench.api.ok("DELETE", "/databases/tenant-globex");
        }
        return "pass" as const;
      });
      const { report, tokens } = await previewUp(context, order());
      assert.deepEqual(
        report.branches.map(({ tenant, state }) => [tenant, state]),
        [
          ["acme", "ready"],
          ["globex", "failed"],
        ],
      );
      assert.deepEqual([...tokens.keys()], ["acme"]);
      assert.equal((await named("tenantry-pr-")).length, 1);
      await assert.rejects(previewUp(await process(), order()), /there is no database "tenant-globex"/);
    });
  });

  it("are of one moment where a source grows over its copy", async () => {
    await withPreviewScene(
      async ({ bench, order, process, opened }) => {
        let rows = 100;
        const context = await process(async (call) => {
          if (call.method === "POST" && isSqlOf(call) && call.path.includes("tenantry-pr-")) {
            rows += 1;
            await bench.sql("tenant-acme", `INSERT INTO users (id, email) VALUES (${rows}, 'new${rows}@acme.test')`);
            await bench.sql("tenant-acme", `INSERT INTO notes (id, user_id, body) VALUES (${rows}, ${rows}, 'new')`);
          }
          return "pass" as const;
        });
        const { report, tokens } = await previewUp(context, order({ data: "masked", mask: {} }));
        assert.ok(rows > 110);
        const sql = (text: string) => opened(report.branches[0]!.url, tokens.get("acme")!.token, text);
        assert.deepEqual(await sql("PRAGMA foreign_key_check"), []);
        const counts = await sql("SELECT (SELECT count(*) FROM users) - 2 AS u, (SELECT count(*) FROM notes) - 3 AS n");
        assert.equal(counts[0]!["u"], counts[0]!["n"]);
      },
      { tenants: ["acme"] },
    );
  });
});

describe("Two at once on a pull request's branches", function () {
  this.timeout(180_000);

  it("make one set", async () => {
    await withPreviewScene(async ({ order, process, named, bench }) => {
      let waited = 0;
      const watch = { onWait: () => void waited++ };
      const both = await Promise.all([
        previewUp(await process(), order(), watch),
        previewUp(await process(), order(), watch),
      ]);
      const ids = both.map(({ report }) => report.branches.map(({ databaseId, state }) => `${databaseId} ${state}`));
      assert.deepEqual(ids[0], ids[1]);
      assert.deepEqual(
        both.map(({ tokens }) => tokens.size),
        [2, 2],
      );
      assert.equal(waited, 1);
      assert.equal((await named("tenantry-pr-")).length, 2);
      assert.deepEqual(await bench.sql(registryName("eu"), "SELECT * FROM preview_leases"), []);
      const fewer = order({ tenants: [{ tenant: "acme", source: "tenant-acme" }] });
      const { report, others } = await previewUp(await process(), fewer);
      assert.deepEqual([report.branches.length, others], [1, ["globex"]]);
    });
  });

  it("a `down` ends an `up`, and nothing is left", async () => {
    await withPreviewScene(async ({ order, process, named }) => {
      let down: Promise<unknown> | undefined;
      const closer = await process();
      let hold = true;
      const context = await process(async (call) => {
        if (isBranchCreate(call)) {
          down ??= previewDown(closer, of).finally(() => (hold = false));
          // Longer than it takes the run to hear of it.
          if (hold) await new Promise((resolve) => setTimeout(resolve, 5_000));
        }
        return "pass" as const;
      });
      await assert.rejects(
        previewUp(context, order({ data: "masked", mask: {} })),
        (error) =>
          error instanceof TenantryError && error.code === "cancelled" && /being taken down/.test(error.message),
      );
      await down;
      assert.deepEqual(await named("tenantry-pr-"), []);
    });
  });

  it("a reaper takes what is forgotten, and not what an `up` has just renewed", async () => {
    await withPreviewScene(
      async ({ bench, order, process, named }) => {
        const up = async () => previewUp(await process(), order());
        await up();
        await bench.sql(registryName("eu"), "UPDATE claims SET expires_at = '2026-01-01T00:00:00.000Z'");
        const context = await process();
        const sql = (await context.registrySql("eu"))!;
        const [due] = await listBranches(context, sql);
        assert.equal(due!.isDue, true);
        await up();
        assert.deepEqual(await reapBranch(context, "eu", sql, due!), {
          ...{ status: "kept", why: "somebody has changed its claim meanwhile" },
        });
        assert.equal((await named("tenantry-pr-")).length, 1);

        await bench.sql(registryName("eu"), "UPDATE claims SET expires_at = '2026-01-01T00:00:00.000Z'");
        const [again] = await listBranches(context, sql);
        // At the same time: whoever comes first, the branch is there afterwards, whole.
        const [reaped, made] = await Promise.all([reapBranch(context, "eu", sql, again!), up()]);
        assert.ok(["reaped", "kept"].includes(reaped.status));
        assert.equal(made.report.branches[0]!.state, "ready");
        assert.equal((await named("tenantry-pr-")).length, 1);
      },
      { tenants: ["acme"] },
    );
  });

  it("an `up` whose branch a reaper takes before its eyes makes it anew", async () => {
    await withPreviewScene(
      async ({ bench, order, process, named }) => {
        await previewUp(await process(), order());
        await bench.sql(registryName("eu"), "UPDATE claims SET expires_at = '2026-01-01T00:00:00.000Z'");
        const reaper = await process();
        const sql = (await reaper.registrySql("eu"))!;
        const [due] = await listBranches(reaper, sql);
        const context = await process();
        let reaped: Awaited<ReturnType<typeof reapBranch>> | undefined;
        const platform = {
          ...context.platform,
          // What is there has been looked at; its end is not renewed yet.
          async getDatabase(name: string) {
            const found = await context.platform.getDatabase(name);
            if (name.startsWith("tenantry-pr-")) reaped ??= await reapBranch(reaper, "eu", sql, due!);
            return found;
          },
        };
        const made = await previewUp({ ...context, platform }, order());
        assert.equal(reaped?.status, "reaped");
        assert.deepEqual(
          made.report.branches.map(({ state, created }) => [state, created]),
          [["ready", true]],
        );
        assert.notEqual(made.report.branches[0]!.databaseId, due!.present!.id);
        assert.equal((await named("tenantry-pr-")).length, 1);
      },
      { tenants: ["acme"] },
    );
  });
});
