import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type Asked, type CountedPlatform, withCountedPlatform } from "../support/counted-platform";
import { type Project, type Run, withProject } from "../support/engine";

/** The program reads what it declares, so that each step of the story is a change of data. */
const program = `
import { readFileSync } from "node:fs";
import { DatabaseToken, Group, SchemaTemplate, TenantDatabase } from "tenantry";

const { tenants, readers } = JSON.parse(readFileSync("fleet.json", "utf8"));
const eu = new Group("eu", { location: "local" });
const app = new SchemaTemplate("app", { migrations: "./migrations" });
const declared: Record<string, TenantDatabase> = {};
for (const { resource, alias, schemaless, ...args } of tenants) {
  const aliases = alias === undefined ? [] : [{ name: alias }];
  const schema = schemaless ? undefined : app;
  declared[resource] = new TenantDatabase(resource, { group: eu, schema, ...args }, { aliases });
}
for (const name of readers) new DatabaseToken(name + "-reader", { database: declared[name] });
`;

interface Tenant {
  resource: string;
  alias?: string;
  schemaless?: boolean;
  blockWrites?: boolean;
  adopt?: string;
  deletionPolicy?: string;
}

const names = Array.from({ length: 50 }, (_, i) => `t${String(i + 1).padStart(2, "0")}`);
const readers = names.slice(10, 15);
/** A group, its template and the tokens. */
const others = 2 + readers.length;
/** What one process mints for the SQL it runs itself. */
const ownToken = { "POST groups/eu/auth/tokens": 1 };

/** The file backend writes the whole state at each step; here it is written once, at the end of a command. */
const oneCheckpoint = { PULUMI_EXPERIMENTAL: "true", PULUMI_SKIP_CHECKPOINTS: "true" };

describe("the life of a fleet of 50 tenants, through pulumi commands", () => {
  it("does what each step asks and nothing else, and loses no database", async function () {
    this.timeout(600_000);
    await withCountedPlatform({}, async (platform) => {
      const files = { "index.ts": program, "migrations/0001_init.sql": "CREATE TABLE notes (body TEXT);\n" };
      await withProject({ files, env: { ...platform.env, ...oneCheckpoint } }, async (project) => {
        await live(platform, project);
      });
    });
  });
});

