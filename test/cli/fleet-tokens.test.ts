import assert from "node:assert/strict";
import { readFile, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openSql } from "../../provider/platform/sql";
import { packFleet } from "../../provider/resources/tenant-fleet/pack";
import { member, recordsOf } from "../support/fleet-scene";
import { type Place, assertNowhere } from "../support/secret-search";
import { type FleetCliScene, withFleetCli } from "./fleet-cli-scene";
import { lines } from "./schema-scene";

const ids = ["acme", "bolt-2", "cafe"];

const withFleet = (use: (scene: FleetCliScene) => Promise<void>): Promise<void> =>
  withFleetCli(async (scene) => {
    const { declare, up, deployed } = scene;
    await up(declare(ids.map((id) => member(id, { labels: { ring: id === "cafe" ? "late" : "early" } }))));
    await deployed();
    await use(scene);
  });

const variablesIn = (text: string): Record<string, string> =>
  Object.fromEntries(lines(text).map((line) => /^(\w+)=(\S+)$/.exec(line)!.slice(1) as [string, string]));

/** Whether a token opens the database; and whether it may write. */
async function opens(url: string, token: string, statement = "SELECT 1"): Promise<boolean> {
  const sql = openSql({ url, token: async () => token });
  try {
    await sql.execute({ sql: statement, args: [] });
    return true;
  } catch {
    return false;
  } finally {
    sql.close();
  }
}

