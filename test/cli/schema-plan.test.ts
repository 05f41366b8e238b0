import assert from "node:assert/strict";
import { byFlags, declares, done, followers, head, init, lines, withSchemaScene } from "./schema-scene";

describe("tenantry schema: what would be done", function () {
  // A start of the command takes seconds on a busy machine.
  this.timeout(240_000);

  describe("plan", () => {
    it("shows what apply would do, changes nothing, and exits with 2; with 0 once there is nothing to do", async () => {
      await withSchemaScene(async ({ cli, write, make, ledger }) => {
        await write({ ...init, ...done });
        await make(["acme", "bolt", "cafe"]);
        const planned = await cli(
          "plan",
          ...byFlags,
          "acme,bolt,cafe",
          "--canary",
          "cafe",
          "--wave",
          "50%",
          "--wave",
          "100%",
        );
        assert.deepEqual([planned.code, planned.stderr], [2, ""]);
        assert.deepEqual(lines(planned.stdout), [
          ...head(2, 3),
          "app: 3 of 3 tenants to be brought to 0002_done, 0 there already.",
          "",
          "  FROM  TO         TENANTS  PENDING",
          "  none  0002_done        3  0001_init, 0002_done",
          "",
          "  WAVE              TENANTS  WHO",
          "  canary                  1  cafe",
          "  wave 1 (to 50 %)        2  acme, bolt",
          "",
          "0001_init, for 3 tenants",
          "  migrations/0001_init.sql:1  CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT)",
          "0002_done, for 3 tenants",
          "  migrations/0002_done.sql:2  ALTER TABLE notes ADD COLUMN done INTEGER",
        ]);
        assert.deepEqual(await ledger("acme"), []);

        await cli("apply", ...byFlags, "acme,bolt", "--yes");
        const nothing = await cli("plan", ...byFlags, "acme,bolt");
        assert.equal(nothing.code, 0);
        assert.deepEqual(lines(nothing.stdout), [
          ...head(2, 2),
          "app: 0 of 2 tenants to be brought to 0002_done, 2 there already.",
        ]);
      });
    });

    it("says in a document whose keys are always there who, in which wave, with which statements", async () => {
      await withSchemaScene(async ({ cli, write, make }) => {
        await write({ ...init, "0002_drop.sql": "DROP TABLE notes;\n" });
        await make(["acme"]);
        const { code, stdout } = await cli("plan", "--json", ...byFlags, "acme", "--canary", "0");
        assert.equal(code, 2);
        const { migrations, template, refusal, ...rest } = JSON.parse(stdout) as {
          migrations: { id: string; tenants: number; statements: object[] }[];
          template: { digest: string };
          refusal: string;
        };
        assert.deepEqual(
          { ...template, digest: typeof template.digest },
          { name: "app", digest: "string", folder: "migrations", target: "0002_drop" },
        );
        assert.deepEqual(rest, {
          ...{ format: 1, scope: "PLATFORM", stack: null, tenants: 1, pending: 1 },
          counts: { current: 0, migrated: 0, skipped: 0, failed: 0, quarantined: 0, unknown: 0 },
          changes: [{ from: null, to: "0002_drop", tenants: 1, pending: ["0001_init", "0002_drop"] }],
          waves: [{ title: "wave 1 (to 100 %)", tenants: [{ name: "acme", group: "eu", from: null }] }],
          ...{ left: [], notes: [] },
        });
        assert.match(
          refusal,
          /0002_drop\.sql, line 1: drop-table: .*\nNo tenant was touched\. .* pass --allow-destructive 0002_drop\.$/s,
        );
        assert.deepEqual(
          migrations.map(({ id, tenants }) => [id, tenants]),
          [
            ["0001_init", 1],
            ["0002_drop", 1],
          ],
        );
        const [drop] = migrations[1]!.statements as [{ line: number; sql: string; findings: { losesData: boolean }[] }];
        assert.deepEqual([drop.line, drop.sql, drop.findings[0]?.losesData], [1, "DROP TABLE notes", true]);
      });
    });
  });

  describe("with a stack", () => {
    it("takes template, tenants and policy from its state, and the files from disk; flags win", async () => {
      await withSchemaScene(async (scene) => {
        const { cli, write, make, ref, ledger } = scene;
        await write(init);
        await make(["acme", "bolt", "cafe"]);
        const old = ref();
        const rings = { acme: { ring: "late" }, bolt: { ring: "early" }, cafe: { ring: "late" } };
        const members = Object.entries(rings).map(([name, labels]) => ({ name, group: "eu", labels }));
        await declares(scene, {
          "SchemaTemplate app": { ref: old, name: "app" },
          ...followers(old, ["acme", "bolt", "cafe"], rings),
          "SchemaRollout app": {
            schema: old,
            tenants: members,
            canary: { ring: "early" },
            waves: [0.5, 1],
            secret: "x",
          },
        });
        await write(done);
        const { code, stdout, stderr } = await cli("plan");
        assert.deepEqual([code, stderr], [2, ""]);
        const said = lines(stdout);
        assert.equal(
          said[0],
          "Stack organization/shop/dev (selected in this folder). Platform PLATFORM (TENANTRY_PLATFORM).",
        );
        assert.match(
          said[2]!,
          /^The files in "migrations" are not those of the last `pulumi up` \(\w{8} there, \w{8} here\)/,
        );
        assert.deepEqual(said.slice(9, 13), [
          "  WAVE               TENANTS  WHO",
          "  canary                   1  bolt",
          "  wave 1 (to 50 %)         1  acme",
          "  wave 2 (to 100 %)        1  cafe",
        ]);
        assert.match((await cli("plan", "--canary", "cafe")).stdout, /^ {2}canary +1 {2}cafe$/m);
        // The canary of the whole fleet is not among these.
        assert.equal((await cli("apply", "--yes", "--tenants", "acme")).code, 0);
        assert.deepEqual([await ledger("acme"), await ledger("bolt")], [["0001_init", "0002_done"], []]);
      });
    });

    it("says what it lacks: no template, several, another name, a stranger among the tenants", async () => {
      await withSchemaScene(async (scene) => {
        const { cli, write, make, ref, knows } = scene;
        await write(init);
        await make(["acme"]);
        const said = async (...args: string[]): Promise<string> => {
          const { code, stderr } = await cli("status", ...args);
          assert.equal(code, 1);
          return stderr.trimEnd();
        };
        assert.equal(
          await said(),
          "tenantry: Which template and which tenants was not said, and no stack is selected here. Run this in a project's folder or with --stack, or pass --migrations DIR with --tenants acme,bolt or --template NAME.",
        );
        await knows({});
        assert.match(
          await said(),
          /The state of stack organization\/shop\/dev has no SchemaTemplate\. Run `pulumi up` first/,
        );
        const app = { "SchemaTemplate app": { ref: ref() }, ...followers(ref(), ["acme"]) };
        await declares(scene, { ...app, "SchemaTemplate billing": { ref: ref("billing") } });
        assert.match(await said(), /has 2 templates: "app", "billing"\. Say which one with --template app\.$/);
        assert.match(await said("--template", "biling"), /has no template "biling"\. Did you mean "billing"\?$/);
        assert.match(
          await said("--template", "app", "--tenants", "acmee"),
          /no tenant of template "app" is "acmee"\. Did you mean "acme"\?$/,
        );
        assert.match(
          await said("--migrations", "migrations"),
          /not said\. Pass --tenants acme,bolt, or --template NAME/,
        );
        assert.match(
          await said("--migrations", "migrations", "--tenants", "bcme"),
          /no tenant's database "bcme"\. Did you mean "acme"\?$/,
        );
        assert.match(await said("--migrations", "nowhere", "--tenants", "acme"), /the folder "nowhere" does not exist/);
      });
    });

    it("without one takes those tenants whose registry claim names the template", async () => {
      await withSchemaScene(async ({ bench, cli, write, make }) => {
        const { ref } = await bench.template(init);
        await make(["acme", "bolt"], { schema: ref });
        await make(["cafe"]);
        await write({ ...init, ...done });
        const { code, stdout } = await cli("plan", "--migrations", "migrations", "--template", "app");
        assert.equal(code, 2);
        assert.match(stdout, /^app: 2 of 2 tenants to be brought to 0002_done, 0 there already\.$/m);
        assert.match(stdout, /^ {2}0001_init {2}0002_done +2 {2}0002_done$/m);
        const other = await cli("plan", "--migrations", "migrations", "--template", "app", "--group", "us");
        assert.equal(other.stderr, 'tenantry: There is no group "us". There is "eu".\n');
      });
    });
  });

  it("each verb explains itself with an example, and refuses what is none of its flags", async () => {
    await withSchemaScene(async ({ cli }) => {
      for (const verb of ["plan", "apply", "stop", "status", "drift", "release"]) {
        const { code, stdout } = await cli(verb, "--help");
        assert.equal(code, 0);
        assert.match(stdout, new RegExp(`^Exit code: 0 [^]*^Examples?:\\n  tenantry schema ${verb}`, "m"));
        assert.deepEqual(
          lines(stdout).filter((line) => line.length > 80),
          [],
        );
      }
      const refused = async (...args: string[]): Promise<string> => (await cli("plan", ...args)).stderr;
      assert.match(await refused("--wave", "10"), /'10' is invalid\. It must be a share or labels/);
      assert.match(await refused("--wave", "0%"), /It must be a share or labels/);
      assert.match(await refused("--canary", "ring="), /It must be labels/);
      assert.match(await refused("--concurrency", "300"), /a number from 1 to 256/);
      assert.match(await refused("--tenants", ","), /It must be names/);
    });
  });
});
