import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { jsonLines, openMetrics, plainLines } from "../../sdk/cli/each/output";
import { type Bench, withBench } from "../support/bench";
import { type Ended, runCli } from "./run-cli";

async function withTenants(
  use: (cli: (...args: string[]) => Promise<Ended>, bench: Bench, folder: string) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "tenantry-each-"));
  try {
    await withBench(async (bench) => {
      await bench.api.ok("POST", "/groups", { name: "us", location: "aws-us-east-1" });
      for (const [name, group, count] of [
        ["acme", "eu", 3],
        ["bolt", "eu", 5],
        ["corp", "us", 7],
      ] as const) {
        await bench.api.ok("POST", "/databases", { name, group });
        await bench.sql(name, `CREATE TABLE counts AS SELECT ${count} AS notes, 'a "b"' AS kind`);
      }
      const { url, apiToken } = bench.platform;
      const env = { TENANTRY_PLATFORM: "local", TENANTRY_API_URL: url, TENANTRY_API_TOKEN: apiToken };
      await use((...args) => runCli(args, { cwd: folder, env }), bench, folder);
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const linesOf = ({ stdout }: Ended): string[] => stdout.trimEnd().split("\n").sort();

describe("tenantry each", function () {
  // A start of the command takes seconds on a busy machine.
  this.timeout(120_000);

  it("shows what each tenant answers, for people and as JSON lines", async () => {
    await withTenants(async (cli) => {
      const plain = await cli("each", "SELECT notes FROM counts");
      assert.deepEqual([plain.code, plain.stderr], [0, "3 answered, 0 failed.\n"]);
      assert.deepEqual(
        linesOf(plain).map((line) => line.replace(/ +/g, " ")),
        ["acme notes=3", "bolt notes=5", "corp notes=7"],
      );
      const json = await cli("each", "SELECT * FROM counts", "--where", "group=eu", "--json");
      assert.equal(json.stderr, "");
      assert.deepEqual(
        linesOf(json).map((line) => JSON.parse(line) as object),
        [
          { tenant: "acme", group: "eu", rows: [{ notes: 3, kind: 'a "b"' }] },
          { tenant: "bolt", group: "eu", rows: [{ notes: 5, kind: 'a "b"' }] },
        ],
      );
    });
  });

  it("tells who failed, and by its exit code that somebody did; it writes only where it is told to", async () => {
    await withTenants(async (cli, bench) => {
      await bench.sql("bolt", "DROP TABLE counts");
      const failed = await cli("each", "SELECT notes FROM counts", "--json");
      assert.equal(failed.code, 3);
      const bolt = JSON.parse(linesOf(failed).find((line) => line.includes('"bolt"'))!) as {
        error: { message: string };
      };
      assert.match(bolt.error.message, /no such table: counts/);
      assert.equal((await cli("each", "DELETE FROM counts", "--tenants", "acme")).code, 3);
      assert.equal((await bench.sql("acme", "SELECT * FROM counts")).length, 1);
      assert.equal((await cli("each", "DELETE FROM counts", "--tenants", "acme", "--access", "full-access")).code, 0);
      assert.equal((await bench.sql("acme", "SELECT * FROM counts")).length, 0);
      const label = await cli("each", "SELECT 1", "--where", "ring=beta");
      assert.equal(label.code, 1);
      assert.match(label.stderr, /^tenantry: --where: "ring" is a label.*--manifest/);
    });
  });

  it("finds tenants by a manifest's labels, and gives metrics that a scraper takes", async () => {
    await withTenants(async (cli, _bench, folder) => {
      const manifest =
        "version: 1\ngroups: { eu: {}, us: {} }\ndefaults: { group: eu }\ntenants:\n  acme: { labels: { ring: beta } }\n  bolt:\n";
      await writeFile(path.join(folder, "tenants.yaml"), manifest);
      const { code, stdout } = await cli(
        ...[
          "each",
          "SELECT notes, kind FROM counts",
          "--manifest",
          "tenants.yaml",
          "--where",
          "ring=beta",
          "--openmetrics",
        ],
      );
      assert.equal(code, 0);
      assert.equal(
        stdout,
        `# TYPE tenantry_up gauge
tenantry_up{tenant="acme",group="eu"} 1
# TYPE tenantry_notes gauge
tenantry_notes{kind="a \\"b\\"",tenant="acme",group="eu"} 3
# EOF
`,
      );
    });
  });

  it("tells usage, the largest first", async () => {
    await withTenants(async (cli) => {
      const usage = await cli("usage");
      assert.equal(usage.code, 0, usage.stderr);
      assert.match(usage.stdout, /^TENANT +GROUP +STORED +ROWS READ +ROWS WRITTEN$/m);
      assert.match(usage.stdout, /^acme +eu +[\d.]+ (?:B|KiB) +\d+ +\d+$/m);
      assert.match(usage.stdout, /^3 databases /m);
      const json = JSON.parse((await cli("usage", "--json", "--group", "us")).stdout) as {
        tenants: { name: string }[];
      };
      assert.deepEqual(
        json.tenants.map(({ name }) => name),
        ["corp"],
      );
      const metrics = (await cli("usage", "--openmetrics")).stdout;
      assert.match(
        metrics,
        /^# TYPE tenantry_storage_bytes gauge\ntenantry_storage_bytes\{tenant="acme",group="eu"\} \d+$/m,
      );
      assert.ok(metrics.endsWith("# EOF\n"));
    });
  });
});

describe("what each writes", () => {
  const tenant = { id: "acme", name: "db-acme", group: undefined, labels: {} };
  const written = (make: (write: (text: string) => void) => ReturnType<typeof jsonLines>, rows: object[]): string => {
    let text = "";
    const output = make((more) => (text += more));
    output.add({ tenant, ok: true, value: rows as never });
    output.end();
    return text;
  };

  it("has a word for what JSON has none for", () => {
    const rows = [{ big: 2n ** 60n, blob: new Uint8Array([1, 2, 3]), none: null }];
    assert.equal(
      written(jsonLines, rows),
      '{"tenant":"acme","database":"db-acme","group":null,"rows":[{"big":"1152921504606846976","blob":"AQID","none":null}]}\n',
    );
    assert.match(
      written((write) => plainLines(write, 6), rows),
      /^acme {4}big=1152921504606846976 blob=<3 bytes> none=NULL\n$/,
    );
    assert.match(
      written((write) => plainLines(write, 6), []),
      /^acme {4}no rows\n$/,
    );
  });

  it("names metrics and labels as OpenMetrics does, and refuses a page that no scraper would take", () => {
    const page = written(openMetrics, [{ "count(*)": 1, "1st": 2, text: "a\nb\\", none: null }]);
    assert.match(page, /^tenantry_count___\{text="a\\nb\\\\",tenant="acme"\} 1$/m);
    assert.match(page, /^tenantry__1st\{/m);
    assert.throws(() => written(openMetrics, [{ n: 1 }, { n: 2 }]), {
      message: /^acme: two rows give tenantry_n the same labels/,
    });
  });
});