async function live(platform: CountedPlatform, project: Project): Promise<void> {
  let tenants: Tenant[] = names.map((resource) => ({ resource }));
  /** Databases that must be there with the row that was written into them, by name. */
  const alive = new Map<string, string>();

  const declare = async (change: (tenant: Tenant) => Tenant | undefined, more: Tenant[] = []): Promise<void> => {
    tenants = [...tenants.flatMap((tenant) => change(tenant) ?? []), ...more];
    await project.write({ "fleet.json": JSON.stringify({ tenants, readers }) });
  };
  const only = (resources: string[], settings: Partial<Tenant>) => (tenant: Tenant) =>
    resources.includes(tenant.resource) ? { ...tenant, ...settings } : tenant;
  const without = (resources: string[]) => (tenant: Tenant) =>
    resources.includes(tenant.resource) ? undefined : tenant;

  /** A command, what it must have done, and that all that was there still is. */
  const step = async (
    what: string,
    command: () => Promise<Run>,
    expected: { counts: Run["counts"]; writes: Asked["writes"] },
  ): Promise<Run> => {
    const { result, asked } = await platform.during(command);
    assert.deepEqual(result.counts, expected.counts, `${what}: operations\n${result.output}`);
    assert.deepEqual(asked.writes, expected.writes, `${what}: changes on the platform`);
    await intact(what);
    return result;
  };
  const up = (args: string[] = []) => project.up({ args: ["--parallel", "16", ...args] });

  const write = async (name: string): Promise<void> => {
    await platform.sql("eu", name, `INSERT INTO notes (body) VALUES ('of ${name}')`);
    alive.set(name, `of ${name}`);
  };
  const intact = async (what: string): Promise<void> => {
    const listed = await platform.api.ok<{ databases: { Name: string }[] }>("GET", "/databases?limit=1000");
    const present = listed.databases.map(({ Name }) => Name).filter((name) => !name.startsWith("tenantry-"));
    assert.deepEqual(present.sort(), [...alive.keys()].sort(), `${what}: databases on the platform`);
    const rows = [...alive.keys()].map((name) => platform.sql("eu", name, "SELECT body FROM notes"));
    const written = [...alive.values()].map((body) => [{ body }]);
    assert.deepEqual(await Promise.all(rows), written, `${what}: rows of ${[...alive.keys()].join(", ")}`);
  };
  const urn = (name: string): string =>
    `urn:pulumi:${project.stack}::test-project::pulumi-nodejs:dynamic/tenantry:TenantDatabase::${name}`;

  await declare((tenant) => tenant);
  // Rows come after the databases, so there is nothing to look for yet.
  const first = await platform.during(() => up());
  assert.deepEqual(first.result.counts, { create: names.length + others });
  const { "POST databases": made, ...minted } = first.asked.writes;
  assert.equal(made, names.length + 2, "the tenants, the registry and the template");
  assert.deepEqual(minted, {
    "POST groups": 1,
    ...ownToken,
    ...Object.fromEntries(readers.map((name) => [`POST databases/${name}/auth/tokens`, 1])),
  });
  await Promise.all(names.map(write));
  await intact("up");

  const frozen = names.slice(0, 5);
  await declare(only(frozen, { blockWrites: true }));
  await step("configuration of five", up, {
    counts: { update: 5, same: names.length - 5 + others },
    // The registry says whether they were handed over meanwhile.
    writes: { ...ownToken, ...Object.fromEntries(frozen.map((name) => [`PATCH databases/${name}/configuration`, 1])) },
  });

  await project.write({ "migrations/0002_authors.sql": "ALTER TABLE notes ADD COLUMN author TEXT;\n" });
  const preview = await project.preview();
  assert.deepEqual(preview.counts, { update: names.length + 1, same: others - 1 });
  for (const name of names) {
    const told = preview.diagnostics.filter(({ urn: of }) => of === urn(name)).map(({ message }) => message.trim());
    assert.deepEqual(told, [`${name}: 0001_init -> 0002_authors; to apply: 0002_authors`]);
  }
  await step("a migration, for which what is blocked is opened and blocked again", up, {
    counts: { update: names.length + 1, same: others - 1 },
    writes: {
      ...ownToken,
      ...Object.fromEntries(frozen.map((name) => [`PATCH databases/${name}/configuration`, 2])),
      "DELETE databases/template": 1,
    },
  });
  for (const name of names) {
    const [last] = await platform.sql("eu", name, "SELECT name FROM pragma_table_info('notes') WHERE name = 'author'");
    assert.deepEqual(last, { name: "author" }, name);
  }

  const leaving = ["t49", "t50"];
  await declare(without(leaving));
  for (const name of leaving) alive.delete(name);
  await step("two removed", up, {
    counts: { delete: 2, same: names.length - 2 + others },
    writes: { ...ownToken, "DELETE databases/t49": 1, "DELETE databases/t50": 1 },
  });

  const [lost] = readers;
  await platform.api.ok("PATCH", "/databases/t01/configuration", { block_writes: false });
  await platform.api.ok("DELETE", `/databases/${lost}`);
  alive.delete(lost!);
  const refreshed = await step("refresh after a change and a delete out of band", () => project.refresh(), {
    counts: { refresh: names.length - 2 + others },
    writes: ownToken,
  });
  assert.match(refreshed.output, /~ 2 updated\s+- 1 deleted\s/);
  const repaired = await platform.during(up);
  assert.deepEqual(repaired.result.counts, { create: 1, update: 2, same: names.length - 5 + others });
  assert.deepEqual(repaired.asked.writes, {
    ...ownToken,
    "POST databases": 2,
    [`POST databases/${lost}/auth/tokens`]: 1,
    "PATCH databases/t01/configuration": 1,
  });
  await write(lost!);
  await intact("up after them");

  // Made by hand, in the stack's own group.
  for (const name of ["legacy-1", "legacy-2"]) {
    await platform.api.ok("POST", "/databases", { name, group: "eu" });
    await platform.sql("eu", name, "CREATE TABLE notes (body TEXT)");
    await write(name);
  }
  await declare(
    (tenant) => tenant,
    ["legacy-1", "legacy-2"].map((resource) => ({ resource, schemaless: true, adopt: "unowned" })),
  );
  const there = names.length - 2 + others;
  await step("two adopted", up, { counts: { create: 2, same: there }, writes: ownToken });

  await declare(only(["t05"], { resource: "t05-renamed", alias: "t05" }));
  await step("renamed with an alias, under its default name", up, {
    counts: { update: 1, same: there + 1 },
    writes: ownToken,
  });

  await declare(only(["t06"], { deletionPolicy: "retain" }));
  await step("policy changed", up, { counts: { update: 1, same: there + 1 }, writes: {} });
  await declare(without(["t06"]));
  await step("and removed", up, { counts: { delete: 1, same: there + 1 }, writes: ownToken });

  const replaced = { "create-replacement": 1, replace: 1, "delete-replaced": 1, same: there };
  await step("replaced by force", () => up(["--replace", urn("t07")]), { counts: replaced, writes: ownToken });

  const taint = async (name: string) => {
    const { code, output } = await project.pulumi(["state", "taint", "--yes", "--stack", project.stack, urn(name)]);
    assert.equal(code, 0, output);
  };
  await taint("t08");
  await step("tainted", up, { counts: replaced, writes: ownToken });

  await declare(only(["t05-renamed"], { alias: undefined }));
  await taint("t05-renamed");
  await step("tainted after the rename, its alias gone", up, { counts: replaced, writes: ownToken });

  // What was adopted stays, and what the policy kept; so does their group.
  const kept = ["legacy-1", "legacy-2", "t06"];
  const going = [...alive.keys()].filter((name) => !kept.includes(name));
  for (const name of going) alive.delete(name);
  const destroyed = await step("destroy", () => project.destroy({ fails: true }), {
    counts: { delete: there + 1 },
    writes: {
      ...ownToken,
      "DELETE databases/template": 1,
      ...Object.fromEntries(going.map((name) => [`DELETE databases/${name}`, 1])),
    },
  });
  assert.match(destroyed.output, /eu: the group still holds databases that this stack does not have \(.*\)/);
  for (const name of kept) await platform.api.ok("DELETE", `/databases/${name}`);
  alive.clear();
  await step("destroy without them", () => project.destroy(), {
    counts: { delete: 1 },
    writes: { ...ownToken, "DELETE groups/eu": 1 },
  });
}
