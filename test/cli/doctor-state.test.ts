import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { homedir, hostname, tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { checkpointCheck } from "../../sdk/cli/doctor/checkpoint";
import { lockChecks } from "../../sdk/cli/doctor/lock";
import { markOf } from "../../provider/resources/api-token";
import { typeToken, urnOf } from "../../provider/resources/self";
import { folderOf, strayToken } from "../../sdk/cli/doctor/state";

const stack = { name: "organization/shop/dev", from: "--stack" } as const;

describe("doctor on pending operations", () => {
  it("tells by what an API token is known that a killed run may have made", () => {
    for (const self of [`${stack.name}/deploy`, `${stack.name}/my:app:Shop$deploy`]) {
      const urn = urnOf(self, typeToken("apiToken"));
      const told = strayToken(stack, { type: "creating", urn })!;
      assert.match(told, /^An API token may have been made for "deploy" that nobody has: revoke what /);
      assert.ok(told.includes(`\`npx tenantry org tokens\` lists with "${markOf(self)}" in its name`), told);
      assert.equal(strayToken(stack, { type: "updating", urn }), undefined);
    }
    const urn = urnOf(`${stack.name}/acme`, typeToken("tenantDatabase"));
    assert.equal(strayToken(stack, { type: "creating", urn }), undefined);
  });
});

describe("doctor on a file backend", () => {
  let backend: string;
  const write = async (file: string, text: string): Promise<string> => {
    const at = join(backend, ".pulumi", file);
    await mkdir(dirname(at), { recursive: true });
    await writeFile(at, text);
    return at;
  };
  beforeEach(async () => (backend = await mkdtemp(join(tmpdir(), "tenantry state-"))));
  afterEach(() => rm(backend, { recursive: true, force: true }));

  it("finds its folder, however `pulumi login` was given it", () => {
    assert.equal(folderOf("file:///srv/state%20of/it?no_tmp_dir=true"), "/srv/state of/it");
    assert.equal(folderOf("file://~"), homedir());
    assert.equal(folderOf("file://~/state"), join(homedir(), "state"));
    assert.equal(folderOf("file://./state"), resolve("state"));
    assert.equal(folderOf("s3://bucket"), undefined);
    assert.equal(folderOf("https://app.pulumi.com/acme"), undefined);
  });

  it("puts back the last whole checkpoint: the one before, else the newest backup", async () => {
    const check = () => checkpointCheck(backend, stack);
    assert.equal(await check(), undefined);
    const file = await write("stacks/shop/dev.json", "{}");
    assert.equal(await check(), undefined);
    await write("stacks/shop/dev.json", "");
    assert.match((await check())!.fix!, /no whole one beside it/);
    await write("backups/shop/dev/dev.1732200000000000001.json", "{}");
    const newest = await write("backups/shop/dev/dev.1732200000000000002.json", "{}");
    await write("backups/shop/dev/dev.1732200000000000003.json", '{"cut');
    const bak = await write("stacks/shop/dev.json.bak", '{"version"');
    assert.equal((await check())!.fix, `Put the last whole one back: \`cp '${newest}' '${file}'\`.`);
    await write("stacks/shop/dev.json.bak", "{}");
    await write("stacks/shop/dev.json", '{"version":3,"check');
    assert.deepEqual(
      [(await check())!.status, (await check())!.fix!.includes(`cp '${bak}' '${file}'`)],
      ["problem", true],
    );
  });

  it("removes what is torn beside the state, and does both where both are", async () => {
    const check = () => checkpointCheck(backend, stack);
    const file = await write("stacks/shop/dev.json", "{}");
    const attributes = await write("stacks/shop/dev.json.attrs", '{"md5":"x"}');
    const bak = await write("stacks/shop/dev.json.bak", "{}");
    assert.equal(await check(), undefined);
    await write("stacks/shop/dev.json.attrs", "");
    assert.match((await check())!.fix!, new RegExp(`: \`rm '?${attributes}'?\`\\.$`));
    await write("stacks/shop/dev.json", "");
    assert.equal((await check())!.fix!.replaceAll("'", "").includes(`cp ${bak} ${file} && rm ${attributes}`), true);
  });

  it("tells a lock of a run that is over from one that may be at work", async () => {
    assert.deepEqual(await lockChecks(backend, stack), []);
    const over = spawn(process.execPath, ["-e", ""]);
    await new Promise((resolve) => over.once("close", resolve));
    const lock = { pid: over.pid, username: "ci", hostname: hostname(), timestamp: "2030-01-01T00:00:00Z" };
    const told = async (text: string): Promise<string> => {
      await write("locks/organization/shop/dev/one.json", text);
      const [check, ...others] = await lockChecks(backend, stack);
      assert.equal(others.length, 0);
      assert.match(check!.fix!, /`pulumi cancel --yes --stack organization\/shop\/dev`/);
      return `${check!.status}: ${check!.found} | ${check!.fix}`;
    };
    assert.match(
      await told(JSON.stringify(lock)),
      /^problem: .* by ci on \S+, process \d+, since 2030-.*not run any more/,
    );
    assert.match(await told(JSON.stringify({ ...lock, pid: process.pid })), /^warning: .*, which runs \| Wait for it/);
    assert.match(await told(JSON.stringify({ ...lock, hostname: "elsewhere.example" })), /^warning: .*If that run has/);
    assert.match(await told(""), /^problem: .*did not say who/);
    await write("locks/organization/shop/prod/two.json", JSON.stringify(lock));
    assert.equal((await lockChecks(backend, stack)).length, 1);
  });
});
