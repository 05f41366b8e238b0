import assert from "node:assert/strict";
import { type PreviewTenant, encodePreview } from "../../provider/preview/value";
import type { RequestEntry } from "../../provider/local";
import { type TenantryOptions, createTenantry, subjectName } from "../../sdk/client";
import { createTenantry as createOnEdge } from "../../sdk/client/edge";
import { mint } from "../local/api-caller";
import { type Bench, withBench } from "../support/bench";

const later = "2999-01-01T00:00:00.000Z";

interface Preview {
  readonly bench: Bench;
  /** The value for some of the branches: tenant's id -> what is other than usual. */
  value(tenants: Record<string, Partial<PreviewTenant>>): string;
  /** Calls that arrived since the last time. */
  asked(): string[];
}

/** acme and bolt, each with a branch that has a row of its own. */
async function withPreview(use: (preview: Preview) => Promise<void>): Promise<void> {
  let entries: RequestEntry[] = [];
  await withBench(
    async (bench) => {
      const branches: Record<string, PreviewTenant> = {};
      for (const tenant of ["acme", "bolt"]) {
        for (const name of [tenant, `pr-7-${tenant}`]) {
          await bench.api.ok("POST", "/databases", { name, group: "eu" });
          await bench.sql(name, `CREATE TABLE notes AS SELECT 'of ${name}' AS text`);
        }
        const branch = `pr-7-${tenant}`;
        branches[tenant] = {
          url: bench.platform.databaseUrl(branch),
          token: await mint(bench.api, `databases/${branch}`),
          databaseId: await bench.databaseId(branch),
          expiresAt: later,
        };
      }
      entries = [];
      await use({
        bench,
        value: (given) => {
          const of = (tenant: string) => branches[tenant] ?? branches["acme"]!;
          const all = Object.entries(given).map(([tenant, other]) => [tenant, { ...of(tenant), ...other }]);
          const tenants = Object.fromEntries(all) as Record<string, PreviewTenant>;
          return encodePreview({ v: 1, repository: "acme/shop", pullRequest: 7, tenants });
        },
        asked: () => entries.splice(0).map(({ method, path }) => `${method} ${path}`),
      });
    },
    { onRequest: (entry) => entries.push(entry) },
  );
}

/** With the variable, as an application has it that knows nothing of previews. */
async function started<Value>(preview: string, use: () => Promise<Value> | Value): Promise<Value> {
  process.env["TENANTRY_PREVIEW"] = preview;
  try {
    return await use();
  } finally {
    delete process.env["TENANTRY_PREVIEW"];
  }
}

const textIn = async (tenantry: ReturnType<typeof createTenantry>, tenant: string): Promise<unknown> =>
  (await (await tenantry.connect(tenant)).execute("SELECT text FROM notes")).rows[0]?.["text"];

