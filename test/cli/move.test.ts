import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseInputs } from "../../provider/resources/tenant-database/inputs";
import type { TenantDatabaseOutputs } from "../../provider/resources/tenant-database/outputs";
import { packFleet } from "../../provider/resources/tenant-fleet/pack";
import { createProfiles, recordOf } from "../../provider/resources/tenant-fleet/record";
import { type Bench, addressOf, stack, tenant, withBench } from "../support/bench";
import { type FakeStack, writeFakePulumi } from "./fake-pulumi";
import { type Ended, runCli } from "./run-cli";

const blog = "organization/blog/prod";

interface Document {
  readonly stack: string;
  readonly written: boolean;
  readonly moves: { readonly name: string; readonly from: string; readonly to: string; readonly databaseId: string }[];
  readonly there: number;
  readonly unclear: { readonly name: string; readonly why: string }[];
}

interface Scene {
  readonly bench: Bench;
  /** Runs `tenantry move ...` in a project's folder. */
  cli(...args: string[]): Promise<Ended>;
  json(...args: string[]): Promise<Document>;
  /** Runs `tenantry registry orphans`. */
  orphans(): Promise<Ended>;
  readonly folder: string;
  /** Makes tenants of the stack, which its state then has. */
  make(tenants: Readonly<Record<string, Partial<TenantDatabaseInputs>>>): Promise<Map<string, Made>>;
  /** What state has beside them. */
  knows(known: Partial<FakeStack>): Promise<void>;
}

interface Made {
  readonly id: string;
  readonly outputs: TenantDatabaseOutputs;
}

async function withScene(use: (scene: Scene) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "tenantry-move-"));
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
      const cli: Scene["cli"] = (...args) => runCli(["move", ...args], { cwd: folder, env });
      let state: FakeStack = { name: stack };
      const knows: Scene["knows"] = (known) => writeFakePulumi(commands, (state = { ...state, ...known }));
      await knows({});
      await use({
        ...{ bench, cli, knows, folder },
        orphans: () => runCli(["registry", "orphans"], { cwd: folder, env }),
        async json(...args) {
          const { code, stdout, stderr } = await cli("--json", ...args);
          assert.deepEqual([code, stderr], [0, ""]);
          return JSON.parse(stdout) as Document;
        },
        async make(tenants) {
          const context = bench.context();
          const made = new Map<string, Made>();
          for (const [name, more] of Object.entries(tenants)) {
            made.set(name, await tenantDatabase.create({ inputs: tenant(name, more), context }));
          }
          const entries = [...made].map(([name, one]) => [`TenantDatabase ${name}`, one] as const);
          await knows({
            resources: Object.fromEntries(entries.map(([what, { id }]) => [what, id])),
            outputs: Object.fromEntries(entries.map(([what, { outputs }]) => [what, outputs])),
          });
          return made;
        },
      });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const addresses = async (bench: Bench): Promise<Record<string, string>> =>
  Object.fromEntries((await bench.claims()).map(({ name, address }) => [name, address]));

