import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { withCountedPlatform } from "../support/counted-platform";
import { withProject } from "../support/engine";

const tenants = 200;
const migrations = 30;
/** Group, registry, template, our own token, locations: what a run costs however many tenants there are. */
const constant = 20;

const program = `
import { DatabaseToken, Group, SchemaTemplate, TenantDatabase } from "tenantry";
const eu = new Group("eu", { location: "local" });
const app = new SchemaTemplate("app", { migrations: "./migrations" });
for (let i = 1; i <= ${tenants}; i++) {
  const tenant = new TenantDatabase("tenant-" + i, { group: eu, schema: app });
  new DatabaseToken("tenant-" + i + "-reader", { database: tenant });
}
`;

const folder = Object.fromEntries(
  Array.from({ length: migrations }, (_, i) => {
    const id = String(i + 1).padStart(4, "0");
    return [`migrations/${id}_table_${i}.sql`, `CREATE TABLE t${i} (id INTEGER PRIMARY KEY, body TEXT);\n`];
  }),
);

/** The file backend writes the whole state at each step; here it is written once, at the end of a command. */
const oneCheckpoint = { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" };

describe("what a fleet costs", () => {
  it(`${tenants} tenants with a token each, at 50 ms a call: calls and bytes of state`, async function () {
    this.timeout(600_000);
    await withCountedPlatform({ latency: 50 }, async (platform) => {
      const files = { "index.ts": program, ...folder };
      await withProject({ files, env: { ...platform.env, ...oneCheckpoint } }, async (project) => {
        const parallel = { args: ["--parallel", "16"] };
        const created = await platform.during(() => project.up(parallel));
        assert.deepEqual(created.result.counts, { create: 2 * tenants + 2 });
        const mints = created.asked.control.filter(({ path }) => /\/databases\/[^/]+\/auth\/tokens$/.test(path));
        assert.equal(mints.length, tenants);
        const others = created.asked.control.length - mints.length;
        assert.ok(others <= tenants + constant, `${others} control-plane calls beside the tokens`);
        const sizes = await resourceSizes(project);
        assert.equal(sizes.length, tenants);
        assert.ok(Math.max(...sizes) <= 2_600, `a tenant takes up to ${Math.max(...sizes)} bytes of state`);

        // With its preview.
        const whole = { args: [...parallel.args, "--skip-preview=false"] };
        const unchanged = await platform.during(() => project.up(whole));
        assert.match(unchanged.result.output, /^Previewing update/m);
        assert.deepEqual(unchanged.result.counts, { same: 2 * tenants + 2 });
        assert.deepEqual(unchanged.asked.all, []);
        // With its preview, for which the engine starts a second provider process.
        const refreshed = await platform.during(() => project.pulumi(["refresh", "--yes", "--stack", project.stack]));
        assert.equal(refreshed.result.code, 0, refreshed.result.output);
        const lists = refreshed.asked.control.filter(({ path }) => path.endsWith("/databases"));
        assert.equal(lists.length, 2, "one page for each process");
        assert.ok(refreshed.asked.control.length <= constant, `${refreshed.asked.control.length} control-plane calls`);

        const destroyed = await platform.during(() => project.destroy(parallel));
        assert.deepEqual(destroyed.result.counts, { delete: 2 * tenants + 2 });
        assert.ok(destroyed.asked.control.length <= tenants + constant);
      });
    });
  });
});

/** Bytes of each tenant's entry in the backend's file, without the white space between its parts. */
async function resourceSizes(project: { stateFile(): Promise<{ text: string }> }): Promise<number[]> {
  const { checkpoint } = JSON.parse((await project.stateFile()).text) as {
    checkpoint: { latest: { resources: { type: string }[] } };
  };
  return checkpoint.latest.resources
    .filter(({ type }) => type.endsWith(":TenantDatabase"))
    .map((resource) => Buffer.byteLength(JSON.stringify(resource)));
}
