import assert from "node:assert/strict";
import path from "node:path";
import { describe, it } from "mocha";
import { runCli } from "../cli/run-cli";
import { withCountedPlatform } from "../support/counted-platform";
import { withProject, type Project } from "../support/engine";
import { startRecordingProxy } from "../support/recording-proxy";
import { assertNowhere, filesUnder, formsOf, type Place } from "../support/secret-search";

const program = (access: string, rotate: string) => `
import * as pulumi from "@pulumi/pulumi";
import { ApiToken, DatabaseToken, Group, SchemaTemplate, TenantDatabase } from "tenantry";
const connection = "ours";
const eu = new Group("eu", { location: "local", connection });
const app = new SchemaTemplate("app", { migrations: "./migrations", connection });
const label = new pulumi.Config().requireSecret("label");
const acme = new TenantDatabase("acme", { group: eu, schema: app, tenant: label, connection });
const reader = new DatabaseToken("reader", { database: acme, access: "${access}", rotate: "${rotate}", connection });
const all = new DatabaseToken("all", { group: eu, connection });
const deploy = new ApiToken("deploy", { group: eu, scopes: ["read"], rotate: "${rotate}", connection });
export const token = reader.token;
export const apiToken = deploy.token;
export const groupToken = all.token;
export const url = acme.url;
export const own = label;
`;
const label = 'tenant "of" config/secret+ü';
const address = { user: "someone", password: "pa55 word/of+address" };
const wrongToken = "wrong_token_of_environment";

describe("secrets", () => {
  it("are looked for in each form that they can have", () => {
    const secret = 'a "secret"/of+text';
    for (const text of [
      ...[`x${secret}y`, encodeURIComponent(secret), JSON.stringify({ secret })],
      ...["", "1", "12", "123"].map((before) => Buffer.from(`${before}${secret}:after`).toString("base64")),
      ...["", "1", "12", "123"].map((before) => Buffer.from(`${before}${secret}`).toString("base64url")),
    ]) {
      assert.throws(() => assertNowhere([secret], [["here", text]]), /in clear/, text);
    }
    assertNowhere([secret], [["here", "another text of config"]]);
    assert.ok(formsOf(secret).every((form) => form.length > 8));
  });

  it("of any kind are nowhere in clear: export, state, history, logs, messages", async function () {
    this.timeout(300_000);
    await withCountedPlatform({}, async (platform) => {
      const proxy = await startRecordingProxy(platform.url);
      try {
        const files = { "index.ts": program("read-only", "1"), "migrations/0001_init.sql": "CREATE TABLE t (x);" };
        await withProject({ files, config: { label: { secret: label } } }, async (project) => {
          const set = async (key: string, value: string, ...flags: string[]) => {
            const place = `tenantry:connections.ours.${key}`;
            const args = ["config", "set", "--stack", project.stack, "--path", ...flags, place, value];
            assert.equal((await project.pulumi(args)).code, 0);
          };
          await set("platform", "local");
          await set("apiUrl", proxy.url);
          await set("apiToken", platform.apiToken, "--secret");
          const said = await live(project);

          const issued = proxy.exchanges.flatMap(({ answer }) => answer.match(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g) ?? []);
          const outputs = await project.outputs({ showSecrets: true });
          for (const name of ["token", "groupToken", "apiToken"])
            assert.ok(issued.includes(String(outputs[name])), name);
          assert.equal(outputs["own"], label);
          // Three tokens of the program, two of them minted again, and our own for each process that ran SQL.
          assert.ok(issued.length >= 7, `${issued.length} tokens issued`);
          assert.ok(
            proxy.exchanges.some(({ requestHeaders: { authorization } }) => authorization?.includes(issued[0]!)),
          );

          const places: Place[] = [...said, ["stack export", JSON.stringify(await project.stackExport())]];
          places.push(...(await filesUnder(path.dirname(project.folder))));
          for (const kind of ["history", ".bak", "Pulumi.dev.yaml", "events-1.json"]) {
            assert.ok(
              places.some(([where]) => where.includes(kind)),
              `no ${kind} was searched`,
            );
          }
          // The address was given in the environment only: its owner's place for it, and nobody else's.
          const secrets = [platform.apiToken, ...issued, label, address.password, wrongToken];
          assertNowhere(secrets, places);
          const destroyed = await project.destroy({ args: detailed });
          assertNowhere(secrets, [["destroy", destroyed.output]]);
        });
      } finally {
        await proxy.close();
      }
    });
  });

  it("are nowhere in what a crash leaves behind", async function () {
    this.timeout(300_000);
    await withCountedPlatform({}, async (platform) => {
      const files = {
        "index.ts": program("read-only", "1").replace('connection = "ours"', "connection = undefined"),
        "migrations/0001_init.sql": "CREATE TABLE t (x);",
        "crash.cjs": crash(Number(new URL(platform.url).port)),
      };
      const config = {
        label: { secret: label },
        "tenantry:platform": "local",
        "tenantry:apiUrl": platform.url,
        "tenantry:apiToken": { secret: platform.apiToken },
      };
      await withProject({ files, config }, async (project) => {
        const options = `--require ${path.join(project.folder, "crash.cjs")} --report-directory=${project.folder}`;
        const places: Place[] = [];
        for (const how of ["abort", "exit"]) {
          const run = await project.up({ args: detailed, env: { NODE_OPTIONS: options, CRASH: how }, fails: true });
          places.push([how, run.output]);
        }
        // Pulumi's host of providers survives an exception that nobody caught.
        places.push([
          "throw",
          (await project.up({ args: detailed, env: { NODE_OPTIONS: options, CRASH: "throw" } })).output,
        ]);
        places.push(...(await filesUnder(path.dirname(project.folder))));
        const written = places.filter(([where]) => /report\.[^/\\]*\.json$/.test(where));
        assert.equal(written.length, 3, "a diagnostic report of each");
        assert.ok(written.every(([, text]) => text.includes('"javascriptStack"')));
        assertNowhere([platform.apiToken, label], places);
      });
    });
  });
});

