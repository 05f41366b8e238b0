import assert from "node:assert/strict";
import type { Context } from "../../provider/context";
import { decodePreview } from "../../provider/preview/value";
import { Unfinished } from "../../provider/resources/handler";
import { previewBranch } from "../../provider/resources/preview-branch";
import type { PreviewBranchInputs } from "../../provider/resources/preview-branch/inputs";
import type { PreviewBranchOutputs } from "../../provider/resources/preview-branch/outputs";
import { numberIn } from "../../provider/resources/preview-branch/place";
import { unknownValue } from "../../provider/resources/unknown";
import { type PreviewScene, withPreviewScene } from "../preview/preview-scene";

const self = "organization/shop/pr-42/preview";
const both = ["acme", "globex"].map((tenant) => ({ tenant, database: `tenant-${tenant}` }));
const declared = (more: Partial<PreviewBranchInputs> = {}): PreviewBranchInputs => ({
  ...{ self, from: both, data: "copy", expiresIn: "7d" },
  ...more,
});

const create = async (context: Context, inputs: PreviewBranchInputs) => previewBranch.create({ inputs, context });

/** What the branches hold, opened as an application would. */
const textsIn = async ({ opened }: PreviewScene, { branches, tokens }: PreviewBranchOutputs, tenant: string) => {
  const rows = await opened(branches[tenant]!.url, tokens[tenant]!, "SELECT * FROM notes ORDER BY id");
  return rows.map(({ body }) => body);
};

const diff = async (context: Context, olds: PreviewBranchOutputs, news: PreviewBranchInputs) =>
  previewBranch.diff({ id: "any", olds, news, context });

