import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { TenantryError, type ErrorCode } from "../../provider/platform/errors";
import { previewDown } from "../../provider/preview/down";
import { previewUp } from "../../provider/preview/up";
import { mint } from "../local/api-caller";
import { isSqlOf } from "../support/scene";
import type { LineCall } from "../support/faulty-line";
import { of, withPreviewScene } from "./preview-scene";

const isCreate = ({ method, path }: LineCall): boolean => method === "POST" && path.endsWith("/databases");
const isBranchCreate = (call: LineCall): boolean => isCreate(call) && call.body.includes("tenantry-pr-");
const nameIn = ({ body }: LineCall): string => (JSON.parse(body) as { name: string }).name;

const failsWith = (work: Promise<unknown>, code: ErrorCode, words: RegExp): Promise<void> =>
  assert.rejects(work, (error) => {
    assert.ok(error instanceof TenantryError, String(error));
    assert.deepEqual([error.code, words.test(error.message)], [code, true], error.message);
    return true;
  });

describe("A preview never is production", function () {
  this.timeout(120_000);

  for (const [what, more] of [
    ["id and host", {}],
    ["host alone", { DbId: "00000000-1111-2222-3333-444444444444" }],
  ] as const) {
    it(`where the platform answers the source's own ${what}`, async () => {
      await withPreviewScene(async ({ bench, order, process, named }) => {
        const source = (await bench.api.ok<{ database: object }>("GET", "/databases/tenant-acme")).database;
        const context = await process((call) => {
          if (!isBranchCreate(call) || !nameIn(call).includes("-acme-")) return "pass";
          return { status: 200, text: JSON.stringify({ database: { ...source, ...more, Name: nameIn(call) } }) };
        });
        await failsWith(
          previewUp(context, order()),
          "bad-answer",
          /is that of its source "tenant-acme", so it is not handed out/,
        );
        assert.deepEqual(await bench.databases(), ["tenant-acme", "tenant-globex"]);
        assert.equal((await bench.sql("tenant-acme", "SELECT * FROM users")).length, 2);
        assert.deepEqual(await named("tenantry-pr-"), [], "the other tenant's branch is taken back");
      });
    });
  }

  it("nor another tenant's: whatever database the platform answers, it must be a new one", async () => {
    await withPreviewScene(async ({ bench, order, process, named }) => {
      const other = (await bench.api.ok<{ database: object }>("GET", "/databases/tenant-globex")).database;
      const context = await process((call) =>
        isBranchCreate(call)
          ? { status: 200, text: JSON.stringify({ database: { ...other, Name: nameIn(call) } }) }
          : "pass",
      );
      const only = order({ tenants: [{ tenant: "acme", source: "tenant-acme" }] });
      await failsWith(
        previewUp(context, only),
        "bad-answer",
        /its id is that of "tenant-globex", so it is not handed out/,
      );
      assert.deepEqual(await bench.databases(), ["tenant-acme", "tenant-globex"]);
      assert.deepEqual(await named("tenantry-pr-"), []);
    });
  });

  it("where its name leads to the source: nothing is deleted by that name, now or later", async () => {
    await withPreviewScene(
      async ({ bench, order, process }) => {
        const source = (await bench.api.ok<{ database: object }>("GET", "/databases/tenant-acme")).database;
        const deletes: string[] = [];
        let isMade = false;
        const fate = (call: LineCall) => {
          if (call.method === "DELETE" && call.path.includes("/databases/")) deletes.push(call.path);
          const isAbout = isBranchCreate(call) || call.path.includes("/databases/tenantry-pr-");
          isMade ||= isBranchCreate(call);
          if (!isAbout || !isMade) return "pass" as const;
          const name = isBranchCreate(call) ? nameIn(call) : call.path.split("/").at(-1);
          return { status: 200, text: JSON.stringify({ database: { ...source, Name: name } }) };
        };
        const context = await process(fate);
        await failsWith(previewUp(context, order()), "bad-answer", /its id is that of its source/);
        const down = await previewDown(context, { repository: "shop/app", pullRequest: 42, group: "eu" });
        assert.deepEqual(deletes, []);
        assert.deepEqual(down.deleted, []);
        assert.equal((await bench.sql("tenant-acme", "SELECT * FROM users")).length, 2);
      },
      { tenants: ["acme"] },
    );
  });

  it("where a token of its opens the source: it is not handed out, and what was made is deleted", async () => {
    await withPreviewScene(async ({ bench, order, process, named }) => {
      const wide = await mint(bench.api, "groups/eu");
      const context = await process((call) =>
        /\/databases\/tenantry-pr-42-globex-\w+\/auth\/tokens/.test(call.path)
          ? { status: 200, text: JSON.stringify({ jwt: wide }) }
          : "pass",
      );
      await failsWith(previewUp(context, order()), "bad-answer", /its token opens its source "tenant-globex" too/);
      assert.deepEqual(await named("tenantry-pr-"), []);
      assert.deepEqual(await bench.databases(), ["tenant-acme", "tenant-globex"]);
    });
  });

  it("where the source cannot be asked: the token is not handed out", async () => {
    await withPreviewScene(
      async ({ order, process, bench }) => {
        await bench.api.ok("PATCH", "/databases/tenant-acme/configuration", { block_reads: true });
        await failsWith(previewUp(await process(), order()), "invalid-input", /"tenant-acme" is closed to reads/);
        await bench.api.ok("PATCH", "/databases/tenant-acme/configuration", { block_reads: false });
        // What answers in the source's place says nothing about the token.
        const context = await process((call) =>
          isSqlOf(call, "tenant-acme") ? { status: 404, text: JSON.stringify({ error: "not here" }) } : "pass",
        );
        const { report, tokens } = await previewUp(context, order());
        assert.match(
          report.branches[0]!.error!.message,
          /Whether "tenant-acme" refuses the token of its branch could not be seen/,
        );
        assert.equal(tokens.size, 0);
        assert.equal((await previewUp(await process(), order())).tokens.size, 1, "the next run goes on with it");
      },
      { tenants: ["acme"] },
    );
  });
});

