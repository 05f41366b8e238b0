import assert from "node:assert/strict";
import { readFile, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "mocha";
import { decodePreview } from "../../provider/preview/value";
import type { PreviewReport } from "../../provider/preview/report";
import { withLifeScene } from "./life-scene";
import { withPreviewScene } from "../preview/preview-scene";
import { runCli } from "./run-cli";
import { mkdtemp, mkdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";

const whose = ["--repository", "shop/app", "--pull-request", "42"];

describe("tenantry preview", function () {
  // A start of the command takes seconds on a busy machine.
  this.timeout(240_000);

  it("makes, hands on, lists, and takes down; prints no token", async () => {
    await withPreviewScene(async ({ bench, opened, named }) => {
      const folder = await mkdtemp(path.join(tmpdir(), "tenantry-preview-"));
      try {
        const { url, apiToken } = bench.platform;
        const output = path.join(folder, "output");
        const env = {
          TENANTRY_PLATFORM: "local",
          TENANTRY_API_URL: url,
          TENANTRY_API_TOKEN: apiToken,
          GITHUB_OUTPUT: output,
        };
        const said: string[] = [];
        const cli = async (args: string[], code = 0) => {
          const ended = await runCli(["preview", ...args], { cwd: folder, env });
          assert.equal(ended.code, code, `${ended.stdout}${ended.stderr}`);
          said.push(ended.stdout, ended.stderr.replace(/^::add-mask::.*\n/gm, ""));
          return ended;
        };
        await mkdir(path.join(folder, "migrations"));
        await writeFile(
          path.join(folder, "migrations", "0001_due.sql"),
          "ALTER TABLE notes ADD COLUMN due TEXT;\nUPDATE notes SET due = 'soon';\n",
        );
        await writeFile(path.join(folder, "mask.yaml"), "users: { email: hash }\nnotes: { body: keep }\n");
        const up = [
          "up",
          "tenant-acme",
          "tenant-globex",
          "--data",
          "masked",
          "--mask",
          "mask.yaml",
          "--migrations",
          "migrations",
          ...whose,
        ];
        const first = await cli([...up, "--to-env-file", "preview.env", "--github-output", "--json"]);
        const report = JSON.parse(first.stdout) as PreviewReport;
        assert.deepEqual(
          report.branches.map(({ tenant, state, from, to, applied }) => [
            tenant,
            state,
            from,
            to,
            applied.map(({ id, rowsWritten }) => [id, rowsWritten]),
          ]),
          [
            ["tenant-acme", "ready", null, "0001_due", [["0001_due", 3]]],
            ["tenant-globex", "ready", null, "0001_due", [["0001_due", 3]]],
          ],
        );
        assert.equal(report.fleet.tenants, 2);
        assert.ok(report.fleet.projectedMs! > 0);
        const file = path.join(folder, "preview.env");
        assert.equal((await stat(file)).mode & 0o777, 0o600);
        const text = await readFile(file, "utf8");
        assert.equal(await readFile(output, "utf8"), text);
        const value = decodePreview(/^TENANTRY_PREVIEW=(.*)$/m.exec(text)![1]!);
        const { token, url: address } = value.tenants["tenant-acme"]!;
        assert.ok(text.includes(`TENANT_TENANT_ACME_TOKEN=${token}\n`));
        assert.match(first.stderr, new RegExp(`^::add-mask::${token.replaceAll(".", "\\.")}$`, "m"));
        assert.equal(first.stderr.split("::add-mask::").length - 1, 3, "two tokens and the value that holds them");
        assert.deepEqual(await opened(address, token, "SELECT due FROM notes WHERE id = 1"), [{ due: "soon" }]);

        const again = await cli(up);
        assert.match(
          again.stdout,
          /^tenant-acme +tenantry-pr-42-tenant-acme-\w+ +ready +none -> 0001_due +1 in [\d.]+ m?s, 3 rows written/m,
        );
        assert.match(again.stdout, /^No rule names these, and they cannot be null:$/m);
        assert.match(again.stdout, /^shop\/app#42: 2 of 2 branches ready \(masked\), until 20/m);
        const list = await cli(["list"]);
        assert.match(list.stdout, /^shop\/app#42 +tenant-acme +tenantry-pr-42-.* +eu +tenant-acme +masked +ready +20/m);
        assert.match((await cli(["reap"])).stdout, /2 databases with an end to come/);
        const orphans = await runCli(["registry", "orphans"], { cwd: folder, env });
        assert.match(
          orphans.stdout,
          /^0 claims in 1 group\.[^]*^2 more for pull requests: `npx tenantry preview list` shows them\.$/m,
        );
        await bench.sql(
          "tenantry-registry-eu",
          "UPDATE claims SET expires_at = '2026-01-01T00:00:00.000Z' WHERE tenant = 'tenant-globex'",
        );
        assert.match(
          (await cli(["reap"], 2)).stdout,
          /^tenantry-pr-42-tenant-globex-\w+ +eu +2026-01-01T00:00:00.000Z +to be deleted$/m,
        );
        const reaped = await runCli(["reap", "--yes"], { cwd: folder, env });
        assert.match(reaped.stdout, /^1 deleted, 1 database with an end to come/m);
        assert.equal((await named("tenantry-pr-")).length, 1, "whatever has come to its end");
        const down = await cli(["down", ...whose]);
        assert.match(down.stdout, /^shop\/app#42: 1 database deleted\.$/m);
        assert.deepEqual(await named("tenantry-pr-"), []);
        assert.match((await cli(["down", ...whose])).stdout, /^shop\/app#42: there are no branches\.$/m);
        assert.match((await cli(["list"])).stdout, /^There are no branches\.$/m);
        for (const { token: secret } of Object.values(value.tenants)) assert.ok(!said.join("").includes(secret));
        assert.ok(!said.join("").includes(/^TENANTRY_PREVIEW=(.*)$/m.exec(text)![1]!));
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    });
  });

  it("says what is wrong before anything is made", async () => {
    await withLifeScene(async ({ bench, cli }) => {
      await bench.api.ok("POST", "/databases", { name: "acme", group: "eu" });
      const of = "--repository shop/app --pull-request 42 --data copy";
      const refused = async (args: string, why: RegExp) => assert.match((await cli(`preview ${args}`, 1)).stderr, why);
      await refused(
        "up acme --data copy",
        /^tenantry: Whose branches are meant is not known.* Pass --repository owner\/name and --pull-request NUMBER\./,
      );
      await refused("up --repository shop/app --pull-request 42", /--data <what>/);
      await refused(`up ${of}`, /Which tenants get a branch was not said/);
      await refused(`up acmee ${of}`, /There is no tenant "acmee"\. Did you mean "acme"\?/);
      await refused(`up acme ${of} --github-output`, /GITHUB_OUTPUT/);
      await refused(`up acme ${of} --where ring=beta`, /"ring" is a label/);
      await refused(`up acme ${of} --mask nowhere.yaml`, /nowhere.yaml cannot be read/);
      await refused(`up acme ${of} --at yesterday`, /"yesterday" is no moment/);
      await refused(`up acme ${of} --migrations nowhere`, /nowhere/);
      assert.deepEqual(await bench.databases(true), ["acme"]);
    });
  });
});
