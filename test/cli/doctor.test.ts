import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { openSql } from "../../provider/platform/sql";
import { openRegistry } from "../../provider/registry/registry";
import { registrySchema } from "../../provider/registry/schema";
import { registryName } from "../../provider/registry/reserved-names";
import { type LocalPlatform, startLocalPlatform } from "../../provider/local";
import type { Check } from "../../sdk/cli/doctor/check";
import { apiCaller, mint } from "../local/api-caller";
import { type Script, fakeJwt, freshToken, refusingUrl, withScriptedServer } from "../support/scripted-server";
import { type Ended, runCli } from "./run-cli";

const root = join(__dirname, "..", "..");
const inSeconds = (days: number): number => Math.floor(Date.now() / 1000) + days * 86_400;

interface Report extends Ended {
  readonly ok: boolean;
  readonly checks: readonly Check[];
  /** The checks of a name. */
  of(name: string): Check[];
}

describe("tenantry doctor", function () {
  this.timeout(120_000);
  let folder: string;
  let commands: string;
  let searchPath: string;

  /** Stands in for the engine: its version, and the config it prints. */
  const fakePulumi = async (version: string, config: Record<string, string> = {}): Promise<void> => {
    const entries = Object.entries(config).map(([key, value]) => [key, { value, secret: false }]);
    const script = `#!/bin/sh
      case "$1" in
        version) echo '${version}' ;;
        config) case "$*" in *"--stack dev"*) echo '${JSON.stringify(Object.fromEntries(entries))}' ;;
                  *) echo "error: no stack named 'prod' found" >&2; exit 255 ;; esac ;;
      esac\n`;
    for (const name of ["pulumi", "pulumi-language-nodejs"]) {
      await writeFile(join(commands, name), script);
      await chmod(join(commands, name), 0o755);
    }
  };
  const doctor = async (env: NodeJS.ProcessEnv, ...args: string[]): Promise<Report> => {
    const ended = await runCli(["doctor", "--json", ...args], { cwd: folder, env: { PATH: searchPath, ...env } });
    assert.equal(ended.stderr, "");
    const { ok, checks } = JSON.parse(ended.stdout) as { ok: boolean; checks: Check[] };
    assert.equal(ended.code, ok ? 0 : 1);
    assert.equal(
      ok,
      checks.every((check) => check.status !== "problem"),
    );
    return { ...ended, ok, checks, of: (name) => checks.filter((check) => check.name === name) };
  };
  const said = (check: Check | undefined): string => `${check?.status}: ${check?.found} | ${check?.fix ?? ""}`;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "tenantry-doctor-"));
    commands = join(folder, "commands");
    searchPath = [commands, dirname(process.execPath)].join(delimiter);
    await mkdir(commands);
    await mkdir(join(folder, ".git"));
    await mkdir(join(folder, "node_modules", "@pulumi"), { recursive: true });
    await symlink(join(root, "node_modules", "@pulumi", "pulumi"), join(folder, "node_modules", "@pulumi", "pulumi"));
    await symlink(root, join(folder, "node_modules", "tenantry"));
    await fakePulumi("v3.250.0");
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  describe("on an embedded platform", () => {
    let platform: LocalPlatform;
    before(async () => (platform = await startLocalPlatform({ organizations: ["local", "globex"] })));
    after(() => platform.close());
    const env = (): NodeJS.ProcessEnv => ({
      TENANTRY_PLATFORM: "local",
      TENANTRY_API_URL: platform.url,
      TENANTRY_API_TOKEN: platform.apiToken,
    });

    it("finds nothing wrong, says where each setting came from, and prints a line a check", async () => {
      const ended = await runCli(["doctor", "--organization", "local"], {
        cwd: folder,
        env: { PATH: searchPath, ...env() },
      });
      assert.equal(ended.code, 0, ended.stdout);
      const lines = ended.stdout.trimEnd().split("\n");
      assert.ok(
        lines.slice(0, -1).every((line) => /^(?:ok {7}|warning {2}|problem {2})\S/.test(line)),
        ended.stdout,
      );
      assert.match(lines.at(-1) ?? "", /^\d+ ok, 0 warnings, 0 problems$/);
      for (const part of [
        `settings: platform "local" (TENANTRY_PLATFORM), organization "local" (--organization)`,
        `API ${platform.url} (TENANTRY_API_URL), API token (TENANTRY_API_TOKEN), concurrency 32 (default)`,
        `platform: local:${platform.id}/local answers`,
        "token: a platform API token, accepted; it never expires",
        "scopes: unrestricted: enough for every deploy",
        'organization: "local" has',
        'no limit in plan "local"',
      ])
        assert.ok(ended.stdout.includes(part), `${part}\n${ended.stdout}`);
      assert.ok(!ended.stdout.includes(platform.apiToken));
    });

    it("tells what a limited token lacks", async () => {
      await apiCaller(platform, "local").ok("POST", "/groups", { name: "limited", location: "local" });
      const body = { organization: "local", group: "limited", scopes: ["read-only"] };
      const api = apiCaller(platform);
      const { token } = await api.ok<{ token: string }>("POST", "/auth/api-tokens/reader", body);
      const { of, stdout } = await doctor({ ...env(), TENANTRY_API_TOKEN: token });
      assert.match(said(of("scopes")[0]), /^problem: .*\(read\).*group "?limited.*db:create/);
      assert.ok(!stdout.includes(token));
    });

    it("reads a running platform's own address and token, and says that another token is not used", async () => {
      const own = await startLocalPlatform({ directory: join(folder, ".tenantry", "local") });
      const { ok, of, stdout } = await doctor({
        TENANTRY_PLATFORM: "local",
        TENANTRY_API_TOKEN: "of-another-platform",
      });
      await own.close();
      assert.equal(ok, true);
      assert.match(said(of("settings")[1]), /^warning: the API token from TENANTRY_API_TOKEN is not used/);
      assert.ok(!stdout.includes("of-another-platform") && !stdout.includes(own.apiToken));
    });

    it("says how to start a platform that does not run, and looks no further", async () => {
      const { of, checks } = await doctor({ TENANTRY_PLATFORM: "local" });
      assert.match(said(of("platform")[0]), /^problem: .*npx tenantry local/);
      assert.equal(checks.at(-1)?.name, "platform");
    });

    it("shows each group's registry, and with their addresses the claims that look unfinished", async () => {
      const api = apiCaller(platform, "globex");
      for (const name of ["eu", "us", "half"]) await api.ok("POST", "/groups", { name, location: "local" });
      const name = registryName("eu");
      await api.ok("POST", "/databases", { name, group: "eu" });
      await api.ok("POST", "/databases", { name: registryName("half"), group: "half" });
      const token = await mint(api, `databases/${name}`);
      const sql = openSql({ url: platform.databaseUrl(name, "globex"), token: async () => token });
      await sql.batch(registrySchema, "write");
      const registry = openRegistry(sql, "acme/shop/dev");
      const claim = (tenant: string) =>
        registry.claim({
          kind: "database",
          name: tenant,
          address: `acme/shop/dev/${tenant}-resource`,
          formerAddresses: [],
          owner: `owner-${tenant}`,
          incarnation: `incarnation-${tenant}`,
          existed: false,
          defaultName: true,
          force: false,
        });
      const [held, going] = await Promise.all([claim("held"), claim("going"), claim("begun")]);
      await registry.hold(held, "id-1", false);
      await registry.hold(going, "id-2", false);
      await registry.deleting(going);
      sql.close();

      const { ok, of } = await doctor({ ...env(), TENANTRY_ORGANIZATION: "globex" });
      assert.equal(ok, true);
      const eu = of('registry of group "eu"').map(said);
      assert.equal(eu.length, 3);
      assert.equal(eu[0], "ok: 1 name held, 2 unfinished | ");
      assert.match(
        eu[1] ?? "",
        /^warning: database "begun": a create was begun.*\(acme\/shop\/dev\/begun-resource\) \| .*pulumi up/,
      );
      assert.match(eu[2] ?? "", /^warning: database "going": a delete was begun.*\(acme\/shop\/dev\/going-resource\)/);
      assert.match(said(of('registry of group "half"')[0]), /^warning: it cannot be read: .*claims.* \| The next/);
      assert.match(said(of('registry of group "us"')[0]), /^ok: none yet/);
      assert.match(said(of("quota, databases")[0]), /^ok: 2 used, 2 of them Tenantry's own/);
    });

    it("reads --stack and every connection in it, the environment before it", async () => {
      await fakePulumi("v3.250.0", {
        "tenantry:platform": "local",
        "tenantry:apiUrl": platform.url,
        "tenantry:apiToken": platform.apiToken,
        "tenantry:organization": "nobody",
        "tenantry:connections": JSON.stringify({
          there: { platform: "local", organization: "globex", apiUrl: platform.url, apiToken: platform.apiToken },
          lost: { platform: "turso", organization: "acme" },
        }),
        "other:apiToken": "of another package",
      });
      const { ok, checks, stdout } = await doctor({ TENANTRY_ORGANIZATION: "local" }, "--stack", "dev");
      assert.equal(ok, false);
      const of = (connection: string | undefined, name: string) =>
        said(checks.find((check) => check.connection === connection && check.name === name));
      assert.match(of(undefined, "stack"), /^ok: "dev" has 5 settings/);
      assert.match(
        of(undefined, "settings"),
        /"local" \(tenantry:platform\), organization "local" \(TENANTRY_ORGANIZATION\)/,
      );
      assert.match(of("there", "settings"), /organization "globex" \(tenantry:connections\.there\.organization\)/);
      assert.match(of("there", "organization"), /^ok/);
      assert.match(
        of("lost", "settings"),
        /^problem: No Turso API token for the connection "lost" .*TENANTRY_API_TOKEN_LOST/,
      );
      assert.ok(!stdout.includes(platform.apiToken));
    });

    it("says why a stack cannot be read, and goes on with the environment", async () => {
      const { ok, of } = await doctor(env(), "--stack", "prod");
      assert.equal(ok, false);
      assert.match(said(of("stack")[0]), /^problem: .*"prod" cannot be read: no stack named 'prod' found/);
      assert.equal(of("token")[0]?.status, "ok");
    });

    it("names an organization that is not there", async () => {
      const { of, checks } = await doctor({ ...env(), TENANTRY_ORGANIZATION: "nobody" });
      assert.match(said(of("organization")[0]), /^problem: .*nobody/);
      assert.equal(checks.at(-1)?.name, "organization");
    });
  });

  describe("on a platform with limits", () => {
    const org = "/v1/organizations/acme";
    interface Facts {
      readonly exp?: number;
      readonly token?: object;
      readonly used?: object;
      readonly quotas?: object;
      readonly refused?: readonly string[];
    }
    const script =
      ({ exp = -1, token, used, quotas, refused = [] }: Facts): Script =>
      ({ path }) => {
        if (refused.includes(path)) return { status: 403, json: { error: "forbidden" } };
        const answers: Record<string, unknown> = {
          "/v1/locations": { locations: { "aws-eu-west-1": "Ireland" } },
          "/v1/auth/validate": { exp },
          "/v1/auth/api-tokens": { tokens: [{ id: "other", name: "other", scopes: [] }, ...(token ? [token] : [])] },
          [`${org}/groups`]: { groups: [{ name: "eu", uuid: "g", primary: "aws-eu-west-1" }] },
          [`${org}/databases`]: { databases: [], pagination: null },
          [`${org}/usage`]: { organization: { uuid: "u", usage: used ?? {}, databases: [] } },
          [`${org}/subscription`]: {
            subscription: { name: "Acme", plan: "scaler", overages: false, timeline: "monthly" },
          },
          [`${org}/plans`]: { plans: [{ name: "scaler", quotas: quotas ?? {} }] },
        };
        return path in answers ? { json: answers[path] } : { status: 404, json: { error: "not found" } };
      };
    const against = (
      answers: Script,
      apiToken: string,
      use: (report: Report, asked: string[]) => void,
    ): Promise<void> =>
      withScriptedServer(answers, async ({ url, requests }) => {
        const env = {
          TENANTRY_PLATFORM: "turso",
          TURSO_ORGANIZATION: "acme",
          TURSO_API_URL: url,
          TURSO_API_TOKEN: apiToken,
        };
        const report = await doctor(env);
        assert.ok(!report.stdout.includes(apiToken));
        use(
          report,
          requests.map(({ path }) => path),
        );
      });

    it("says what is not told, and that is no problem", async () => {
      const parts = ["/v1/auth/api-tokens", `${org}/usage`, `${org}/plans`, `${org}/subscription`];
      await against(script({ refused: parts }), freshToken(), ({ ok, of }) => {
        assert.equal(ok, true);
        assert.match(said(of("scopes")[0]), /^ok: .*does not tell.*full access to the organization, because/);
        assert.match(said(of("quota, databases")[0]), /^ok: 0 used; the limit is not known/);
        assert.match(said(of("quota, groups")[0]), /^ok: 1 used; the limit is not known/);
      });
    });

    it("warns of a scoped token that expires soon and of quotas nearly used", async () => {
      const facts = {
        exp: inSeconds(6.5),
        token: { id: "t-1", name: "ci", scopes: ["read", "db:create"], organization: "acme", group: "eu" },
        used: { databases: 450, groups: 3 },
        quotas: { databases: 500, groups: 3 },
      };
      await against(script(facts), fakeJwt({ id: "t-1", iat: 1 }), ({ ok, of }) => {
        assert.equal(ok, false);
        assert.match(
          said(of("token")[0]),
          /^warning: a platform API token \("ci"\), .*expires on .*, in 6 days \| Mint/,
        );
        assert.match(said(of("scopes")[0]), /^problem: scoped \(read, db:create\), limited to group "eu".*db:delete/);
        assert.match(said(of("quota, databases")[0]), /^warning: 450 used of 500 of plan "scaler": 50 left \| /);
        assert.match(said(of("quota, groups")[0]), /^warning: 3 used of 3 .*none left/);
      });
    });

    it("names a database token without sending it anywhere", async () => {
      await against(script({}), fakeJwt({ a: "rw", gid: "group" }), ({ ok, of, checks }, asked) => {
        assert.equal(ok, false);
        assert.match(said(of("token")[0]), /^problem: .*database or group token.*TURSO_API_TOKEN/);
        assert.equal(checks.at(-1)?.name, "token");
        assert.deepEqual(asked, ["/v1/locations"]);
      });
    });

    it("names a token that has expired", async () => {
      await against(script({}), fakeJwt({ exp: inSeconds(-3) }), ({ ok, of }) => {
        assert.equal(ok, false);
        assert.match(said(of("token")[0]), /^problem: The API token expired on \d{4}-/);
      });
    });

    it("names a token that the platform rejects, in its words", async () => {
      const answers: Script = (request) =>
        request.path === "/v1/locations" ? script({})(request) : { status: 401, json: { error: "token is revoked" } };
      await against(answers, freshToken(), ({ of, checks }) => {
        assert.match(said(of("token")[0]), /^problem: .*rejected .*token is revoked/);
        assert.equal(checks.at(-1)?.name, "token");
      });
    });

    it("names an address that nobody answers at", async () => {
      const env = { TENANTRY_PLATFORM: "turso", TURSO_ORGANIZATION: "acme", TURSO_API_TOKEN: freshToken() };
      const { of, checks } = await doctor(env, "--api-url", await refusingUrl());
      assert.match(said(of("settings")[0]), /\(--api-url\)/);
      assert.match(said(of("platform")[0]), /^problem: .*connection refused/);
      assert.equal(checks.at(-1)?.name, "platform");
    });
  });
});
