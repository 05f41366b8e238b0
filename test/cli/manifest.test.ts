import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { describe, it } from "mocha";
import { writeFiles, withFolder } from "../manifest/scene";
import { withBench } from "../support/bench";
import { runCli } from "./run-cli";

const manifest = `version: 1
defaults: { group: eu }
tenants:
  acme:
  bolt:
`;
const manifestOf = (ids: string[]): string =>
  `version: 1\ndefaults: { group: eu }\ntenants:\n${ids.map((id) => `  ${id}:\n`).join("")}`;

describe("tenantry manifest", function () {
  this.timeout(60_000);
  const run = (cwd: string, ...args: string[]) =>
    runCli(["manifest", ...args], { cwd, env: { PATH: process.env["PATH"] } });

  it("validate: what holds together, found in the folder", () =>
    withFolder({ "tenants.yaml": manifest }, async (folder) => {
      const { code, stdout, stderr } = await run(folder, "validate");
      assert.equal(stdout, "tenants.yaml: 2 tenants in 1 group, 0 plans, 0 schemas. It holds together.\n");
      assert.deepEqual([code, stderr], [0, ""]);
      const document = JSON.parse((await run(folder, "validate", "tenants.yaml", "--json")).stdout) as object;
      const counts = { tenants: 2, groups: 1, plans: 0, schemas: 0 };
      assert.deepEqual(document, { format: 1, path: "tenants.yaml", valid: true, counts, problems: [] });
    }));

  it("validate: what is wrong, with exit code 2", () =>
    withFolder({ "fleet/tenants.yaml": manifest.replace("acme:", "acme: { plan: pro }") }, async (folder) => {
      const { code, stdout } = await run(folder, "validate", "fleet");
      assert.equal(code, 2);
      assert.equal(stdout, 'fleet/tenants.yaml:4:11: tenants.acme.plan: there is no plan "pro"; none is declared.\n');
      const json = await run(folder, "validate", "fleet", "--json");
      const { valid, problems } = JSON.parse(json.stdout) as { valid: boolean; problems: object[] };
      const message = 'there is no plan "pro"; none is declared.';
      const problem = { file: "fleet/tenants.yaml", line: 4, column: 11, property: "tenants.acme.plan", message };
      assert.deepEqual([json.code, valid, problems], [2, false, [problem]]);
    }));

  it("validate and diff: a group that the program gives", () =>
    withFolder({ "tenants.yaml": "version: 1\ntenants: [acme]\n" }, async (folder) => {
      assert.match((await run(folder, "validate")).stdout, /tenants\.acme: no group is named/);
      assert.equal((await run(folder, "validate", "--group", "eu")).code, 0);
      assert.equal((await run(folder, "diff", "tenants.yaml", "--group", "eu")).code, 0);
    }));

  it("validate: nothing to read, with exit code 1", () =>
    withFolder({}, async (folder) => {
      const { code, stderr } = await run(folder, "validate");
      assert.equal(code, 1);
      assert.equal(stderr, "tenantry: There is no manifest in this folder. Give its path, or write ./tenants.yaml.\n");
    }));

  it("diff: two files, with exit codes", () =>
    withFolder({ "old.yaml": manifest, "tenants.yaml": manifestOf(["bolt", "core"]) }, async (folder) => {
      const { code, stdout } = await run(folder, "diff", "old.yaml");
      assert.equal(
        stdout,
        "tenants.yaml against old.yaml: 1 added, 1 removed, 0 changed, 1 unchanged.\n" +
          "+ added to eu: core\n" +
          "- removed: its database is deleted with its data, or stays where it was adopted: acme\n",
      );
      assert.equal(code, 2);
      const same = await run(folder, "diff", "old.yaml", "old.yaml");
      assert.deepEqual([same.code, same.stdout], [0, "old.yaml against old.yaml: nothing changes for 2 tenants.\n"]);
      const json = await run(folder, "diff", "old.yaml", "--json");
      const { added, removed, changed, ...head } = JSON.parse(json.stdout) as Record<string, { id: string }[]>;
      assert.deepEqual(head, {
        ...{ format: 1, old: "old.yaml", new: "tenants.yaml", oldExists: true, overMaxRemovals: false },
        ...{ unchanged: 1, settings: [], maxRemovals: 10 },
      });
      assert.deepEqual([added![0]!.id, removed![0]!.id, changed, json.code], ["core", "acme", [], 2]);
    }));

  it("diff: against a commit, from a folder within the repository", () =>
    withFolder({ "infra/fleet/a.yaml": manifest, "infra/fleet/b.csv": "id,group\ncore,eu\n" }, async (folder) => {
      const git = (...args: string[]) =>
        execFileSync(
          "git",
          ["-c", "user.name=a", "-c", "user.email=a@b.example", "-c", "commit.gpgsign=false", ...args],
          { cwd: folder },
        );
      git("init", "-q", "-b", "main");
      git("add", ".");
      git("commit", "-qm", "one");
      writeFiles(folder, { "infra/fleet/b.csv": "id,group\ncore,us\n" });
      const infra = `${folder}/infra`;
      const changed = await run(infra, "diff", "git:main", "fleet");
      assert.equal(
        changed.stdout,
        "fleet against git:main: 0 added, 0 removed, 1 changed, 2 unchanged.\n" +
          "~ group eu -> us (needs another database: refused, unless its onReplace says what to do): core\n",
      );
      assert.equal(changed.code, 2);
      const same = await run(infra, "diff", "git:main:fleet/a.yaml", "fleet/a.yaml");
      assert.equal(same.stdout, "fleet/a.yaml against git:main:fleet/a.yaml: nothing changes for 2 tenants.\n");

      writeFiles(folder, { "infra/tenants.yaml": manifest });
      const first = await run(infra, "diff", "git:main");
      assert.equal(
        first.stdout,
        "There is no tenants.yaml in git:main: all of it is new.\n" +
          "tenants.yaml against git:main: 2 added, 0 removed, 0 changed, 0 unchanged.\n" +
          "+ 2 tenants added to eu: acme, bolt\n",
      );
      for (const [of, text] of [
        ["git:mian", /git:mian: there is no such commit in this repository\./],
        ["git:--help", /git:--help: there is no such commit in this repository\./],
        ["git:main:none.yaml", /none\.yaml: there is no such file or folder\./],
      ] as const) {
        const { code, stderr } = await run(infra, "diff", of);
        assert.equal(code, 1);
        assert.match(stderr, text);
      }
    }));

  it("diff: what is no manifest, and on which side", () =>
    withFolder({ "old.yaml": "version: 1\ntenants: { acme: }\n", "tenants.yaml": manifest }, async (folder) => {
      const { code, stderr } = await run(folder, "diff", "old.yaml");
      assert.equal(code, 1);
      assert.match(
        stderr,
        /^tenantry: old\.yaml is no manifest that can be compared\.\nold\.yaml:2:12: tenants\.acme: no group is named/,
      );
    }));

  it("its head says the platform to a command that nobody else tells", () =>
    withFolder({ "tenants.yaml": manifest, "local.yaml": `platform: local\n${manifest}` }, (folder) =>
      withBench(async ({ api, platform: { url, apiToken } }) => {
        for (const name of ["acme", "bolt"]) await api.ok("POST", "/databases", { name, group: "eu" });
        const env = { TENANTRY_API_URL: url, TENANTRY_API_TOKEN: apiToken };
        const each = (path: string, more = {}) =>
          runCli(["each", "SELECT 1 AS one", "--manifest", path], { cwd: folder, env: { ...env, ...more } });
        const silent = await each("tenants.yaml");
        assert.equal(silent.code, 1);
        assert.match(silent.stderr, /No platform is configured/);
        const told = await each("local.yaml");
        assert.deepEqual([told.code, told.stderr], [0, "2 answered, 0 failed.\n"], told.stderr);
        const other = await each("local.yaml", { TENANTRY_PLATFORM: "turso" });
        assert.match(other.stderr, /No Turso organization is configured/);
      }),
    ));

  it("schema: prints what is published", () =>
    withFolder({}, async (folder) => {
      const { code, stdout } = await run(folder, "schema");
      const { title } = JSON.parse(stdout) as { title: string };
      assert.deepEqual([code, title], [0, "Tenantry manifest"]);
    }));
});
