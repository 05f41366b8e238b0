import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { group } from "../../provider/resources/group";
import { schemaTemplate } from "../../provider/resources/schema-template";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { usePostgres } from "../support/postgres";
import { failure } from "../support/tenantsdb/replies";
import { type Shop, withShop } from "../support/tenantsdb/shop";
import type { StandInOptions } from "../support/tenantsdb/stand-in";
import { type Ended, runCli } from "./run-cli";

interface Scene extends Shop {
  /** Runs `tenantry ...`; fails where it ends otherwise than `code` says, 0 by default, or prints a secret. */
  cli(args: readonly string[], code?: number): Promise<Ended>;
  json<Document>(args: readonly string[]): Promise<Document>;
  readonly acme: Awaited<ReturnType<typeof tenantDatabase.create>>;
}

describe("tenantry on TenantsDB", function () {
  // A start of the command takes seconds on a busy machine.
  this.timeout(240_000);
  const postgres = usePostgres("tenantry on TenantsDB");

  /** A tenant "acme" with a table of notes. */
  const withScene = (use: (scene: Scene) => Promise<void>, options: StandInOptions = {}): Promise<void> =>
    withShop({ postgres: postgres(), ...options }, async (shop) => {
      const { context, standIn, project, template, tenant } = shop;
      const { apiKey, proxyPassword } = standIn.project;
      const cwd = await mkdtemp(join(tmpdir(), "tenantry-life-"));
      const env = {
        ...{ TENANTRY_PLATFORM: "tenantsdb", TENANTRY_ORGANIZATION: project, TENANTRY_API_URL: standIn.url },
        ...{ TENANTRY_API_TOKEN: apiKey, TENANTRY_PROXY_PASSWORD: proxyPassword },
      };
      const cli: Scene["cli"] = async (args, code = 0) => {
        const ended = await runCli([...args], { cwd, env });
        const said = `${ended.stdout}${ended.stderr}`;
        assert.ok(!said.includes(apiKey) && !said.includes(proxyPassword), "it prints a secret");
        assert.equal(ended.code, code, said);
        return ended;
      };
      try {
        await group.create({
          inputs: { self: "organization/shop/dev/eu", name: project, location: "default" },
          context,
        });
        await schemaTemplate.create({ inputs: template(), context });
        const acme = await tenantDatabase.create({ inputs: tenant("acme", { schema: template().ref }), context });
        const json: Scene["json"] = async (args) => JSON.parse((await cli([...args, "--json"])).stdout) as never;
        await use({ ...shop, cli, json, acme });
      } finally {
        await rm(cwd, { recursive: true, force: true });
      }
    });

  it("brings back what was deleted softly, says what it lacks, and puts it back to the backup of then", () =>
    withScene(async ({ cli, json, standIn, context, acme }) => {
      await standIn.sql("app__acme", "INSERT INTO notes VALUES (1, 'a'), (2, 'b')");
      await tenantDatabase.delete({ ...acme, context });
      const { stderr } = await cli(["restore", "acme"], 1);
      const backup = standIn.project.tenants.get("acme")!.backups[0]!.path;
      const said =
        `tenantry: acme: it is back, but not with the rows it was deleted with: app.public.notes has 0 rows and had 2; ` +
        `what it had is in the backup "${backup}". Before anything writes there, put it back with ` +
        `\`npx tenantry restore acme --backup "${backup}"\`.\n`;
      assert.equal(stderr, said);
      const put = await json<Record<string, unknown>>(["restore", "acme", "--backup", backup]);
      assert.deepEqual([put["name"], put["backups"]], ["acme", [backup]]);
      assert.deepEqual(await standIn.sql("app__acme", "SELECT body FROM notes ORDER BY id"), [
        { body: "a" },
        { body: "b" },
      ]);
      assert.match((await cli(["restore", "acme"])).stdout, /^acme: it is not in the trash, so nothing was done\.$/m);
      const unknown = await cli(["restore", "acme", "--backup", "s3://nothing"], 1);
      assert.match(unknown.stderr, /Could not roll tenant "acme" back to "s3:\/\/nothing": backup not found \(404\)/);
    }));

  it("brings back what has all its rows without a word more", () =>
    withScene(async ({ cli, context, acme }) => {
      await tenantDatabase.delete({ ...acme, context });
      assert.match((await cli(["restore", "acme"])).stdout, /^acme: it is back, with all its rows\.$/m);
    }));

  it("says in one line what failed, in which state a tenant is, and does it the next time", () => {
    let trouble: ReturnType<NonNullable<StandInOptions["interfere"]>>;
    const interfere: StandInOptions["interfere"] = ({ method, path }) => {
      if (method !== "POST" || !path.startsWith("/tenants/acme/")) return undefined;
      const now = trouble;
      if (now === "lost") trouble = undefined;
      return now;
    };
    return withScene(
      async ({ cli, standIn, platform }) => {
        const stored = standIn.project.tenants.get("acme")!;
        const { id: backup } = (await platform.takeBackup!("acme"))!;
        const fails = async (args: readonly string[], says: RegExp): Promise<void> => {
          const { stdout, stderr } = await cli(args, 1);
          assert.equal(stdout, "");
          assert.match(stderr, says);
          assert.match(stderr, /^tenantry: [^\n]+\n$/);
        };
        trouble = failure(403, "this key may only read", "role_required");
        await fails(
          ["suspend", "acme"],
          /Could not suspend tenant "acme": this key may only read \(403\)\. Use an API key/,
        );
        await fails(
          ["restore", "acme", "--backup", backup],
          /Could not roll tenant "acme" back to .*only read \(403\)/,
        );
        trouble = failure(503, "maintenance");
        await fails(["suspend", "acme"], /Could not suspend tenant "acme": maintenance \(503\)/);
        await fails(
          ["restore", "acme", "--backup", backup],
          /Could not roll tenant "acme" back to .*maintenance \(503\)/,
        );
        trouble = undefined;
        await cli(["suspend", "acme"]);
        await fails(
          ["restore", "acme", "--backup", backup],
          /it is suspended.* Resume it first: `npx tenantry resume acme`/,
        );
        // Done, and the reply lost: asked again, it is found to be done.
        trouble = "lost";
        assert.match((await cli(["resume", "acme"])).stdout, /^acme: it goes on\.$/m);
        assert.deepEqual([trouble, stored.status], [undefined, "ready"]);
        assert.match((await cli(["restore", "acme", "--backup", backup])).stdout, /^acme: it is as it was in "s3:/m);
      },
      { interfere },
    );
  });

  it("suspends and resumes, lists deployments and backups, and reads logs", () =>
    withScene(async ({ cli, json, standIn, acme }) => {
      assert.equal(acme.outputs.name, "acme");
      const stored = standIn.project.tenants.get("acme")!;
      assert.match((await cli(["suspend", "acme"])).stdout, /^acme: reads and writes are refused, its data stays\.$/m);
      assert.equal(stored.status, "suspended");
      assert.match((await cli(["suspend", "acme"])).stdout, /^acme: it was suspended already\.$/m);
      assert.match((await cli(["resume", "acme"])).stdout, /^acme: it goes on\.$/m);
      assert.equal(stored.status, "ready");

      const all = (await cli(["deployments"])).stdout;
      assert.match(all, /^AT +BLUEPRINT +VERSION +STATUS +TENANTS +DEPLOYMENT$/m);
      assert.match(all, /^20\S+Z +app +1\.1 +completed +0 of 0 +dep_/m);
      assert.match((await cli(["deployments", "acme"])).stdout, /^There are none yet\.$/m);
      stored.deployments.push(...standIn.project.deployments.values());
      const { deployments } = await json<{ deployments: Record<string, unknown>[] }>(["deployments", "acme"]);
      assert.deepEqual(
        deployments.map(({ blueprint, version, status }) => [blueprint, version, status]),
        [["app", "1.1", "completed"]],
      );
      assert.match((await cli(["deployments", "--limit", "0"], 1)).stderr, /--limit: "0" is not a whole number/);

      const at = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();
      stored.logs.push(
        { query: "SELECT\n1", source: "proxy", success: true, ms: 2, at: at(0.1) },
        { query: "SELECT slow", source: "api", success: true, ms: 5_000, at: at(2) },
        { query: "SELECT wrong", source: "proxy", success: false, ms: 1, at: at(30) },
      );
      const logs = async (...flags: string[]): Promise<string[]> =>
        (await json<{ logs: { query: string }[] }>(["logs", "acme", ...flags])).logs.map(({ query }) => query);
      assert.deepEqual(await logs(), ["SELECT\n1", "SELECT slow", "SELECT wrong"]);
      assert.deepEqual(await logs("--type", "error"), ["SELECT wrong"]);
      assert.deepEqual(await logs("--type", "slow"), ["SELECT slow"]);
      assert.deepEqual(await logs("--source", "proxy", "--since", "90m"), ["SELECT\n1"]);
      assert.deepEqual(await logs("--search", "SELECT", "--since", "3h", "--limit", "1"), ["SELECT\n1"]);
      assert.match((await cli(["logs", "acme", "--since", "yesterday"], 1)).stderr, /--since/);
      assert.match((await cli(["backups", "acme", "--take"])).stdout, /^A backup was asked for: s3:/m);
      assert.match((await cli(["metrics", "acme"])).stdout, /^queries today +3$/m);
      assert.match((await cli(["stats", "acme"])).stdout, /^queries +3$/m);
      assert.match(
        (await cli(["instances", "acme"], 1)).stderr,
        /tenantsdb has nothing to tell of where a database runs/,
      );
    }));
});