describe("an application with TENANTRY_PREVIEW", () => {
  it("opens the branches, whatever it is configured for, and asks no platform", async () => {
    await withPreview(async ({ bench, value, asked }) => {
      const { url: apiUrl, apiToken } = bench.platform;
      const configured: TenantryOptions = { platform: "local", apiUrl, token: apiToken, access: "full-access" };
      const own = {
        urlFor: () => bench.platform.databaseUrl("acme"),
        tokenFor: () => assert.fail("asked for a token"),
      };
      for (const options of [configured, {}, own]) {
        const tenantry = await started(value({ acme: {}, bolt: {} }), () => createTenantry(options));
        assert.equal(await textIn(tenantry, "acme"), "of pr-7-acme");
        assert.equal(await textIn(tenantry, "bolt"), "of pr-7-bolt");
        assert.equal(await tenantry.connect("acme"), await tenantry.connect("acme"), "one client for all who ask");
      }
      assert.deepEqual(
        asked().filter((call) => !/ \/db\/pr-7-(?:acme|bolt)\//.test(call)),
        [],
      );
      // The reverse: without it, the tenant itself.
      assert.equal(await textIn(createTenantry(configured), "acme"), "of acme");
    });
  });

  it("refuses every source and everything that is not in the value", async () => {
    await withPreview(async ({ bench, value, asked }) => {
      const { url: apiUrl, apiToken: token } = bench.platform;
      const tenantry = await started(value({ acme: {} }), () => createTenantry({ platform: "local", apiUrl, token }));
      const refused = { code: "wrong-scope", message: /pull request 7 of acme\/shop/ };
      await assert.rejects(tenantry.connect("bolt"), {
        ...refused,
        message:
          "bolt: the preview of pull request 7 of acme/shop has no branch of this tenant; there is acme. " +
          "Name it in `tenantry preview up`. Its own database is not opened while TENANTRY_PREVIEW is set.",
      });
      for (const name of ["toString", "__proto__", "pr-7-acme"]) await assert.rejects(tenantry.connect(name), refused);
      await assert.rejects(tenantry.connect({ subject: "acme" }), refused);
      await assert.rejects(tenantry.connectionString("acme"), refused);
      await assert.rejects(tenantry.provision("ada", { group: "eu" }), refused);
      await assert.rejects(tenantry.deprovision("ada", { erase: true }), refused);
      await assert.rejects(tenantry.usage(), refused);
      assert.deepEqual(asked(), []);
    });
  });

  it("goes through its branches only, when all tenants are meant", async () => {
    await withPreview(async ({ value, asked }) => {
      const tenants = { acme: { labels: { ring: "own" } }, bolt: {}, corp: { labels: { ring: "own" } } };
      const tenantry = await started(value({ bolt: {}, acme: {} }), () => createTenantry({ tenants }));
      const seen = async (options?: Parameters<typeof tenantry.forEachTenant>[1]): Promise<unknown[]> => {
        const results: unknown[] = [];
        const read = (db: Awaited<ReturnType<typeof tenantry.connect>>) => db.execute("SELECT text FROM notes");
        for await (const one of tenantry.forEachTenant(read, { ...options, concurrency: 1 })) {
          results.push([one.tenant.id, one.ok ? one.value.rows[0]?.["text"] : one.error.message]);
        }
        return results;
      };
      const [acme, bolt] = [
        ["acme", "of pr-7-acme"],
        ["bolt", "of pr-7-bolt"],
      ];
      assert.deepEqual(await seen(), [acme, bolt]);
      assert.deepEqual(await seen({ where: { labels: { ring: "own" } } }), [acme]);
      assert.deepEqual(await seen({ where: { tenants: ["bolt", "corp"] } }), [bolt]);
      await assert.rejects(seen({ where: { group: "eu" } }), { message: /does not know which group acme is in/ });
      assert.ok(asked().every((call) => call.includes("/db/pr-7-")));
    });
  });

  it("finds a branch by the subject's database, or by the name that the application gives a tenant's", async () => {
    await withPreview(async ({ value }) => {
      const preview = value({ [await subjectName("ada")]: {}, acme: {}, bolt: {} });
      const tenants = { "4711": { name: "bolt" }, corp: { name: "acme" }, acme: { name: "other" } };
      const tenantry = await started(preview, () => createTenantry({ tenants }));
      await (await tenantry.connect({ subject: "ada" })).execute("SELECT 1");
      assert.equal(await textIn(tenantry, "4711"), "of pr-7-bolt");
      assert.equal(await textIn(tenantry, "acme"), "of pr-7-acme");
      // "acme" is another tenant's id, and that tenant's branch.
      await assert.rejects(tenantry.connect("corp"), { code: "wrong-scope" });
    });
  });

  it("says when its token has ended, and that it was refused, and shows none", async () => {
    await withPreview(async ({ bench, value }) => {
      const ended = await started(value({ acme: { expiresAt: "2026-01-01T00:00:00.000Z" } }), () => createTenantry());
      await assert.rejects(ended.connect("acme"), {
        code: "expired",
        message:
          "acme: the token of its preview branch ended at 2026-01-01T00:00:00.000Z. " +
          "Run `tenantry preview up` for pull request 7 of acme/shop again, and start with the TENANTRY_PREVIEW that it gives.",
      });

      const tenantry = await started(value({ acme: {} }), () => createTenantry());
      const db = await tenantry.connect("acme");
      await bench.api("POST", "/databases/pr-7-acme/auth/rotate");
      await assert.rejects(db.execute("SELECT 1"), (error: Error) => {
        assert.match(
          error.message,
          /^acme: its preview branch refuses the token \(401\)\. It was deleted or made anew\./,
        );
        assert.doesNotMatch(error.message, /eyJ/);
        return true;
      });

      // It holds for one branch alone: not for its source.
      const source = bench.platform.databaseUrl("acme");
      const bent = await started(value({ bolt: { url: source } }), () => createTenantry());
      await assert.rejects((await bent.connect("bolt")).execute("SELECT 1"), { code: "credentials-rejected" });
    });
  });

  it("does not start with a value that is nonsense, or empty: it would open the tenants themselves", async () => {
    await withPreview(async ({ bench }) => {
      const { url: apiUrl, apiToken: token } = bench.platform;
      for (const text of ["", " ", "secret", "{}", "e30"]) {
        const attempt = started(text, () => createTenantry({ platform: "local", apiUrl, token }));
        await assert.rejects(attempt, (error: Error) => {
          assert.match(error.message, /^TENANTRY_PREVIEW: this is not what `tenantry preview up` wrote/);
          assert.ok(!error.message.includes("secret"));
          return true;
        });
      }
    });
  });

  it("does the same without Node.js, where the value is given", async () => {
    await withPreview(async ({ value }) => {
      const tenantry = createOnEdge({ preview: value({ acme: {} }) });
      assert.equal(await textIn(tenantry, "acme"), "of pr-7-acme");
      await assert.rejects(tenantry.connect("bolt"), { code: "wrong-scope" });
      assert.throws(() => createOnEdge({ preview: "" }), { code: "invalid-input" });
    });
  });
});
