import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { TenantryError } from "../../provider/platform/errors";
import { previewDown } from "../../provider/preview/down";
import { previewUp } from "../../provider/preview/up";
import { of, withPreviewScene } from "./preview-scene";

describe("A pull request's branches", function () {
  this.timeout(120_000);

  it("are copies with a token each that opens nothing else, and are gone when taken down", async () => {
    await withPreviewScene(async ({ bench, order, process, opened, named }) => {
      const { report, tokens } = await previewUp(await process(), order());
      assert.deepEqual(
        report.branches.map(({ tenant, state, created }) => [tenant, state, created]),
        [
          ["acme", "ready", true],
          ["globex", "ready", true],
        ],
      );
      const [acme, globex] = report.branches;
      assert.match(acme!.branch, /^tenantry-pr-42-acme-[0-9a-f]{12}$/);
      assert.notEqual(acme!.databaseId, await bench.databaseId("tenant-acme"));
      const { token } = tokens.get("acme")!;
      const rows = await opened(acme!.url, token, "SELECT email FROM users ORDER BY id");
      assert.deepEqual(
        rows.map(({ email }) => email),
        ["ada@acme.test", "bob@acme.test"],
      );
      const refused = (url: string) =>
        assert.rejects(
          opened(url, token, "SELECT 1"),
          (error) => error instanceof TenantryError && error.code === "credentials-rejected",
        );
      await refused(bench.platform.databaseUrl("tenant-acme"));
      await refused(bench.platform.databaseUrl("tenant-globex"));
      await refused(globex!.url);
      assert.deepEqual(await bench.databases(), ["tenant-acme", "tenant-globex"]);

      const down = await previewDown(await process(), of);
      assert.deepEqual(down, { deleted: [acme!.branch, globex!.branch], left: [] });
      assert.deepEqual(await named("tenantry-pr-"), []);
      assert.deepEqual(await previewDown(await process(), of), { deleted: [], left: [] });
      assert.deepEqual(await bench.sql("tenantry-registry-eu", "SELECT * FROM claims"), []);
      assert.deepEqual(await bench.sql("tenantry-registry-eu", "SELECT * FROM previews"), []);
    });
  });

  it("have the schema alone where no rows are wanted", async () => {
    await withPreviewScene(async ({ order, process, opened }) => {
      const { report, tokens } = await previewUp(await process(), order({ data: "schema-only" }));
      const { url } = report.branches[0]!;
      const { token } = tokens.get("acme")!;
      const counts = await opened(
        url,
        token,
        "SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM notes) AS n",
      );
      assert.deepEqual(counts, [{ n: 0 }]);
      await opened(url, token, "INSERT INTO users VALUES (7, 'x@y.test', 'X', '')");
      await opened(url, token, "INSERT INTO notes VALUES (1, 7, 'found', 1)");
      assert.deepEqual(await opened(url, token, "SELECT rowid FROM note_search WHERE note_search MATCH 'found'"), [
        { rowid: 1 },
      ]);
    });
  });

  it("hold no value that a mask keeps out of sight, not even in an index", async () => {
    await withPreviewScene(async ({ order, process, opened, named }) => {
      const mask = { users: { code: "keep", email: "hash" }, notes: { words: "keep" } } as const;
      const { report, tokens, notes } = await previewUp(await process(), order({ data: "masked", mask }));
      assert.deepEqual(
        report.branches.map(({ state, error }) => [state, error]),
        [
          ["ready", null],
          ["ready", null],
        ],
      );
      const { url } = report.branches[0]!;
      const { token } = tokens.get("acme")!;
      const users = await opened(url, token, "SELECT * FROM users ORDER BY id");
      assert.deepEqual(
        users.map(({ id, name, code }) => [id, name, code]),
        [
          [1, null, "c1"],
          [2, null, "c2"],
        ],
      );
      for (const { email } of users) assert.match(String(email), /^[0-9a-f]{24}$/);
      const rows = await opened(url, token, "SELECT * FROM notes ORDER BY id");
      assert.deepEqual(
        rows.map(({ user_id, body, words }) => [user_id, body, words]),
        [
          [1, null, 3],
          [2, null, 0],
          [1, null, 1],
        ],
      );
      assert.deepEqual(
        await opened(url, token, "SELECT rowid FROM note_search WHERE note_search MATCH 'secretword'"),
        [],
      );
      const held = await opened(url, token, "SELECT group_concat(hex(block)) AS all_of_it FROM note_search_data");
      assert.ok(!String(held[0]!["all_of_it"]).includes(Buffer.from("secretword").toString("hex").toUpperCase()));
      assert.ok(notes.get("acme")!.includes("users.id: whole numbers kept, the rest hashed, since rows hang on it"));
      assert.equal((await named("tenantry-pr-")).length, 2, "nothing is left of the copies that rows came from");
    });
  });
});