describe("A preview and others", function () {
  this.timeout(120_000);

  it("refuses a stranger who has a branch's name, or takes it in the same moment, and touches nothing of it", async () => {
    await withPreviewScene(
      async ({ bench, order, process, named }) => {
        let name = "";
        const context = await process(async (call) => {
          if (isBranchCreate(call) && name === "") {
            name = nameIn(call);
            await bench.api.ok("POST", "/databases", { name, group: "eu" });
            await bench.sql(name, "CREATE TABLE theirs (x)");
          }
          return "pass" as const;
        });
        const { report, tokens } = await previewUp(context, order());
        assert.match(
          report.branches[0]!.error!.message,
          /somebody has a database of that name, which is not this branch/,
        );
        assert.equal(tokens.size, 0);
        await failsWith(previewUp(await process(), order()), "already-exists", /somebody has a database of that name/);
        assert.deepEqual(await previewDown(await process(), of), { deleted: [], left: [] });
        assert.deepEqual(await named("tenantry-pr-"), [name]);
        assert.equal((await bench.sql(name, "SELECT count(*) AS n FROM theirs"))[0]!["n"], 0);
      },
      { tenants: ["acme"] },
    );
  });

  it("keeps two repositories with one number apart", async () => {
    await withPreviewScene(
      async ({ order, process, named }) => {
        const one = await previewUp(await process(), order());
        const other = await previewUp(await process(), order({ repository: "shop/admin" }));
        assert.notEqual(one.report.branches[0]!.branch, other.report.branches[0]!.branch);
        await previewDown(await process(), of);
        assert.deepEqual(await named("tenantry-pr-"), [other.report.branches[0]!.branch]);
        await previewDown(await process(), { ...of, repository: "shop/admin" });
        assert.deepEqual(await named("tenantry-pr-"), []);
      },
      { tenants: ["acme"] },
    );
  });

  it("says before the first create that not all of them have room, and makes none", async () => {
    await withPreviewScene(async ({ order, process, bench }) => {
      const made: string[] = [];
      const context = await process((call) => {
        if (isBranchCreate(call)) made.push(nameIn(call));
        if (!/\/plans$/.test(call.path)) return "pass";
        // Two tenants and the registry are there: one more has room.
        const quotas = { databases: 4, groups: null };
        return { status: 200, text: JSON.stringify({ plans: [{ name: "local", quotas }] }) };
      });
      await failsWith(
        previewUp(context, order()),
        "plan-refused",
        /^shop\/app#42: 2 databases would be made, and the plan "local" has room for 1: 3 of 4 are used\. Nothing was made\./,
      );
      assert.deepEqual(made, []);
      assert.deepEqual(await bench.sql("tenantry-registry-eu", "SELECT * FROM claims"), []);
      const one = order({ tenants: [{ tenant: "acme", source: "tenant-acme" }] });
      await failsWith(
        previewUp(context, { ...one, data: "masked", mask: {} }),
        "plan-refused",
        /^shop\/app#42: 2 databases/,
      );
      assert.equal((await previewUp(context, one)).tokens.size, 1);
      // What is there counts once.
      assert.equal((await previewUp(context, { ...one, reset: true })).tokens.size, 1);
    });
  });

  it("takes back what it has made where the platform has no room after all", async () => {
    await withPreviewScene(async ({ order, process, named }) => {
      const context = await process((call) =>
        isBranchCreate(call) && nameIn(call).includes("-globex-")
          ? { status: 402, text: JSON.stringify({ error: "database limit reached" }) }
          : "pass",
      );
      await failsWith(previewUp(context, order()), "plan-refused", /limit reached/);
      assert.deepEqual(await named("tenantry-pr-"), []);
    });
  });
});