describe("PreviewBranch", function () {
  this.timeout(120_000);

  it("makes branches, keeps their rows, and is unchanged until something of it changes", async () => {
    await withPreviewScene(async (scene) => {
      const { bench, process, named } = scene;
      const before = await bench.sql("tenant-acme", "SELECT * FROM notes");
      const context = await process();
      const { id, outputs } = await create(context, declared());
      assert.deepEqual(Object.keys(outputs.branches), ["acme", "globex"]);
      assert.deepEqual((await named("tenantry-pr-42-")).length, 2);
      assert.equal(outputs.place.repository, self);
      assert.deepEqual(await textsIn(scene, outputs, "globex"), ["secretword of globex", null, "plain"]);
      const value = decodePreview(outputs.preview);
      assert.deepEqual([value.pullRequest, Object.keys(value.tenants)], [42, ["acme", "globex"]]);
      assert.equal(value.tenants["acme"]?.token, outputs.tokens["acme"]);

      assert.deepEqual(await diff(context, outputs, declared()), { changes: false, note: undefined });
      assert.equal((await diff(context, { ...outputs, renewAt: "2026-01-01T00:00:00Z" }, declared())).changes, true);
      assert.equal((await diff(context, outputs, declared({ schema: unknownValue }))).changes, true);
      assert.deepEqual((await diff(context, outputs, declared({ pullRequest: 7 }))).replaces, ["pullRequest"]);

      const { url, databaseId } = outputs.branches["acme"]!;
      await scene.opened(url, outputs.tokens["acme"]!, "INSERT INTO notes VALUES (9, 1, 'of a tester', 3)");
      const again = await previewBranch.update({ id, olds: outputs, news: declared({ expiresIn: "3d" }), context });
      assert.equal(again.branches["acme"]?.databaseId, databaseId);
      assert.deepEqual((await textsIn(scene, again, "acme")).at(-1), "of a tester");
      assert.ok(again.expiresAt! < outputs.expiresAt!);

      assert.equal(await previewBranch.delete({ id, outputs: again, context }), undefined);
      assert.deepEqual(await named("tenantry-pr-"), []);
      assert.deepEqual(await bench.sql("tenantry-registry-eu", "SELECT * FROM preview_keepers"), []);
      assert.deepEqual(await bench.sql("tenant-acme", "SELECT * FROM notes"), before);
      assert.equal(await previewBranch.delete({ id, outputs: again, context: await process() }), undefined);
    });
  });

  it("migrates its branches, fails where a tenant's data do not fit, and says so until they do", async () => {
    await withPreviewScene(async (scene) => {
      const { bench, process } = scene;
      await bench.sql("tenant-globex", "UPDATE notes SET words = -1");
      const files = {
        "0001_checked.sql":
          "CREATE TABLE checked (words INTEGER CHECK (words >= 0));\nINSERT INTO checked SELECT words FROM notes;\n",
      };
      const { ref, path: folder } = await bench.template(files);
      const context = await process();
      const failed = await create(context, declared({ schema: ref })).catch((error: unknown) => error);
      assert.ok(failed instanceof Unfinished);
      assert.match(
        failed.message,
        /^1 of 2 branches failed: globex: .*0001_checked\.sql, line 2: .*CHECK constraint failed/,
      );
      const outputs = failed.outputs as PreviewBranchOutputs;
      assert.deepEqual(
        Object.entries(outputs.branches).map(([tenant, { state, schemaVersion }]) => [tenant, state, schemaVersion]),
        [
          ["acme", "ready", "0001_checked"],
          ["globex", "migration-failed", undefined],
        ],
      );
      assert.match(outputs.report, /"migration":"0001_checked"/);
      assert.equal((await diff(context, outputs, declared({ schema: ref }))).changes, true);

      const corrected = await bench.template(
        { "0001_checked.sql": "CREATE TABLE checked (words INTEGER);\nINSERT INTO checked SELECT words FROM notes;\n" },
        { folder: folder.split("/").at(-1)! },
      );
      // On acme's branch the file was applied as it was then: only made anew it takes the other one.
      const news = declared({ schema: corrected.ref, refresh: "again" });
      const done = await previewBranch.update({ id: failed.id, olds: outputs, news, context: await process() });
      assert.deepEqual(
        Object.values(done.branches).map(({ state }) => state),
        ["ready", "ready"],
      );
    });
  });

  it("makes the branches anew from their sources for another key, and says so first", async () => {
    await withPreviewScene(async (scene) => {
      const { bench, process } = scene;
      const context = await process();
      const staging = declared({ expiresIn: undefined });
      const { id, outputs } = await create(context, staging);
      assert.equal(outputs.expiresAt, undefined);
      await scene.opened(outputs.branches["acme"]!.url, outputs.tokens["acme"]!, "DELETE FROM notes");
      await bench.sql("tenant-acme", "INSERT INTO notes VALUES (4, 1, 'new in production', 3)");
      const news = { ...staging, refresh: "monday" };
      assert.match((await diff(context, outputs, news)).note!, /made anew from their sources/);
      const fresh = await previewBranch.update({ id, olds: outputs, news, context });
      assert.deepEqual((await textsIn(scene, fresh, "acme")).at(-1), "new in production");
      assert.deepEqual(await diff(context, fresh, staging), { changes: true, note: undefined });
      const kept = await previewBranch.update({ id, olds: fresh, news: staging, context });
      assert.equal(
        kept.branches["acme"]?.databaseId,
        fresh.branches["acme"]?.databaseId,
        "the key was only taken away",
      );
    });
  });

  it("lets a branch go whose tenant is taken out, and makes one that was deleted by hand", async () => {
    await withPreviewScene(async ({ bench, process, named }) => {
      const { id, outputs } = await create(await process(), declared());
      const one = declared({ from: both.slice(0, 1) });
      const context = await process();
      const less = await previewBranch.update({ id, olds: outputs, news: one, context });
      assert.deepEqual(await named("tenantry-pr-"), [outputs.branches["acme"]!.name]);

      await bench.api.ok("DELETE", `/databases/${less.branches["acme"]!.name}`);
      assert.equal(await previewBranch.read({ id, outputs: less, context: await process() }), undefined);
      const all = await previewBranch.update({ id, olds: less, news: declared(), context: await process() });
      await bench.api.ok("DELETE", `/databases/${all.branches["globex"]!.name}`);
      const seen = await previewBranch.read({ id, outputs: all, context: await process() });
      assert.deepEqual(Object.keys(seen!.branches), ["acme"]);
      assert.equal((await diff(await process(), seen!, declared())).changes, true);
    });
  });

  it("is taken up again by a forced replacement, whose end leaves the branches; another resource is refused", async () => {
    await withPreviewScene(async ({ process, named }) => {
      const context = await process();
      const old = await create(context, declared());
      const made = await named("tenantry-pr-");
      const young = await create(context, declared());
      assert.match((await previewBranch.delete({ ...old, context })) ?? "", /^left as they are/);
      assert.deepEqual(await named("tenantry-pr-"), made);

      const place = { repository: self, pullRequest: 42 };
      const other = create(context, declared({ self: "organization/shop/pr-43/preview", ...place }));
      await assert.rejects(other, {
        code: "not-owner",
        message: /organization\/shop\/pr-42\/preview has the branches/,
      });
      await previewBranch.delete({ ...young, context });
      assert.deepEqual(await named("tenantry-pr-"), []);
    });
  });

  it("deletes only what carries its mark", async () => {
    await withPreviewScene(async ({ bench, process, named }) => {
      const context = await process();
      const { id, outputs } = await create(context, declared());
      const { name } = outputs.branches["acme"]!;
      await bench.api.ok("DELETE", `/databases/${name}`);
      await bench.api.ok("POST", "/databases", { name, group: "eu" });
      await bench.api.ok("POST", "/databases", { name: "tenantry-pr-42-not-ours", group: "eu" });
      const said = await previewBranch.delete({ id, outputs, context: await process() });
      assert.match(said ?? "", new RegExp(`^${name} is left as it is: `));
      assert.deepEqual(await named("tenantry-pr-"), [name, "tenantry-pr-42-not-ours"]);
    });
  });

  it("leaves nothing where its input is wrong, and keeps in state what a failed run has made", async () => {
    await withPreviewScene(async ({ process, named }) => {
      const missing = declared({ from: [...both, { tenant: "initech", database: "tenant-initech" }] });
      await assert.rejects(create(await process(), missing), {
        code: "database-not-found",
        message: /"tenant-initech"/,
      });
      const wrong = declared({ data: "masked", mask: { notez: { body: "keep" } } });
      await assert.rejects(create(await process(), wrong), (error: Error) => !(error instanceof Unfinished));
      assert.deepEqual(await named("tenantry-pr-"), []);

      const broken = await process(({ path }) =>
        /tenantry-pr-42-globex.*\/auth\/tokens/.test(path) ? { status: 401, text: '{"error":"not any more"}' } : "pass",
      );
      const failed = await create(broken, declared()).catch((error: unknown) => error);
      assert.ok(failed instanceof Unfinished, String(failed));
      await previewBranch.delete({
        id: failed.id,
        outputs: failed.outputs as PreviewBranchOutputs,
        context: await process(),
      });
      assert.deepEqual(await named("tenantry-pr-"), []);
    });
  });

  it("says what is wrong with its inputs before anything is asked", async () => {
    await withPreviewScene(async ({ process }) => {
      const { platform } = await process();
      const check = (more: object) =>
        previewBranch.check({
          news: { ...declared(), ...more },
          olds: undefined,
          capabilities: platform.capabilities,
          platform: "local",
        }).failures;
      assert.deepEqual(check({}), []);
      assert.deepEqual(check({ data: "masked" }), ['mask: data "masked" needs rules; {} nulls every column.']);
      assert.match(check({ mask: {} })[0]!, /^mask: there are rules, and data is "copy"/);
      assert.match(check({ data: "all" })[0]!, /^data: must be "schema-only", "copy" or "masked"\.$/);
      assert.match(check({ from: [] })[0]!, /^from: /);
      assert.match(check({ from: [both[0], both[0]] })[0]!, /^from: "acme" is named twice/);
      assert.match(check({ expiresIn: "soon" })[0]!, /^expiresIn: "soon" is not a duration/);
      assert.match(check({ schema: "app" })[0]!, /^schema: it must be a SchemaTemplate/);
      assert.match(check({ access: "read-write" })[0]!, /^local has no "read-write" tokens\. Use /);
      assert.match(check({ expireIn: "7d" })[0]!, /^expireIn: there is no such property; did you mean "expiresIn"\?/);
    });
  });

  it("finds the pull request's number in its name or its stack's", () => {
    const numbers = ["pr-42/preview", "pr-42/pr-7", "staging/copy", "pr-0/preview", "v1x/preview"].map((end) =>
      numberIn(`organization/shop/${end}`),
    );
    assert.deepEqual(numbers, [42, 7, 1, 1, 1]);
  });
});
