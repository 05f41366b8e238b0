import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { createTenantry } from "../../sdk/client";
import { addressOf, tenant, withBench, type Bench } from "../support/bench";
import { type Ended, runCli } from "./run-cli";

interface Scene {
  readonly bench: Bench;
  readonly folder: string;
  /** Runs `tenantry import ...` in a folder without a project. */
  cli(...args: string[]): Promise<Ended>;
}

async function withScene(use: (scene: Scene) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "tenantry-import-"));
  try {
    await withBench(async (bench) => {
      const env = {
        PATH: dirname(process.execPath),
        TENANTRY_PLATFORM: "local",
        TENANTRY_API_URL: bench.platform.url,
        TENANTRY_API_TOKEN: bench.platform.apiToken,
      };
      const cli: Scene["cli"] = async (...args) => {
        const ended = await runCli(["import", ...args], { cwd: folder, env });
        assert.ok(!`${ended.stdout}${ended.stderr}`.includes(bench.platform.apiToken));
        return ended;
      };
      await use({ bench, folder, cli });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const make = async ({ api }: Bench, ...names: string[]): Promise<void> => {
  for (const name of names) await api.ok("POST", "/databases", { name, group: "eu" });
};

describe("tenantry import", function () {
  // A start of the command takes seconds on a busy machine.
  this.timeout(240_000);

  it("writes a manifest of what nobody has, with ids and labels from names, and never over another file", async () => {
    await withScene(async ({ bench, folder, cli }) => {
      await make(bench, "tenant-acme-gold", "tenant-bolt-free", "website");
      const made = tenant("tenant-mine-gold", { self: addressOf("mine") });
      await tenantDatabase.create({ inputs: made, context: bench.context() });
      const args = ["--pattern", "tenant-{id}-{label:tier}"];
      const seen = await cli(...args, "--dry-run");
      assert.deepEqual([seen.code, seen.stderr, await readdir(folder)], [0, "", []]);
      const { code, stdout, stderr } = await cli(...args);
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, /^Written to tenants\.yaml: 2 tenants\.\n {2}ID {4}DATABASE/m);
      assert.match(stdout, /^ {2}acme {2}tenant-acme-gold {2}eu {5}tier=gold$/m);
      assert.match(stdout, /^ {2}tenant-mine-gold: organization\/shop\/dev\/mine has it$/m);
      assert.match(stdout, /^ {2}website: its name does not fit --pattern$/m);
      assert.match(stdout, /new TenantFleet\("tenants", \{ manifest: "\.\/tenants\.yaml" \}\)/);
      const file = join(folder, "tenants.yaml");
      const text = await readFile(file, "utf8");
      assert.match(text, /^ {2}acme: \{ name: tenant-acme-gold, labels: \{ tier: gold \} \}$/m);
      assert.doesNotMatch(text, /mine|website/);
      assert.deepEqual((await readdir(folder)).sort(), ["tenants.yaml"]);

      await writeFile(file, "mine\n");
      const again = await cli(...args);
      assert.equal(again.code, 1);
      assert.match(again.stderr, /tenants\.yaml exists already, and was left as it is\. .*--force/);
      assert.equal(await readFile(file, "utf8"), "mine\n");
      assert.equal((await cli(...args, "--force")).code, 0);
      assert.equal(await readFile(file, "utf8"), text);
    });
  });

  it("shows what an application made at run time as nobody's, and what a stack has where that is asked for", async () => {
    await withScene(async ({ bench, cli }) => {
      const { url, apiToken } = bench.platform;
      const tenantry = createTenantry({
        platform: "local",
        apiUrl: url,
        token: apiToken,
        group: "eu",
        access: "full-access",
      });
      const { database } = await tenantry.provision("user 42");
      tenantry.close();
      await make(bench, "acme");
      await tenantDatabase.create({ inputs: tenant("globex", { tenant: "g/1" }), context: bench.context() });
      const { code, stdout, stderr } = await cli("--json", "--claimed", "--out", "all.yaml");
      assert.deepEqual([code, stderr], [0, ""]);
      const { tenants, skipped, file } = JSON.parse(stdout) as {
        tenants: { id: string; name: string; standing: string; address: string | null }[];
        skipped: unknown[];
        file: string;
      };
      assert.deepEqual([skipped, file], [[], "all.yaml"]);
      assert.deepEqual(
        tenants.map(({ name, standing }) => `${name} ${standing}`).sort(),
        [`${database.name} runtime`, "acme unmanaged", "globex claimed"].sort(),
      );
      const globex = tenants.find(({ name }) => name === "globex")!;
      assert.deepEqual([globex.id, globex.address], ["g/1", addressOf("globex")]);
      const printed = await cli("--claimed", "--out", "-");
      assert.match(
        printed.stdout,
        /^ {2}"g\/1": \{ name: globex \} # of organization\/shop\/dev\/globex: hand it over first/m,
      );
      assert.match(printed.stdout, new RegExp(`${database.name}.*# made by an application at run time`));
    });
  });

  it("says so where there is nothing, and what is wrong with a pattern or a place", async () => {
    await withScene(async ({ bench, folder, cli }) => {
      const none = await cli();
      assert.equal(none.code, 1);
      assert.match(none.stderr, /There is no database to import, so nothing was written/);
      assert.equal((await cli("--out", "-")).stdout, "");
      await make(bench, "acme");
      for (const [args, text] of [
        [["--pattern", "{name}"], /--pattern: "\{name\}": \{name\} is nothing that a name can say/],
        [["--out", "nowhere/tenants.yaml"], /nowhere\/tenants\.yaml: it cannot be written \(ENOENT\)/],
        [["--group", "none"], /There is no group "none"/],
        [["other-*"], /There is no database to import/],
      ] as const) {
        const ended = await cli(...args);
        assert.equal(ended.code, 1, args.join(" "));
        assert.match(ended.stderr, text);
        assert.doesNotMatch(ended.stderr, /\n\s+at /);
      }
      assert.deepEqual(await readdir(folder), []);
    });
  });
});
