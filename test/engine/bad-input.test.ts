import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type LocalPlatform, startLocalPlatform } from "../../provider/local";
import { apiCaller, mint } from "../local/api-caller";
import { type Project, type ProjectOptions, type Run, withProject } from "../support/engine";
import { type Fate, type FaultyLine, type LineCall, openFaultyLine } from "../support/faulty-line";

const imports = 'import { DatabaseToken, Group, SchemaTemplate, TenantDatabase } from "tenantry";\n';
/** Six resources that need the platform, in a group that they do not own. */
const six = `${imports}for (const name of ["a", "b", "c", "d", "e", "f"]) new TenantDatabase(name, { group: "eu" });`;
const one = `${imports}new TenantDatabase("acme", { group: "eu" });`;
const migrated = `${imports}
const schema = new SchemaTemplate("app", { migrations: "./migrations" });
new TenantDatabase("acme", { group: "eu", schema });`;

/** What the engine itself adds to every failure. */
const engineWords = /^(?:preview|update|refresh|destroy|deleting|creating) failed|^Resource (?:preview|operation)/i;

/** The errors that people read, one a line of the log, without the engine's own closing words. */
function errorsOf(run: Run): string[] {
  assert.doesNotMatch(run.output, /^\s+at .+:\d+:\d+\)?$/m, "a stack trace");
  assert.doesNotMatch(run.output, /Internal error/);
  return run.diagnostics
    .filter(({ severity, message }) => severity === "error" && !engineWords.test(message.trim()))
    .map(({ message }) => message.trim());
}

/** Exactly one error, in which all of this is found. */
function assertOneError(run: Run, ...patterns: RegExp[]): void {
  const errors = errorsOf(run);
  assert.equal(errors.length, 1, `${errors.length} errors:\n${errors.join("\n---\n")}\n${run.output}`);
  for (const pattern of patterns) assert.match(errors[0]!, pattern);
}

/** One error explains; every other one is a short line. */
function assertExplainedOnce(run: Run, explanation: RegExp, least: number): void {
  const errors = errorsOf(run);
  assert.equal(errors.filter((text) => explanation.test(text)).length, 1, errors.join("\n---\n"));
  assert.ok(errors.length >= least, run.output);
  for (const text of errors) {
    if (explanation.test(text)) continue;
    assert.ok(text.length < 160 && !text.includes("\n"), text);
  }
}

