import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readEndpoint, startLocalPlatform } from "../../provider/local";
import { localCommand } from "../../sdk/cli/local";
import { runChild } from "./child";
import type { Child } from "./child";

describe("tenantry local", function () {
  this.timeout(60_000);
  let directory: string;
  const children: Child[] = [];
  const cli = (...args: string[]): Child => {
    const child = runChild("dist/sdk/cli/main.js", "local", "--dir", directory, ...args);
    children.push(child);
    return child;
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tenantry-test-"));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await child.end("SIGKILL");
    await rm(directory, { recursive: true, force: true });
  });

  it("says where it listens and how to use it, without the token, and stops on Ctrl-C", async () => {
    const child = cli("--port", "0", "--organization", "acme", "--organization", "globex");
    await child.printed(/Ctrl-C.*\n/);
    const endpoint = readEndpoint(directory);
    assert.ok(endpoint);
    const { stdout } = child.output();
    for (const part of [endpoint.url, endpoint.id, "acme, globex", "pulumi config set tenantry:platform local"])
      assert.ok(stdout.includes(part), part);
    assert.ok(!stdout.includes(endpoint.apiToken));
    assert.equal(endpoint.pid, child.process.pid);
    assert.equal((await fetch(`${endpoint.url}/health`)).status, 200);
    assert.equal(await child.end("SIGINT"), 0);
    assert.match(child.output().stdout, /\nStopping: .*again.*\nStopped\.\n$/);
    assert.equal(readEndpoint(directory), undefined);
  });

  it("stops as well when nobody reads any more what it says, as behind `| head -1`", async () => {
    const child = cli("--port", "0");
    await child.printed(/Ctrl-C.*\n/);
    child.process.stdout?.destroy();
    child.process.stderr?.destroy();
    assert.equal(await child.end("SIGINT"), 0);
    // Whole, or its address would be here still.
    assert.ok(!(await readdir(directory)).includes("endpoint.json"));
  });

  it("prints the token when asked", async () => {
    const child = cli("--port", "0", "--show-token");
    await child.printed(/Ctrl-C.*\n/);
    assert.ok(child.output().stdout.includes(readEndpoint(directory)?.apiToken ?? "?"));
    assert.equal(await child.end("SIGTERM"), 0);
  });

  it("ends with one clear line when the port or the folder is taken", async () => {
    const platform = await startLocalPlatform({ directory });
    const locked = cli("--port", "0");
    const other = await startLocalPlatform();
    const port = new URL(other.url).port;
    assert.equal(await locked.ended(), 1);
    assert.match(locked.output().stderr, new RegExp(`^tenantry: .*${directory}.*process ${process.pid}.*\\n$`));
    await platform.close();
    const file = join(directory, "file");
    await writeFile(file, "");
    for (const [folder, why] of [
      [file, "EEXIST"],
      [join(file, "x"), "ENOTDIR"],
    ] as const) {
      const unusable = cli("--port", "0", "--dir", folder);
      assert.equal(await unusable.ended(), 1);
      assert.match(unusable.output().stderr, new RegExp(`^tenantry: The folder ${folder} cannot .*${why}.*\\n$`));
    }
    const damaged = join(directory, "damaged");
    await mkdir(damaged);
    await writeFile(join(damaged, "control.db"), "x".repeat(5000));
    const broken = cli("--port", "0", "--dir", damaged);
    assert.equal(await broken.ended(), 1);
    assert.match(
      broken.output().stderr,
      /^tenantry: The folder .*damaged cannot be used: file is not a database\..*\n$/,
    );
    const busy = cli("--port", port);
    assert.equal(await busy.ended(), 1);
    assert.match(busy.output().stderr, new RegExp(`^tenantry: Port ${port} .*in use.*\\n$`));
    await other.close();
  });

  it("says what is on, warns of a host that others can reach, and does as it says", async () => {
    const usual = cli("--port", "0");
    await usual.printed(/Ctrl-C.*\n/);
    assert.doesNotMatch(usual.output().stdout, /access|plan|latency|rate|failures/);
    assert.equal(await usual.end("SIGINT"), 0);
    assert.equal(usual.output().stderr, "");
    const faults = ["--latency", "control=1,data=2", "--rate", "0.001", "--fail", "100%", "--seed", "7"];
    const child = cli("--port", "0", "--host", "0.0.0.0", "--no-auth", "--plan", "free", ...faults);
    await child.printed(/Ctrl-C.*\n/);
    const { stdout } = child.output();
    for (const line of [
      "  access         no token is asked for (--no-auth)",
      "  plan           free: creates over its limits are refused",
      "  latency        1 ms Platform API, 2 ms SQL",
      "  rate           0.001 Platform API calls a second, then 429",
      "  failures       100 % of Platform API calls, --seed 7",
    ])
      assert.ok(stdout.includes(`${line}\n`), `${line}\n${stdout}`);
    const url = `http://127.0.0.1:${new URL(readEndpoint(directory)?.url ?? "").port}/v1/organizations/local/plans`;
    const first = await fetch(url).then(
      ({ status }) => status,
      () => "lost reply",
    );
    assert.ok([500, 503, "lost reply"].includes(first), String(first));
    const second = await fetch(url);
    assert.deepEqual([second.status, second.headers.get("retry-after")?.length], [429, 4]);
    assert.equal(await child.end("SIGINT"), 0);
    assert.match(
      child.output().stderr,
      /^Warning: others can reach this platform on 0\.0\.0\.0: no token.*delete.*\n$/,
    );
  });

  it("prints the seed that it chose", async () => {
    const child = cli("--port", "0", "--fail", "0.5%", "--latency", "3");
    await child.printed(/Ctrl-C.*\n/);
    assert.match(child.output().stdout, /latency +3 ms\n.*failures +0\.5 % of Platform API calls, --seed \d+\n/);
    assert.equal(await child.end("SIGTERM"), 0);
  });

  const nonsense: [string, string, RegExp][] = [
    ["--latency", "fast", /control=50,data=20/],
    ["--latency", "control=1,control=2", /control=50,data=20/],
    ["--latency", "control=1,", /control=50,data=20/],
    ["--rate", "0", /above 0/],
    ["--rate", "many", /above 0/],
    ["--fail", "120%", /share/],
    ["--fail", "often", /share/],
    ["--seed", "-1", /whole number/],
    ["--plan", "gold", /free/],
  ];
  for (const [flag, value, text] of nonsense) {
    it(`refuses ${flag} ${value}, and says what would do`, async () => {
      // In this process: the words are wrong before anything is started.
      const command = localCommand()
        .exitOverride()
        .configureOutput({ writeErr: () => undefined });
      await assert.rejects(command.parseAsync(["--dir", directory, `${flag}=${value}`], { from: "user" }), text);
      assert.deepEqual(await readdir(directory), []);
    });
  }

  it("refuses a port that is none", async () => {
    const child = cli("--port", "seventy");
    assert.equal(await child.ended(), 1);
    assert.match(child.output().stderr, /65535/);
  });
});