const detailed = ["--diff"];

/** Ends the provider's process when it first connects to the platform, its secrets being in its memory by then. */
const crash = (port: number): string => `
const net = require("node:net");
const connect = net.connect;
let done = false;
if ((process.argv[1] ?? "").includes("dynamic-provider")) {
  net.connect = function (...args) {
    if (Number(args[0]?.port) === ${port} && !done) {
      done = true;
      process.report.writeReport();
      if (process.env.CRASH === "abort") process.abort();
      if (process.env.CRASH === "exit") process.exit(3);
      process.nextTick(() => { throw new Error("crash on purpose"); });
      void Promise.reject(new Error("crash on purpose"));
    }
    return connect.apply(this, args);
  };
}
`;

/**
 * A stack's life with its errors; everything that was said, by where it was said. Without -v and --debug: then the
 * engine and its SDK print whatever passes between them, every provider's secrets included.
 */
async function live(project: Project): Promise<Place[]> {
  const said: Place[] = [];
  const note = (what: string, { output }: { output: string }) => void said.push([what, output]);
  note("up", await project.up({ args: detailed }));
  await project.write({ "index.ts": program("full-access", "2") });
  note("preview", await project.preview({ args: detailed }));
  note("up with a change", await project.up({ args: detailed }));
  note("refresh", await project.refresh({ args: detailed }));
  await project.write({ "migrations/0002_broken.sql": "ALTER TABLE nowhere ADD COLUMN y;" });
  note("up that fails", await project.up({ args: detailed, fails: true }));
  const { user, password } = address;
  const token = { TENANTRY_API_TOKEN_OURS: wrongToken };
  note("up with a wrong token", await project.up({ args: detailed, env: token, fails: true }));
  const connection = { TENANTRY_PLATFORM: "local", TENANTRY_API_TOKEN: wrongToken };
  const stack = ["--stack", project.stack];
  for (const url of [
    `http://${user}:${encodeURIComponent(password)}@127.0.0.1:1`,
    `http://127.0.0.1:1/?authToken=${encodeURIComponent(password)}`,
    `nonsense://${user}:${password}@x`,
  ]) {
    const env = { ...connection, TENANTRY_API_URL: url };
    note("doctor with a password in an address", outputOf(await doctor(project, env)));
    const databases = { ...connection, TENANTRY_API_URL: "http://127.0.0.1:1", TENANTRY_DATABASE_URL: `${url}/{name}` };
    note("doctor with one in databases' addresses", outputOf(await doctor(project, databases)));
  }
  const shown = { ...connection, TENANTRY_API_URL: `http://${user}:${encodeURIComponent(password)}@127.0.0.1:1` };
  note("preview with a password in an address", await project.pulumi(["preview", ...stack], shown));
  note("doctor", outputOf(await doctor(project, {}, ...stack)));
  note("doctor as JSON", outputOf(await doctor(project, {}, ...stack, "--json")));
  const commands = [
    ["stack", "--show-ids"],
    ["stack", "output"],
    ["stack", "output", "--json"],
    ["stack", "history", "--json"],
  ];
  for (const args of [...commands, ["config"], ["config", "--json"], ["about", "--json"]]) {
    const ended = await project.pulumi([...args, ...stack]);
    assert.equal(ended.code, 0, ended.output);
    note(args.join(" "), ended);
  }
  return said;
}

const doctor = (project: Project, env: Record<string, string>, ...args: string[]) =>
  runCli(["doctor", ...args], { cwd: project.folder, env: { ...project.env, ...env } });
const outputOf = ({ stdout, stderr }: { stdout: string; stderr: string }) => ({ output: `${stdout}\n${stderr}` });