describe("bad input, on the engine", function () {
  this.timeout(290_000);
  let platform: LocalPlatform;
  let line: FaultyLine;
  let fate: (call: LineCall) => Fate;
  let authenticated: number;

  beforeEach(async () => {
    platform = await startLocalPlatform({ organizations: ["local", "globex"] });
    for (const organization of platform.organizations) {
      await apiCaller(platform, organization).ok("POST", "/groups", { name: "eu", location: "aws-eu-west-1" });
    }
    [fate, authenticated] = [() => "pass", 0];
    line = await openFaultyLine(platform.url, (call) => {
      if (call.path.startsWith("/v1/")) authenticated += 1;
      return fate(call);
    });
  });
  afterEach(async () => {
    await line.close();
    await platform.close();
  });

  const local = (): Record<string, string> => ({
    TENANTRY_PLATFORM: "local",
    TENANTRY_API_URL: line.url,
    TENANTRY_API_TOKEN: platform.apiToken,
  });
  /** The same platform, as Turso. */
  const turso = (): NonNullable<ProjectOptions["config"]> => ({
    "tenantry:platform": "turso",
    "tenantry:organization": "local",
    "tenantry:apiUrl": line.url,
    "tenantry:databaseUrl": `${platform.url}/db/{name}/`,
    "tenantry:apiToken": { secret: platform.apiToken },
  });
  const contents = async (): Promise<unknown> => {
    const of = async (organization: string) => {
      const api = apiCaller(platform, organization);
      const { databases } = await api.ok<{ databases: { DbId: string }[] }>("GET", "/databases");
      return [await api.ok("GET", "/groups"), databases.map(({ DbId }) => DbId).sort()];
    };
    return Promise.all(platform.organizations.map(of));
  };
  /** Runs `use` and demands that it changes nothing on the platform. */
  const unchanged = async <Result>(use: () => Promise<Result>): Promise<Result> => {
    const before = await contents();
    const result = await use();
    assert.deepEqual(await contents(), before);
    return result;
  };
  const failing = async (project: Project, verb: "up" | "preview" | "refresh" | "destroy" = "preview", more = {}) =>
    unchanged(() => project[verb]({ fails: true, ...more }));

  it("tells all that is wrong with a resource, with path and way out", async () => {
    const cases: [string, RegExp[]][] = [
      [
        `new TenantDatabase("acme", { group: "eu", name: "Acme!", deleteProtecton: true, expiresIn: "soon",
           sizeLimit: "huge", isolation: "own", allowedIps: ["10.0.0.300"], timeouts: { create: "1 min" } } as any);`,
        [
          /name: "Acme!" is not a valid name.*"acme" would be/,
          /deleteProtecton: .*did you mean "deleteProtection"\?/,
          /expiresIn: "soon" is not a duration.*"7d"/,
          /sizeLimit: must be a size such as "256mb"/,
          /isolation: local cannot do that/,
          /allowedIps\.0: must be an IP address or a CIDR range/,
          /timeouts\.create: "1 min" is not a duration/,
        ],
      ],
      [
        `new DatabaseToken("reader", { database: "acme", group: "eu", acces: "read-only", renewBefore: "9d" } as any);`,
        [/acces: .*did you mean "access"\?/, /database: give a database or a group/, /renewBefore: it must be shorter/],
      ],
    ];
    await withProject({ files: {}, env: local() }, async (project) => {
      for (const [text, patterns] of cases) {
        await project.write({ "index.ts": imports + text });
        const run = await failing(project);
        const said = errorsOf(run).join("\n");
        for (const pattern of patterns) assert.match(said, pattern);
        const [first] = patterns;
        assert.equal(said.split("\n").filter((text) => first!.test(text)).length, 1, said);
      }
    });
  });

  it("tells an unknown location and an unknown group in the preview, both at once, and on up", async () => {
    const program = `${imports}new Group("us", { location: "aws-mars-1" });
      new TenantDatabase("acme", { group: "europe" });`;
    await withProject({ files: { "index.ts": program }, env: local() }, async (project) => {
      const said = errorsOf(await failing(project));
      assert.equal(
        said.filter((text) => /us: location: there is no location "aws-mars-1".*aws-eu-west-1/.test(text)).length,
        1,
      );
      assert.equal(said.filter((text) => /acme: group: there is no group "europe".*\beu\b/.test(text)).length, 1);
      await project.write({ "index.ts": `${imports}new TenantDatabase("acme", { group: "europe" });` });
      assertOneError(await failing(project, "up"), /group: there is no group "europe".*There is "eu"/);
      await project.write({ "index.ts": `${imports}new Group("us", { location: "aws-mars-1" });` });
      assertOneError(await failing(project, "up"), /no location "aws-mars-1".*aws-eu-west-1/);
    });
  });

  it("tells what is not configured, with the command that does it", async () => {
    await withProject({ files: { "index.ts": one } }, async (project) => {
      assertOneError(await failing(project), /No platform is configured.*`pulumi config set tenantry:platform local`/);
      await project.setConfig({ "tenantry:platform": "turso" });
      assertOneError(await failing(project), /pulumi config set --secret tenantry:apiToken/);
      await project.setConfig({ "tenantry:apiToken": { secret: "a-token" } });
      assertOneError(await failing(project), /pulumi config set tenantry:organization/);
    });
  });

  it("explains a wrong API token once, in one call, and names a database token without any", async () => {
    const config = { ...turso(), "tenantry:apiToken": { secret: "wrong-token-1" } };
    await withProject({ files: { "index.ts": six }, config }, async (project) => {
      const preview = await failing(project);
      assert.equal(errorsOf(preview).filter((text) => /API token was rejected/.test(text)).length, 1);
      authenticated = 0;
      const up = await failing(project, "up", { args: ["--parallel", "16", "--continue-on-error"] });
      assertExplainedOnce(up, /API token was rejected .*401/, 6);
      assert.equal(authenticated, 1);

      const token = await mint(apiCaller(platform, "local"), "groups/eu");
      await project.setConfig({ "tenantry:apiToken": { secret: token } });
      authenticated = 0;
      const named = await failing(project, "up", { args: ["--parallel", "16", "--continue-on-error"] });
      assertExplainedOnce(named, /is a database or group token/, 6);
      assert.equal(authenticated, 0);
      assert.ok(![preview, up, named].some(({ output }) => output.includes(token) || output.includes("wrong-token-1")));
    });
  });

  it("knows on refresh and destroy whose configuration the engine uses", async () => {
    await withProject({ files: { "index.ts": six }, config: turso() }, async (project) => {
      await project.up({ args: ["--parallel", "16"] });
      fate = ({ path }) => (path.startsWith("/v1/") ? { status: 401, text: '{"error":"token is invalid"}' } : "pass");
      for (const verb of ["refresh", "destroy"] as const) {
        authenticated = 0;
        const run = await failing(project, verb, { args: ["--parallel", "16"] });
        assertExplainedOnce(run, /API token was rejected.*last `pulumi up`.*environment/s, 1);
        assert.ok(authenticated <= 2, `${authenticated} calls`);
      }
      assert.equal((await project.stackExport()).deployment.resources!.filter(({ id }) => id).length >= 6, true);
    });
  });

  it("refuses state of another organization or platform, with both names", async () => {
    await withProject({ files: { "index.ts": one }, config: turso() }, async (project) => {
      await project.up();
      const globex = { TENANTRY_ORGANIZATION: "globex" };
      const toGlobex = /lives in turso:local@.* points to turso:globex@/;
      assertOneError(await failing(project, "preview", { env: globex }), toGlobex);
      for (const verb of ["refresh", "destroy"] as const) {
        assertOneError(await failing(project, verb, { env: globex }), toGlobex);
      }
      const env = { TENANTRY_PLATFORM: "local", TENANTRY_ORGANIZATION: "local" };
      const toLocal = new RegExp(`lives in turso:local@.* points to local:${platform.id}`);
      await project.write({ "index.ts": one.replace("{ group:", "{ blockWrites: true, group:") });
      assertOneError(await failing(project, "up", { env }), toLocal);
    });
  });

  it("keeps the words of a plan's refusal, and leaves no intent", async () => {
    const words = "You have reached the maximum number of databases of the Developer plan";
    fate = ({ method, path, body }) =>
      method === "POST" && path.endsWith("/databases") && body.includes('"acme"')
        ? { status: 402, text: JSON.stringify({ error: words }) }
        : "pass";
    await withProject({ files: { "index.ts": one }, config: turso() }, async (project) => {
      assertOneError(await project.up({ fails: true }), new RegExp(words), /Upgrade the plan/);
      fate = ({ method, path, body }) =>
        method === "POST" && path.endsWith("/databases") && body.includes('"acme"')
          ? { status: 403, text: JSON.stringify({ error: words }) }
          : "pass";
      assertOneError(await failing(project, "up"), new RegExp(words));
      fate = () => "pass";
      const api = apiCaller(platform, "local");
      assert.equal((await api("GET", "/databases/acme")).status, 404);
      await project.up();
      assert.equal((await api("GET", "/databases/acme")).status, 200);
    });
  });

  it("reads a folder of migrations critically, in the program", async () => {
    const folders: [string, Record<string, string>, RegExp][] = [
      ["missing", {}, /app: migrations: the folder "\.\/migrations-missing" does not exist/],
      ["empty", { "README.md": "nothing yet" }, /migrations-empty" holds no \.sql file/],
      ["double", { "1_a.sql": "SELECT 1;", "01_b.sql": "SELECT 2;" }, /01_b\.sql.*have the same number 1/],
      ["nameless", { "init.sql": "SELECT 1;" }, /init\.sql" does not begin with a number/],
      ["latin", { "1_a.sql": "SELECT '\u00e4';" }, /1_a\.sql" is not UTF-8 text/],
    ];
    await withProject({ files: {}, env: local() }, async (project) => {
      for (const [name, files, pattern] of folders) {
        await project.write({ "index.ts": migrated.replace("./migrations", `./migrations-${name}`) });
        for (const [file, text] of Object.entries(files)) {
          await mkdir(join(project.folder, `migrations-${name}`), { recursive: true });
          await writeFile(join(project.folder, `migrations-${name}`, file), text, name === "latin" ? "latin1" : "utf8");
        }
        assertOneError(await failing(project), pattern);
      }
    });
  });

  it("applies nothing of a file that fails, and says file, line and tenant; refuses an edited one in the preview", async () => {
    const init = "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT);";
    const files = { "index.ts": migrated, "migrations/0001_init.sql": init };
    await withProject({ files, env: local() }, async (project) => {
      await project.up();
      const api = apiCaller(platform, "local");
      const tables = async (): Promise<string> => {
        const response = await fetch(`${platform.url}/db/acme/v2/pipeline`, {
          method: "POST",
          headers: { authorization: `Bearer ${await mint(api, "databases/acme")}` },
          body: JSON.stringify({
            requests: [
              { type: "execute", stmt: { sql: "SELECT group_concat(name) FROM sqlite_schema WHERE type = 'table'" } },
            ],
          }),
        });
        return response.text();
      };
      await project.write({
        "migrations/0002_more.sql": "CREATE TABLE more (x);\n\nINSERT INTO nowhere VALUES (1);\n",
      });
      const up = await project.up({ fails: true });
      assertOneError(
        up,
        /acme: migrations\/0002_more\.sql, line 3: .*no such table: nowhere.*Nothing of that file was applied/s,
      );
      assert.doesNotMatch(await tables(), /more/);

      await project.write({ "migrations/0002_more.sql": "BEGIN; CREATE TABLE more (x); COMMIT;" });
      assertOneError(await project.up({ fails: true }), /0002_more\.sql", line 1: BEGIN is refused/);

      await project.write({ "migrations/0001_init.sql": `${init} -- edited` });
      await project.write({ "migrations/0002_more.sql": "CREATE TABLE more (x);" });
      const preview = await failing(project);
      assert.ok(
        errorsOf(preview).some((text) => /acme has had the migrations up to 0001_init/.test(text)),
        preview.output,
      );

      await project.write({ "migrations/0001_init.sql": init });
      await project.up();
      assert.match(await tables(), /more/);
    });
  });

  it("says what a platform in trouble answers: HTML, half a text, nothing; and waits for a slow one", async () => {
    const troubles: [Fate, RegExp][] = [
      [{ status: 200, text: "<html><h1>Sign in</h1></html>", type: "text/html" }, /HTML|JSON/],
      [{ status: 200, text: '{"groups":[{"na' }, /JSON/],
    ];
    await withProject({ files: { "index.ts": six }, config: turso() }, async (project) => {
      const told = async (pattern: RegExp): Promise<void> => {
        const errors = errorsOf(await failing(project, "up", { args: ["--parallel", "16"] }));
        assert.equal(errors.filter((text) => pattern.test(text)).length, 1, errors.join("\n---\n"));
      };
      for (const [trouble, pattern] of troubles) {
        fate = () => trouble;
        await told(pattern);
      }
      await line.close();
      await told(/ECONNREFUSED|refuse/);
      line = await openFaultyLine(platform.url, async (): Promise<Fate> => {
        await new Promise((resolve) => setTimeout(resolve, 400));
        return "pass";
      });
      await project.setConfig({ "tenantry:apiUrl": line.url });
      assert.deepEqual((await project.up({ args: ["--parallel", "16"] })).counts, { create: 6 });
    });
  });
});
