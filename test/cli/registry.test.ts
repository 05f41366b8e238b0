import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { group as groups } from "../../provider/resources/group";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { Orphan } from "../../sdk/cli/registry/orphan";
import { createTenantry } from "../../sdk/client";
import { type Bench, addressOf, group, stack, tenant, withBench } from "../support/bench";
import { type FakeStack, writeFakePulumi } from "./fake-pulumi";
import { type Ended, runCli } from "./run-cli";

const blog = "organization/blog/prod";

interface Listed {
  readonly scope: string;
  readonly stack: string | null;
  readonly groups: string[];
  readonly orphans: Orphan[];
  readonly elsewhere: Record<string, number>;
  readonly unmanaged: number;
}

interface Scene {
  readonly bench: Bench;
  /** Runs `tenantry registry ...`, in a project's folder. */
  cli(...args: string[]): Promise<Ended>;
  orphans(...args: string[]): Promise<Listed>;
  /** What the engine's command line knows. */
  knows(known: Partial<FakeStack>): Promise<void>;
  /** Makes tenants of a stack, as its `up` would; answers their ids. */
  make(names: string[], of?: string): Promise<string[]>;
}

async function withScene(use: (scene: Scene) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "tenantry-registry-"));
  const commands = join(folder, "commands");
  try {
    await mkdir(commands);
    await writeFile(join(folder, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
    await withBench(async (bench) => {
      const env = {
        PATH: [commands, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
        TENANTRY_PLATFORM: "local",
        TENANTRY_API_URL: bench.platform.url,
        TENANTRY_API_TOKEN: bench.platform.apiToken,
      };
      const cli: Scene["cli"] = async (...args) => {
        const ended = await runCli(["registry", ...args], { cwd: folder, env });
        assert.ok(!`${ended.stdout}${ended.stderr}`.includes(bench.platform.apiToken));
        return ended;
      };
      await use({
        bench,
        cli,
        async orphans(...args) {
          const { code, stdout, stderr } = await cli("orphans", "--json", ...args);
          assert.deepEqual([code, stderr], [0, ""]);
          return JSON.parse(stdout) as Listed;
        },
        knows: (known) => writeFakePulumi(commands, { name: stack, ...known }),
        async make(names, of = stack) {
          const context = bench.context();
          const inputs = names.map((name) => tenant(name, { self: addressOf(name, of) }));
          const made = await Promise.all(inputs.map((each) => tenantDatabase.create({ inputs: each, context })));
          return made.map(({ id }) => id);
        },
      });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const named = ({ orphans }: Listed): string[] => orphans.map(({ name, status }) => `${name} ${status}`);
const intent = (name: string) => ({
  ...({ kind: "database", name, address: addressOf(name), formerAddresses: [], owner: `owner-${name}` } as const),
  ...{ incarnation: `incarnation-${name}`, existed: false, defaultName: false, force: false },
});

describe("tenantry registry", function () {
  // A start of the command takes seconds on a busy machine.
  this.timeout(240_000);

  describe("orphans", () => {
    it("calls what applications made at run time unmanaged, and lets it be given up", async () => {
      await withScene(async ({ bench, cli, orphans, knows, make }) => {
        const { url: apiUrl, apiToken: token } = bench.platform;
        const options = { platform: "local", apiUrl, token, group: "eu", access: "full-access" } as const;
        const { database } = await createTenantry(options).provision("user-1");
        const [kept] = await make(["kept"]);
        await knows({ resources: { "TenantDatabase kept": kept! } });
        const found = await orphans();
        assert.deepEqual([named(found), found.unmanaged, found.elsewhere], [[], 1, {}]);
        assert.match((await cli("orphans")).stdout, /1 more that applications made at run time.*--unclaimed/);
        const listed = await cli("orphans", "--unclaimed");
        assert.match(listed.stdout, new RegExp(`unmanaged +database +${database.name}`));
        assert.match(listed.stdout, /^unmanaged: .*adopt: "unowned"/m);
        const released = await cli("release", database.name, "--yes");
        assert.equal(released.code, 0, released.stderr);
        assert.ok((await bench.databases()).includes(database.name));
      });
    });

    it("compares with the selected stack's state, and lists exactly what that lacks", async () => {
      await withScene(async ({ bench, cli, orphans, knows, make }) => {
        const [kept, lost] = await make(["kept", "lost", "removed"]);
        await make(["theirs"], blog);
        const registry = await bench.context().registry("eu", stack);
        await registry.claim(intent("begun"));
        await bench.api.ok("DELETE", "/databases/removed");
        await bench.api.ok("POST", "/databases", { name: "by-hand", group: "eu" });
        await knows({ resources: { "TenantDatabase kept": kept! } });

        const found = await orphans();
        assert.deepEqual([found.stack, found.groups, found.elsewhere], [stack, ["eu"], { [blog]: 1 }]);
        assert.deepEqual(named(found), ["begun unfinished-create", "lost without-state", "removed database-gone"]);
        const [begun, ofLost, removed] = found.orphans;
        assert.deepEqual(
          { ...ofLost, run: 0, since: "", commands: [] },
          {
            ...{ kind: "database", name: "lost", group: "eu", status: "without-state", address: addressOf("lost") },
            ...{ stack, state: "held", exists: true, urn: null, owner: lost },
            ...{ databaseId: await bench.databaseId("lost"), run: 0, since: "", commands: [] },
          },
        );
        assert.ok(Math.abs(Date.parse(ofLost!.since!) - Date.now()) < 60_000);
        assert.deepEqual([begun!.exists, begun!.databaseId, removed!.exists], [false, null, false]);

        const { code, stdout } = await cli("orphans");
        assert.equal(code, 0);
        assert.match(stdout, /^Stack organization\/shop\/dev \(selected in this folder\), compared with its state\./);
        assert.match(stdout, /Platform local:\S+ \(TENANTRY_PLATFORM\)\./);
        assert.match(stdout, /^without-state +database +lost +eu +held +\d+s +\d+ +organization\/shop\/dev\/lost$/m);
        assert.match(
          stdout,
          /^1 more of organization\/blog\/prod: compare with `npx tenantry registry orphans --stack/m,
        );
        assert.doesNotMatch(stdout, /\bkept\b|by-hand/);
        assert.deepEqual(named(await orphans("--unclaimed")).at(-1), "by-hand unclaimed");
      });
    });

    it("without a stack lists every claim, and says how to compare", async () => {
      await withScene(async ({ cli, orphans, make }) => {
        await make(["acme"]);
        const found = await orphans();
        assert.deepEqual([found.stack, ...named(found)], [null, "acme not-compared"]);
        const { stdout } = await cli("orphans");
        assert.match(stdout, /1 claim in 1 group\. .* not looked at: .*--stack organization\/project\/stack/);
        const other = await cli("orphans", "--stack", "other");
        assert.equal(other.code, 1);
        assert.match(other.stderr, /stack "other" cannot be found: pulumi is not on PATH/);
      });
    });

    it("tells what the state has and the platform lacks, and a database that was made by hand since", async () => {
      await withScene(async ({ bench, orphans, knows, make }) => {
        const [gone, replaced] = await make(["gone", "replaced"]);
        for (const name of ["gone", "replaced"]) await bench.api.ok("DELETE", `/databases/${name}`);
        await bench.api.ok("POST", "/databases", { name: "replaced", group: "eu" });
        await knows({ resources: { "TenantDatabase gone": gone!, "TenantDatabase replaced": replaced! } });
        const found = await orphans();
        assert.deepEqual(named(found), ["gone database-gone", "replaced other-database"]);
        assert.match(found.orphans[0]!.urn ?? "", /::gone$/);
        assert.deepEqual(found.orphans[0]!.commands, [`pulumi refresh --yes --stack ${stack}`]);
      });
    });

    it("reads platform and organization from the stack's config, and names a group that is not there", async () => {
      await withScene(async ({ bench, cli, knows }) => {
        await knows({ config: { "tenantry:organization": "nobody" } });
        assert.match((await cli("orphans")).stderr, /nobody/);
        await knows({ locked: true });
        assert.match(
          (await cli("orphans")).stdout,
          /incorrect passphrase\. .*Only flags and the environment were read/,
        );
        await knows({});
        const { code, stderr } = await cli("orphans", "--group", "us");
        assert.deepEqual([code, stderr], [1, 'tenantry: There is no group "us". There is "eu".\n']);
        assert.equal((await bench.claims()).length, 0);
      });
    });
  });

  describe("claim", () => {
    it("hands an orphan to another resource, whose next create adopts it, data and all", async () => {
      await withScene(async ({ bench, cli, orphans, knows, make }) => {
        const [before] = await make(["acme"]);
        await bench.sql("acme", "CREATE TABLE notes (x)");
        const id = await bench.databaseId("acme");
        await knows({});
        const as = addressOf("taken", blog);
        const { code, stdout } = await cli("claim", "acme", "--as", as, "--yes");
        assert.equal(code, 0);
        assert.match(
          stdout,
          /was organization\/shop\/dev\/acme's, and is now claimed for organization\/blog\/prod\/taken/,
        );
        assert.deepEqual((await orphans()).elsewhere, { [blog]: 1 });

        // With the same name, or with a default one of its own.
        const inputs = tenant("taken", { self: as, nameIsDefault: true });
        const made = await tenantDatabase.create({ inputs, context: bench.context() });
        assert.deepEqual([made.outputs.name, made.outputs.databaseId], ["acme", id]);
        assert.notEqual(made.id, before);
        assert.deepEqual(await bench.databases(), ["acme"]);
        assert.equal((await bench.sql("acme", "SELECT * FROM notes")).length, 0);
        assert.match((await cli("claim", "acme", "--as", as)).stdout, /it is claimed for .*taken\. The next/);
      });
    });

    it("refuses what a state has, or may have; with --force that state can delete it no more", async () => {
      await withScene(async ({ bench, cli, knows, make }) => {
        const context = bench.context();
        const made = await tenantDatabase.create({ inputs: tenant("acme"), context });
        await make(["theirs"], blog);
        await knows({ resources: { "TenantDatabase acme": made.id } });
        const as = addressOf("acme", blog);
        const refused = await cli("claim", "acme", "--as", as, "--yes");
        assert.equal(refused.code, 1);
        assert.match(
          refused.stderr,
          /belongs to organization\/shop\/dev\/acme, and the state of organization\/shop\/dev has/,
        );
        assert.match(
          refused.stderr,
          /`pulumi state delete urn:\S+::acme --stack organization\/shop\/dev`, or pass --force/,
        );
        const unknown = await cli("claim", "theirs", "--yes");
        assert.equal(unknown.code, 1);
        assert.match(unknown.stderr, /belongs to organization\/blog\/prod\/theirs, whose stack's state may have it/);
        assert.match(
          unknown.stderr,
          /`npx tenantry registry claim theirs --as organization\/shop\/dev\/theirs --stack organization\/blog\/prod`/,
        );

        assert.equal((await cli("claim", "acme", "--as", as, "--yes", "--force")).code, 0);
        const removal = tenantDatabase.delete({ id: made.id, outputs: made.outputs, context: bench.context() });
        await assert.rejects(removal, { code: "not-owner", message: /now belongs to organization\/blog\/prod\/acme/ });
        assert.deepEqual((await bench.databases()).sort(), ["acme", "theirs"]);
      });
    });

    it("asks first: where nobody can answer it does nothing and says what to pass", async () => {
      await withScene(async ({ bench, cli, knows, make }) => {
        await make(["acme"]);
        await knows({});
        const before = await bench.claims();
        for (const verb of [
          ["claim", "acme", "--as", addressOf("b")],
          ["release", "acme"],
        ]) {
          const { code, stderr } = await cli(...verb);
          assert.equal(code, 1);
          assert.match(stderr, /Nobody can answer here, so nothing was done\. Pass --yes\.$/m);
        }
        assert.deepEqual(await bench.claims(), before);
      });
    });

    it("refuses what is gone, what nobody claimed, and an address that is none or is taken", async () => {
      await withScene(async ({ bench, cli, knows, make }) => {
        await make(["acme", "gone"]);
        await bench.api.ok("DELETE", "/databases/gone");
        await knows({});
        const said = async (...args: string[]): Promise<string> => {
          const { code, stderr } = await cli("claim", "--yes", ...args);
          assert.equal(code, 1, stderr);
          return stderr;
        };
        assert.match(await said("gone"), /is gone: .*`npx tenantry registry release gone --group eu`/);
        assert.match(await said("nobody"), /no registry has a claim on a database of that name/);
        assert.match(await said("acme", "--as", "shop/dev/acme"), /is not the address of a resource/);
        assert.match(await said("acme", "--as", addressOf("gone")), /dev\/gone has "gone" already/);
        assert.equal((await bench.claims()).filter(({ state }) => state === "held").length, 2);
      });
    });
  });

  describe("release", () => {
    it("leaves the database to whoever adopts it, and is done when done again", async () => {
      await withScene(async ({ bench, cli, orphans, knows, make }) => {
        await make(["acme"]);
        const id = await bench.databaseId("acme");
        const theirs = { inputs: tenant("acme", { self: addressOf("acme", blog), adopt: "unowned" as const }) };
        const early = tenantDatabase.create({ ...theirs, context: bench.context() });
        await assert.rejects(early, {
          code: "not-owner",
          message: /registry claim acme --as organization\/blog\/prod\/acme/,
        });
        await knows({});
        const { code, stdout } = await cli("release", "acme", "--yes");
        assert.equal(code, 0);
        assert.match(stdout, /stays as it is, and is nobody's/);
        assert.deepEqual(named(await orphans("--unclaimed")), ["acme unclaimed"]);
        assert.match((await cli("release", "acme")).stdout, /there is nothing to give up/);

        const { outputs } = await tenantDatabase.create({ ...theirs, context: bench.context() });
        assert.deepEqual([outputs.databaseId, outputs.adopted], [id, true]);
      });
    });

    it("refuses what a state has, and forgets what is gone", async () => {
      await withScene(async ({ bench, cli, orphans, knows, make }) => {
        const [acme] = await make(["acme", "gone"]);
        await bench.api.ok("DELETE", "/databases/gone");
        await knows({ resources: { "TenantDatabase acme": acme! } });
        assert.match((await cli("release", "acme", "--yes")).stderr, /the state of organization\/shop\/dev has it/);
        const { commands } = (await orphans()).orphans[0]!;
        assert.deepEqual(commands, [`npx tenantry registry release gone --group eu --stack ${stack}`]);
        assert.equal((await cli(...commands[0]!.split(" ").slice(3), "--yes")).code, 0);
        assert.deepEqual((await orphans()).orphans, []);
        assert.deepEqual(
          (await bench.claims()).map(({ name }) => name),
          ["acme"],
        );
      });
    });

    it("works on a group's own claim, too", async () => {
      await withScene(async ({ bench, cli, orphans, knows }) => {
        await groups.create({ inputs: group("eu"), context: bench.context() });
        await knows({});
        assert.deepEqual(named(await orphans()), ["eu without-state"]);
        assert.match((await cli("release", "eu", "--yes")).stdout, /nothing to give up/);
        assert.equal((await cli("release", "eu", "--kind", "group", "--yes")).code, 0);
        assert.deepEqual((await orphans()).orphans, []);
      });
    });
  });
});
