import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lineOf } from "../../sdk/cli/doctor/check";
import {
  atLeast,
  engineCheck,
  leastNode,
  leastPulumi,
  nodeCheck,
  packagesCheck,
} from "../../sdk/cli/doctor/installation";

const root = join(__dirname, "..", "..");

describe("tenantry doctor: the installation", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "tenantry-doctor-"));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const command = async (name: string, says: string): Promise<void> => {
    await writeFile(join(folder, name), `#!/bin/sh\n${says}\n`);
    await chmod(join(folder, name), 0o755);
  };
  const engine = async (): Promise<string> => lineOf(await engineCheck(folder));

  it("finds the engine and its language host, on PATH or beside the real file", async () => {
    await command("pulumi", "echo v3.250.0");
    await command("pulumi-language-nodejs", "exit 0");
    assert.match(await engine(), /^ok {7}engine: pulumi v3\.250\.0 with its language host/);
    const links = join(folder, "links");
    await mkdir(links);
    await symlink(join(folder, "pulumi"), join(links, "pulumi"));
    assert.equal((await engineCheck(links)).status, "ok");
  });

  it("names an engine that is missing, too old, broken, or without its language host", async () => {
    assert.match(await engine(), /^problem {2}engine: there is no pulumi on PATH\. Install Pulumi 3\.250\.0/);
    await command("pulumi", "echo v3.99.1");
    assert.match(await engine(), /^problem .*v3\.99\.1 is too old.*Install/);
    await command("pulumi", "exit 3");
    assert.match(await engine(), /^problem .*version` fails/);
    await command("pulumi", "echo hello");
    assert.match(await engine(), /^problem .*does not name a version/);
    await command("pulumi", "echo v3.300.0");
    assert.match(await engine(), /^problem .*no pulumi-language-nodejs/);
  });

  // What Node has resolved once it remembers, so each case has a folder of its own.
  const layouts: [string, Record<string, string>, RegExp][] = [
    ["missing", {}, /^problem {2}packages: @pulumi\/pulumi is not installed.*npm install/],
    ["too old", { "@pulumi/pulumi": "3.9.0" }, /^problem .*3\.9\.0 is too old.*npm install/],
    ["without tenantry", { "@pulumi/pulumi": "3.260.1" }, /^warning .*3\.260\.1, but tenantry is not installed/],
    [
      "as they should be",
      { "@pulumi/pulumi": "3.260.1", tenantry: "0.1.0" },
      /^ok {7}packages: @pulumi\/pulumi 3\.260\.1, tenantry 0\.1\.0$/,
    ],
    [
      "there twice",
      { "@pulumi/pulumi": "3.260.1", tenantry: "0.1.0", "tenantry/node_modules/@pulumi/pulumi": "3.250.0" },
      /^warning .*two copies .*3\.260\.1 and 3\.250\.0.*npm dedupe/,
    ],
  ];
  for (const [what, packages, expected] of layouts) {
    it(`tells packages that are ${what}`, async () => {
      for (const [name, version] of Object.entries(packages)) {
        const place = join(folder, "node_modules", name);
        await mkdir(place, { recursive: true });
        await writeFile(join(place, "package.json"), JSON.stringify({ name, version }));
      }
      assert.match(lineOf(packagesCheck(folder)), expected);
    });
  }

  it("asks for what package.json asks for", () => {
    const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Record<
      string,
      Record<string, string>
    >;
    const sdk = { ...manifest["dependencies"], ...manifest["peerDependencies"] }["@pulumi/pulumi"];
    assert.equal(sdk, `^${leastPulumi}`);
    assert.equal(manifest["engines"]?.["node"], `>=${leastNode}`);
    assert.equal(nodeCheck("20.18.0").status, "problem");
    assert.equal(nodeCheck().status, "ok");
  });

  it("compares versions by their numbers", () => {
    for (const version of ["3.250.0", "v3.250.0", "3.250.1", "3.1000.0", "4.0", "v3.250.0-dev.0"])
      assert.ok(atLeast(version, "3.250.0"), version);
    for (const version of ["3.249.9", "v3.25.0", "2.999.999", "", "none"])
      assert.ok(!atLeast(version, "3.250.0"), version);
  });
});