describe("tenantry fleet tokens", function () {
  // A start of the command takes seconds on a busy machine.
  this.timeout(240_000);

  it("writes a pair a tenant into a file that only its owner can read, whole, and prints no token", () =>
    withFleet(async ({ cli, folder }) => {
      const file = join(folder, "tenants.env");
      await writeFile(file, "OLD=1\n", { mode: 0o644 });
      const ended = await cli("tokens", "--to-env-file", "tenants.env", "--expires-in", "1h");
      assert.deepEqual(ended, {
        ...{ code: 0, stdout: "" },
        stderr: "3 read-only tokens, valid for 1h: written to tenants.env.\n",
      });
      assert.equal((await stat(file)).mode & 0o777, 0o600);
      const values = variablesIn(await readFile(file, "utf8"));
      assert.deepEqual(
        Object.keys(values),
        ["ACME", "BOLT_2", "CAFE"].flatMap((id) => [`TENANT_${id}_URL`, `TENANT_${id}_TOKEN`]),
      );
      const tokens = Object.entries(values).flatMap(([key, value]) => (key.endsWith("_TOKEN") ? [value] : []));
      assert.equal(new Set(tokens).size, 3);
      assertNowhere(tokens, [
        ["stdout", ended.stdout],
        ["stderr", ended.stderr],
      ]);
      const [url, token] = [values["TENANT_ACME_URL"]!, values["TENANT_ACME_TOKEN"]!];
      assert.equal(await opens(url, token), true);
      assert.equal(await opens(url, token, "CREATE TABLE a (b)"), false);
      assert.equal(await opens(values["TENANT_CAFE_URL"]!, token), false);
      assert.deepEqual(
        (await readdir(folder)).filter((name) => name.endsWith(".part")),
        [],
      );
    }));

  it("for those with a label, or by id, under names of one's own, with more rights", () =>
    withFleet(async ({ cli, folder }) => {
      const rights = ["--access", "full-access", "--name", "DB_{ID}", "--to-env-file", "one.env"];
      assert.equal((await cli("tokens", "prod", "--where", "ring=late", ...rights)).code, 0);
      const values = variablesIn(await readFile(join(folder, "one.env"), "utf8"));
      assert.deepEqual(Object.keys(values), ["DB_CAFE_URL", "DB_CAFE_TOKEN"]);
      assert.equal(await opens(values["DB_CAFE_URL"]!, values["DB_CAFE_TOKEN"]!, "CREATE TABLE a (b)"), true);

      const { stdout, code } = await cli("tokens", "--json", "--tenants", "cafe,acme");
      const { tenants, ...rest } = JSON.parse(stdout) as { tenants: { id: string; url: string; token: string }[] };
      assert.deepEqual([code, rest], [0, { format: 1, stack: "organization/shop/dev", fleet: "prod", failed: [] }]);
      assert.deepEqual(
        tenants.map(({ id }) => id),
        ["cafe", "acme"],
      );
      assert.equal(await opens(tenants[0]!.url, tenants[0]!.token), true);
    }));

  it("gives them to a command in its environment, never in its arguments, and passes its output on without them", () =>
    withFleet(async ({ cli, folder }) => {
      const command =
        'echo "got $TENANT_TOKEN"; tr "\\0" " " < /proc/$$/cmdline > "args-$TENANT_ID"; printf %s "$TENANT_URL $TENANT_TOKEN" > "seen-$TENANT_ID"; test "$TENANT_ID" != cafe';
      const ended = await cli("tokens", "--exec", command);
      assert.equal(ended.code, 3);
      assert.deepEqual(lines(ended.stdout).sort(), ["acme  got (token)", "bolt-2  got (token)"]);
      assert.deepEqual(lines(ended.stderr), [
        "cafe: the command failed (exit code 1): got (token)",
        "2 read-only tokens, valid for 7d: handed to the command. 1 failed.",
      ]);
      const places: Place[] = [
        ["stdout", ended.stdout],
        ["stderr", ended.stderr],
      ];
      const tokens: string[] = [];
      for (const id of ids) {
        const [url, token] = (await readFile(join(folder, `seen-${id}`), "utf8")).split(" ") as [string, string];
        assert.equal(await opens(url, token), true);
        tokens.push(token);
        const args = await readFile(join(folder, `args-${id}`), "utf8");
        assert.match(args, /got/);
        places.push(["arguments", args]);
      }
      assertNowhere(tokens, places);
    }));

  it("passes on the end of a long output, with no piece of a token in it", () =>
    withFleet(async ({ cli, folder }) => {
      const command = 'printf %s "$TENANT_TOKEN" > seen; yes "$TENANT_TOKEN" | head -n 999; echo end';
      const { code, stdout } = await cli("tokens", "--tenants", "acme", "--exec", command);
      assert.equal(code, 0);
      assert.match(stdout, /^acme {2}\(token\)\nacme {2}end\n$/m);
      const token = await readFile(join(folder, "seen"), "utf8");
      const pieces = Array.from({ length: Math.floor(token.length / 12) }, (_, i) => token.slice(i * 12, i * 12 + 12));
      assert.deepEqual(
        pieces.filter((piece) => stdout.includes(piece)),
        [],
      );
    }));

  it("mints for the database that state knows only; one failure leaves the file as it was", () =>
    withFleet(async ({ bench, cli, folder }) => {
      await writeFile(join(folder, "tenants.env"), "OLD=1\n");
      await bench.api.ok("DELETE", "/databases/t-acme");
      await bench.api.ok("DELETE", "/databases/t-cafe");
      await bench.api.ok("POST", "/databases", { name: "t-cafe", group: "eu" });
      const ended = await cli("tokens", "--to-env-file", "tenants.env");
      assert.deepEqual([ended.code, ended.stdout], [3, ""]);
      assert.deepEqual(lines(ended.stderr).sort(), [
        "2 failed, so tenants.env was left as it was.",
        'acme: its database "t-acme" is gone. Run `pulumi refresh`.',
        'cafe: its database "t-cafe" is another one by now. Run `pulumi refresh`.',
      ]);
      assert.equal(await readFile(join(folder, "tenants.env"), "utf8"), "OLD=1\n");
      const json = JSON.parse((await cli("tokens", "--json")).stdout) as Record<string, { id: string }[]>;
      assert.deepEqual(
        [json["tenants"]!.map(({ id }) => id), json["failed"]!.map(({ id }) => id).sort()],
        [["bolt-2"], ["acme", "cafe"]],
      );
    }));

  it("refuses what cannot be done, and writes nothing", () =>
    withFleet(async ({ cli, folder, state, deployed }) => {
      const records = Object.values(recordsOf(state().outputs));
      const [acme, ...others] = records;
      const { databaseId: _, hostname: __, incarnation: ___, ...failed } = others[0]!;
      const twin = { ...acme!, id: "ACME" };
      await deployed({ packed: packFleet([acme!, twin, { ...failed, state: "failed" }]) });
      for (const [args, code, text] of [
        [[], 1, "tenantry: Where the tokens go is not said. Pass --to-env-file FILE, --exec COMMAND or --json.\n"],
        [
          ["--to-env-file", "a.env", "--json"],
          1,
          "error: option '--to-env-file <file>' cannot be used with option '--json'\n",
        ],
        [
          ["--to-env-file", "a.env"],
          1,
          'tenantry: "acme" and "ACME" would both be TENANT_ACME in the file. Choose one of them with --tenants, or use --exec or --json.\n',
        ],
        [
          ["--json", "--tenants", "bolt-2"],
          1,
          'tenantry: Tenant "bolt-2" has no database: failed. Run `pulumi up` first.\n',
        ],
        [["--json", "--tenants", "amce"], 1, 'tenantry: There is no tenant "amce" in "prod". Did you mean "acme"?\n'],
        [
          ["--json", "--where", "ring=none"],
          1,
          'tenantry: No tenant of fleet "prod" is meant by that. `tenantry fleet status prod --json` lists them with their labels.\n',
        ],
        [["--json", "--expires-in", "soon"], 1, /^tenantry: --expires-in: "soon" is not a duration\./],
        [
          ["--to-env-file", "no/a.env", "--tenants", "acme"],
          1,
          /^tenantry: --to-env-file: no\/a\.env cannot be written: /,
        ],
      ] as [string[], number, string | RegExp][]) {
        const ended = await cli("tokens", ...args);
        assert.deepEqual([ended.code, ended.stdout], [code, ""], args.join(" "));
        if (typeof text === "string") assert.equal(ended.stderr, text);
        else assert.match(ended.stderr, text);
      }
      assert.deepEqual(
        (await readdir(folder)).filter((name) => name.includes(".env")),
        [],
      );
    }));
});
