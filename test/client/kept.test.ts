import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { inspectClaims } from "../../provider/registry/inspect";
import { registryName } from "../../provider/registry/reserved-names";
import { findTrash } from "../../provider/registry/trash";
import { untrash } from "../../provider/registry/untrash";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseInputs } from "../../provider/resources/tenant-database/inputs";
import { candidates } from "../../sdk/cli/preview/selection";
import type { Ground } from "../../sdk/cli/schema/ground";
import { createTenantry } from "../../sdk/client";
import type * as Tenantry from "../../sdk";
import { type Bench, addressOf, tenant, withBench } from "../support/bench";
import { runCli } from "../cli/run-cli";

const make = async (bench: Bench, name: string, more: Partial<TenantDatabaseInputs> = {}) =>
  tenantDatabase.create({ inputs: tenant(name, more), context: bench.context() });

type Made = Awaited<ReturnType<typeof make>>;

const change = async (bench: Bench, { id, outputs }: Made, name: string, more: Partial<TenantDatabaseInputs>) => {
  const news = tenant(name, { self: addressOf(outputs.name), onReplace: "copy", ...more });
  return { id, outputs: await tenantDatabase.update({ id, olds: outputs, news, context: bench.context() }) };
};

const remove = async (bench: Bench, made: Made) => tenantDatabase.delete({ ...made, context: bench.context() });

const soft = { deletionPolicy: "soft" } as const;

async function visited({ platform: { url, apiToken } }: Bench, where: object = {}): Promise<string[]> {
  const tenantry = createTenantry({ platform: "local", apiUrl: url, token: apiToken, access: "full-access" });
  const names: string[] = [];
  for await (const { tenant: one } of tenantry.forEachTenant(() => 1, { where })) names.push(one.name);
  return names.sort();
}

/** What Tenantry keeps of every kind, beside tenants that are closed for other reasons. */
async function withKept(use: (bench: Bench) => Promise<void>): Promise<void> {
  await withBench(async (bench) => {
    for (const name of ["us", "strange"]) await bench.api.ok("POST", "/groups", { name, location: "aws-us-east-1" });
    await make(bench, "acme");
    await make(bench, "dock", { suspended: true });
    await remove(bench, await make(bench, "bolt", soft));
    await change(bench, await make(bench, "corp", soft), "corporation", soft);
    await change(bench, await make(bench, "elba"), "elba", { group: "us" });
    await change(bench, await make(bench, "fern"), "fern-us", { group: "us" });
    // Of a group that has no registry.
    await bench.api.ok("POST", "/databases", { name: "closed", group: "strange" });
    await bench.api.ok("PATCH", "/databases/closed/configuration", { block_reads: true, block_writes: true });
    const moved = (await bench.databases()).find((name) => name.startsWith("elba-move-"));
    const all = ["acme", "bolt", "closed", "corp", "corporation", "dock", "elba", moved!, "fern", "fern-us"];
    assert.deepEqual((await bench.databases()).sort(), all.sort());
    await use(bench);
  });
}

const tenants = ["acme", "closed", "corporation", "dock", "elba", "fern-us"];

describe("databases that are kept for a while", function () {
  this.timeout(60_000);

  it("are no tenants to an application, to a program or to the command line; whoever is suspended is one", async () => {
    await withKept(async (bench) => {
      assert.deepEqual(await visited(bench), tenants);
      assert.deepEqual(await visited(bench, { group: "eu" }), ["acme", "corporation", "dock"]);
      const { url, apiToken } = bench.platform;
      const env = { TENANTRY_PLATFORM: "local", TENANTRY_API_URL: url, TENANTRY_API_TOKEN: apiToken };
      const { stdout } = await runCli(["each", "SELECT 1", "--json"], { cwd: "/", env });
      const each = stdout.trimEnd().split("\n");
      assert.deepEqual(each.map((line) => (JSON.parse(line) as { tenant: string }).tenant).sort(), tenants);
      const { stdout: endings } = await runCli(["reap", "--json"], { cwd: "/", env });
      const shown = (JSON.parse(endings) as { databases: { name: string }[] }).databases.map(({ name }) => name);
      assert.deepEqual(shown.map((name) => name.replace(/-move-.*/, "-move")).sort(), [
        "bolt",
        "corp",
        "elba-move",
        "fern",
      ]);

      const branched = await candidates({ context: bench.context() } as Ground, {});
      assert.deepEqual(branched.map(({ name }) => name).sort(), tenants);

      const before = { ...process.env };
      try {
        Object.assign(process.env, env);
        // As built, since what it imports late is a file of JavaScript.
        const { getSchemaDrift, listTenants } = createRequire(__filename)("../../dist/sdk") as typeof Tenantry;
        assert.deepEqual((await listTenants()).map(({ name }) => name).sort(), tenants);
        assert.deepEqual((await listTenants({ group: "us" })).map(({ name }) => name).sort(), ["elba", "fern-us"]);
        const { path: migrations } = await bench.template({ "0001_notes.sql": "CREATE TABLE notes (text TEXT);" });
        const drift = await getSchemaDrift({ migrations: migrations!, group: "us" });
        assert.deepEqual(drift.map((one) => one.tenant).sort(), ["elba", "fern-us"]);
      } finally {
        process.env = before;
      }
    });
  });

  it("are tenants again when they are restored, or opened by hand", async () => {
    await withKept(async (bench) => {
      const { platform, registrySql } = bench.context();
      const sql = (await registrySql("eu"))!;
      const claim = (await inspectClaims(sql)).find(({ name }) => name === "bolt")!;
      await untrash(platform, sql, claim, (await findTrash(sql, "bolt"))!);
      await bench.api.ok("PATCH", "/databases/corp/configuration", { block_reads: false });
      assert.deepEqual(await visited(bench), [...tenants, "bolt", "corp"].sort());
    });
  });

  it("are rather told of than a tenant forgotten, where the registry does not answer", async () => {
    await withKept(async (bench) => {
      await bench.api.ok("DELETE", `/databases/${registryName("us")}`);
      await bench.sql(registryName("eu"), "ALTER TABLE claims RENAME COLUMN state TO lost");
      assert.deepEqual(await visited(bench), await bench.databases());
    });
  });
});