describe("tenantry move", function () {
  // A start of the command takes seconds on a busy machine.
  this.timeout(240_000);

  it("hands every tenant of the stack over to a fleet by its id, once it was shown and agreed to", async () => {
    await withScene(async ({ bench, cli, orphans, make }) => {
      const names = Array.from({ length: 12 }, (_, i) => `t${String(i).padStart(2, "0")}`);
      const made = await make(Object.fromEntries(names.map((name) => [name, name === "t03" ? { tenant: "a/b" } : {}])));
      const asked = await cli("--to-fleet", "prod");
      assert.equal(asked.code, 1);
      assert.match(asked.stderr, /Write this\? No database is touched\. Nobody can answer here.*Pass --yes/s);
      assert.match(
        asked.stdout,
        /^The state has no fleet "prod" yet.*\nTo be handed over to the fleet "prod": 12 databases\.$/m,
      );
      assert.match(asked.stdout, /^ {2}t03 +t03 +prod\/a%2Fb$/m);
      assert.match(asked.stdout, /and 2 more \(--json lists all\)/);
      const before = await addresses(bench);
      assert.deepEqual(await addresses(bench), Object.fromEntries(names.map((name) => [name, addressOf(name)])));

      const { code, stdout, stderr } = await cli("--to-fleet", "prod", "--yes");
      assert.deepEqual([code, stderr], [0, ""]);
      assert.match(stdout, /Handed over: 12 databases\. No database was touched\.\nNow declare them there/);
      const at = (name: string): string => addressOf(`prod/${name === "t03" ? "a%2Fb" : name}`);
      assert.deepEqual(await addresses(bench), Object.fromEntries(names.map((name) => [name, at(name)])));
      const listed = await orphans();
      assert.equal(listed.code, 0);
      assert.match(listed.stdout, /^handed-over +database +t03 /m);
      assert.match(listed.stdout, /npx tenantry move --undo t03 --group eu --stack organization\/shop\/dev$/m);
      // Said again it has nothing to do; said otherwise it says how to take it back.
      const again = await cli("--to-fleet", "prod", "--yes");
      assert.deepEqual([again.code, again.stderr], [0, ""]);
      assert.match(again.stdout, /There already: 12 databases\./);
      const other = await cli("t03", "--to-fleet", "other", "--yes");
      assert.match(
        other.stdout,
        /t03: it was handed over to .*\/prod\/a%2Fb and nobody has taken it yet; `npx tenantry move --undo/,
      );
      for (const one of made.values()) {
        const note = await tenantDatabase.delete({ ...one, context: bench.context() });
        assert.match(note ?? "", /left as it is, because it was handed over to organization\/shop\/dev\/prod\//);
      }

      const back = await cli("--undo", "--yes");
      assert.deepEqual([back.code, back.stderr], [0, ""]);
      assert.match(back.stdout, /Taken back: 12\. They are as they were\./);
      assert.deepEqual(await addresses(bench), before);
      assert.match((await cli("--undo", "--yes")).stdout, /: 0 databases\.$/m);
    });
  });

  it("chooses by name, by label and by what the name says, and tells programs all of it", async () => {
    await withScene(async ({ bench, json, make }) => {
      await make({
        "eu-acme": { labels: { ring: "beta" } },
        "eu-bolt": { labels: { ring: "stable" } },
        "us-cog": { labels: { ring: "beta" } },
      });
      const to = ["--to-fleet", "prod", "--to-stack", blog, "--id", "eu-{id}"];
      const planned = await json("eu-*", ...to, "--dry-run");
      assert.deepEqual(
        planned.moves.map(({ name, from, to: there }) => [name, from, there]),
        [
          ["eu-acme", addressOf("eu-acme"), `${blog}/prod/acme`],
          ["eu-bolt", addressOf("eu-bolt"), `${blog}/prod/bolt`],
        ],
      );
      assert.deepEqual([planned.stack, planned.written, planned.there, planned.unclear], [stack, false, 0, []]);
      assert.equal(planned.moves[0]!.databaseId, await bench.databaseId("eu-acme"));
      assert.equal((await addresses(bench))["eu-acme"], addressOf("eu-acme"));

      const done = await json("--where", "ring=beta", "eu-*", ...to, "--yes");
      assert.deepEqual([done.written, done.moves.map(({ name }) => name)], [true, ["eu-acme"]]);
      assert.deepEqual(await addresses(bench), {
        "eu-acme": `${blog}/prod/acme`,
        "eu-bolt": addressOf("eu-bolt"),
        "us-cog": addressOf("us-cog"),
      });
      const one = await json("us-cog", "--to", `${blog}/cog`, "--yes");
      assert.deepEqual(
        one.moves.map(({ to: there }) => there),
        [`${blog}/cog`],
      );
      const resources = await json("eu-bolt", "--to-resources", "{id}-eu", "--id", "eu-{id}", "--yes");
      assert.deepEqual(
        resources.moves.map(({ to: there }) => there),
        [addressOf("bolt-eu")],
      );
    });
  });

  it("takes tenants out of a fleet, by their ids, and knows them as its state's", async () => {
    await withScene(async ({ bench, json, cli, make, knows }) => {
      const made = await make({
        "t-acme": { self: addressOf("prod/a%20b"), tenant: "a b", labels: { ring: "beta" } },
        "t-bolt": { self: addressOf("prod/bolt"), tenant: "bolt" },
        cog: {},
      });
      const profiles = createProfiles();
      const records = ["t-acme", "t-bolt"].map((name) => {
        const { id, outputs } = made.get(name)!;
        return recordOf(outputs.tenant!, outputs, id, profiles);
      });
      const { id, outputs } = made.get("cog")!;
      await knows({
        resources: { "TenantDatabase cog": id, "TenantFleet prod": "the-fleet" },
        outputs: {
          "TenantDatabase cog": outputs,
          "TenantFleet prod": { self: addressOf("prod"), packed: packFleet(records) },
        },
      });
      const resources = await json("--from-fleet", "prod", "--to-resources", "--dry-run");
      assert.deepEqual(
        resources.moves.map(({ name, from, to }) => [name, from, to]),
        [
          ["t-acme", addressOf("prod/a%20b"), addressOf("a b")],
          ["t-bolt", addressOf("prod/bolt"), addressOf("bolt")],
        ],
      );
      // What is in the fleet already is not one of "all".
      const into = await json("--to-fleet", "prod", "--dry-run");
      assert.deepEqual(
        into.moves.map(({ name, to }) => [name, to]),
        [["cog", addressOf("prod/cog")]],
      );
      const slip = await cli("--to-fleet", "prid", "--dry-run");
      assert.match(slip.stdout, /The state has no fleet "prid" yet: .* It has "prod"\./);
      const done = await json("--where", "ring=beta", "--from-fleet", "prod", "--to-fleet", "other", "--yes");
      assert.deepEqual(
        done.moves.map(({ to }) => to),
        [addressOf("other/a%20b")],
      );
      assert.equal((await addresses(bench))["t-acme"], addressOf("other/a%20b"));
      assert.equal((await cli("--from-fleet", "prod", "--to-resources", "--dry-run")).code, 0);
    });
  });

  it("takes those of a manifest, under the ids that it gives them", async () => {
    await withScene(async ({ json, cli, make, folder }) => {
      await make({ "tenant-acme": {}, bolt: {}, website: {} });
      const manifest =
        'version: 1\nnamePattern: "tenant-{id}"\ndefaults: { group: eu }\ntenants: { acme: , b: { name: bolt } }\n';
      await writeFile(join(folder, "tenants.yaml"), manifest);
      const { moves, unclear } = await json("--to-fleet", "prod", "--manifest", "tenants.yaml", "--dry-run");
      const found = Object.fromEntries(moves.map(({ name, to }) => [name, to]));
      assert.deepEqual([found, unclear], [{ bolt: addressOf("prod/b"), "tenant-acme": addressOf("prod/acme") }, []]);
      await writeFile(join(folder, "tenants.yaml"), "version: 1\ntenants: { acme: { grup: eu } }\n");
      const wrong = await cli("--to-fleet", "prod", "--manifest", "tenants.yaml", "--dry-run");
      assert.equal(wrong.code, 1);
      assert.match(wrong.stderr, /tenants\.yaml: it does not hold together\.\n.*grup/s);
    });
  });

  it("refuses all where something is unclear, and says of each what to do first; --skip-unclear does the others", async () => {
    await withScene(async ({ bench, cli, json, make, knows }) => {
      const made = await make(
        Object.fromEntries(["fine", "gone", "replaced", "again", "busy", "taken", "kept"].map((name) => [name, {}])),
      );
      await bench.api.ok("DELETE", "/databases/gone");
      await bench.api.ok("DELETE", "/databases/replaced");
      await bench.api.ok("POST", "/databases", { name: "replaced", group: "eu" });
      await tenantDatabase.create({ inputs: tenant("again"), context: bench.context() });
      const taken = tenant("taken", { self: addressOf("taken", blog), adopt: "force" });
      await tenantDatabase.create({ inputs: taken, context: bench.context() });
      await knows({ pending: ["busy"], protected: ["TenantDatabase kept"] });

      const { moves, unclear } = await json("--to-fleet", "prod", "--dry-run");
      assert.deepEqual(
        moves.map(({ name }) => name),
        ["fine"],
      );
      const whys = Object.fromEntries(unclear.map(({ name, why }) => [name, why]));
      assert.match(whys["gone"]!, /not on the platform; run `pulumi refresh` first/);
      assert.match(whys["replaced"]!, /another database has the name since/);
      assert.match(whys["again"]!, /forced replacement of it was broken off/);
      assert.match(
        whys["busy"]!,
        /killed was at work on it; run `pulumi up`, then `pulumi refresh --yes --clear-pending-creates`/,
      );
      assert.match(whys["taken"]!, /the registry does not say that it is this stack's/);
      assert.match(whys["kept"]!, /it is protected: take that out of the program/);
      assert.equal(unclear.length, 6);

      const refused = await cli("--to-fleet", "prod", "--yes");
      assert.equal(refused.code, 1);
      assert.match(refused.stdout, /Not as it should be, and not handed over: 6 databases\.\n {2}gone: /);
      assert.match(refused.stderr, /Nothing was written, because not all of them can be handed over.*--skip-unclear/);
      assert.equal((await addresses(bench))["fine"], addressOf("fine"));
      const some = await cli("--to-fleet", "prod", "--yes", "--skip-unclear");
      assert.deepEqual([some.code, some.stderr], [0, ""]);
      assert.equal((await addresses(bench))["fine"], addressOf("prod/fine"));
      assert.equal((await addresses(bench))["again"], addressOf("again"));
      assert.equal(made.size, 7);
    });
  });

  it("says what is missing or cannot be: destination, stack, names, patterns, two at one place", async () => {
    await withScene(async ({ bench, cli, make }) => {
      await make({ acme: {}, bolt: {} });
      for (const [args, text] of [
        [[], /Where they are to go was not said\. Pass one of --to-fleet, --to-resources and --to/],
        [["--to-fleet", "a", "--to", "b"], /Where they are to go was twice said/],
        [["--to", "prod"], /--to: "prod" is not the address of a resource/],
        [["--to-resources", "x"], /--to-resources: "x" has no \{id\} in it/],
        [["--to-fleet", "prod", "--to-stack", "prod"], /--to-stack: "prod" is not a stack in full/],
        [["acne", "--to-fleet", "prod"], /"acne": no tenant of this state has .*Did you mean "acme"\?/],
        [["--to-fleet", "prod", "--id", "x-{name}"], /--id: "x-\{name\}": \{name\} is nothing that a name can say/],
        [["--to-fleet", "prod", "--from-fleet", "none"], /--from-fleet: this state has no fleet "none"/],
        [["--to-fleet", "prod", "--where", "beta"], /It must be a label, such as "ring=beta"/],
      ] as const) {
        const ended = await cli(...args, "--yes");
        assert.equal(ended.code, 1, args.join(" "));
        assert.match(ended.stderr, text);
        assert.doesNotMatch(ended.stderr, /\n\s+at /);
      }
      const both = await cli("--to", addressOf("one"), "--yes");
      assert.match(both.stdout, /bolt: organization\/shop\/dev\/one is to have "acme", or has it/);
      const there = await cli("acme", "--to", addressOf("bolt"), "--yes");
      assert.match(there.stdout, /acme: organization\/shop\/dev\/bolt is to have "bolt", or has it/);
      const same = await cli("acme", "--to-resources", "--yes");
      assert.deepEqual([same.code, same.stderr], [0, ""]);
      assert.match(same.stdout, /There already: 1 database\./);
      assert.deepEqual(await addresses(bench), { acme: addressOf("acme"), bolt: addressOf("bolt") });
    });
  });

  it("shows with --plan what moving data would mean, and what stands in the way, and writes nothing", async () => {
    await withScene(async ({ bench, cli, make, knows }) => {
      await make({ acme: {}, globex: { deleteProtection: true } });
      await bench.sql("acme", "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)");
      await bench.sql("acme", "INSERT INTO notes (text) VALUES ('a'), ('b'), ('c')");
      await bench.sql("acme", "CREATE VIRTUAL TABLE search USING fts5 (text, content='notes', content_rowid='id')");
      await bench.api.ok("POST", "/groups", { name: "us", location: "aws-us-east-1" });
      const claims = await bench.claims();
      const within = await cli("acme", "--plan", "--to-group", "us");
      assert.deepEqual([within.code, within.stderr], [0, ""]);
      assert.match(
        within.stdout,
        /^acme: from group "eu" to group "us"\n {2}carries 3 rows in 1 table, less than 0\.1 MB;/m,
      );
      assert.match(
        within.stdout,
        /blocks writes for about 3 s; reads go on, but for a moment while its name changes hands/,
      );
      assert.match(within.stdout, /^ {2}builds anew: search$/m);
      assert.match(within.stdout, /^ {2}keeps a copy of another name for 7 days, closed$/m);
      assert.match(
        within.stdout,
        /declare it with the new group and onReplace: "copy", and run `pulumi up`\. Nothing was/,
      );
      await withBench(async (other) => {
        const { url, apiToken } = other.platform;
        const connections = JSON.stringify({ other: { platform: "local", apiUrl: url, apiToken } });
        await knows({ config: { "tenantry:connections": connections } });
        const both = await cli("--plan", "--to-connection", "other");
        assert.deepEqual([both.code, both.stderr], [2, ""]);
        assert.match(both.stdout, /^acme: from group "eu" of local:\S+ to group "eu" of local:\S+$/m);
        assert.match(both.stdout, /^ {2}keeps the old database for 7 days, closed to reads and writes/m);
        assert.match(
          both.stdout,
          /^globex: .*\n {2}cannot be moved: it is protected: set deleteProtection to false first$/m,
        );
        assert.ok(!both.stdout.includes(apiToken));
        await other.api.ok("POST", "/databases", { name: "acme", group: "eu" });
        const { code, stdout } = await cli("acme", "--plan", "--to-connection", "other", "--json");
        const [move] = (JSON.parse(stdout) as { moves: Record<string, unknown>[] }).moves;
        assert.deepEqual(
          [code, move!["rows"], move!["how"], move!["hindrances"]],
          [2, 3, "beside", ['there is a database "acme" at the new place already']],
        );
        assert.deepEqual(await other.databases(true), ["acme"]);
      });
      assert.deepEqual(await bench.claims(), claims);
      const unsaid = await cli("acme", "--plan");
      assert.match(
        unsaid.stderr,
        /--plan: where they would go was not said\. Pass --to-group, --to-connection, or both\./,
      );
      assert.match(
        (await cli("acme", "--to-group", "us")).stderr,
        /moves no data .*See what it would mean with --plan/,
      );
    });
  });
});
