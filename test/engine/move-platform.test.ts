import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { openSql } from "../../provider/platform/sql";
import { runCli } from "../cli/run-cli";
import { withDoomedRun } from "../support/doomed-run";
import { comeBack } from "../support/kill-stage";
import { type Scene, isSqlOf, withScene } from "../support/scene";
import { type ServedSqld, hasSqld, serveSqld } from "../support/sqld";

const program = `
const { readFileSync } = require("node:fs");
const { DatabaseToken, SchemaTemplate, TenantDatabase } = require("tenantry");

const { place } = JSON.parse(readFileSync("place.json", "utf8"));
const schema = new SchemaTemplate("app", { migrations: "./migrations" });
const acme = new TenantDatabase("acme", { group: "eu", schema, ...place });
exports.url = acme.url;
exports.token = new DatabaseToken("acme-app", { database: acme, connection: place.connection }).token;
`;
const files = {
  "package.json": '{ "main": "index.js" }',
  "index.js": program,
  "place.json": '{ "place": {} }',
  "migrations/0001_notes.sql": "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL);\n",
};
const ROWS = 400;
const looks = "SELECT count(*) AS n, sum(id) AS ids, count(DISTINCT text) AS texts FROM notes";
const all = [{ n: ROWS, ids: (ROWS * (ROWS + 1)) / 2, texts: ROWS }];

describe("a tenant that moves from one platform to another", () => {
  it("takes its rows along, also when the run that carries them is killed, and is kept where it was", async function () {
    this.timeout(300_000);
    if (!(await hasSqld("moving a tenant to a libsql-server"))) this.skip();
    const sqld = await serveSqld();
    try {
      await sqld.platform().createGroup({ name: "eu", location: "default" });
      const ours = {
        ...{ platform: "libsql-server", apiUrl: sqld.adminUrl, apiToken: sqld.adminKey },
        ...{ databaseUrl: sqld.databaseUrl, signingKey: sqld.signingKey },
      };
      const config = { "tenantry:connections": { secret: JSON.stringify({ ours }) } };
      await withScene({ files, config }, (scene) => move(scene, sqld));
    } finally {
      await sqld.close();
    }
  });
});

async function move(scene: Scene, sqld: ServedSqld): Promise<void> {
  const { project } = scene;
  assert.deepEqual((await project.up()).counts, { create: 3 });
  const numbers = `WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < ${ROWS}) SELECT x FROM c`;
  await scene.sql("acme", `INSERT INTO notes (text) SELECT 'note ' || x FROM (${numbers})`);

  const { folder, env } = project;
  const plan = await runCli(["move", "acme", "--plan", "--to-connection", "ours"], { cwd: folder, env });
  assert.deepEqual([plan.code, plan.stderr], [0, ""]);
  assert.match(plan.stdout, /^acme: from group "eu" of local:\S+ to group "eu" of libsql-server:\S+$/m);
  assert.match(plan.stdout, /carries 401 rows in 2 tables/);
  assert.equal(await namespaces(sqld, "acme"), false, "a plan makes nothing");

  await project.write({ "place.json": '{ "place": { "connection": "ours", "onReplace": "copy" } }' });
  assert.deepEqual((await project.preview()).counts, { update: 2, same: 1 });
  await killedInTheMiddle(scene);
  const there = await onSqld(sqld, looks);
  assert.ok(Number(there[0]!["n"]) < ROWS, "the kill came when all had arrived");
  assert.deepEqual(await scene.sql("acme", looks), all);

  assert.deepEqual((await project.up()).counts, { update: 2, same: 1 });
  const { url, token } = (await project.outputs({ showSecrets: true })) as { url: string; token: string };
  assert.ok(url.includes(new URL(sqld.url).port), url);
  const app = openSql({ url, token: async () => token });
  assert.deepEqual((await app.execute({ sql: looks, args: [] })).rows, all);
  app.close();

  // The old one is kept, closed, and its end is written down.
  await assert.rejects(scene.sql("acme", looks), /block/i);
  assert.deepEqual(await scene.tenants(), ["acme"]);
  assert.deepEqual(await scene.claims(), ["database acme held organization/test-project/dev/acme#left"]);
  assert.deepEqual((await project.up()).counts, { same: 3 });
  const { text } = await project.stateFile();
  for (const secret of [sqld.signingKey, sqld.adminKey, token]) assert.ok(!text.includes(secret), "a secret in state");

  await project.destroy();
  assert.equal(await namespaces(sqld, "acme"), false);
  assert.deepEqual(await scene.tenants(), ["acme"], "what was left is not the stack's to delete any more");
}

/** The provider dies while it reads the second page of rows. */
async function killedInTheMiddle({ project, fault }: Scene): Promise<void> {
  await withDoomedRun(project, ["up", "--yes", "--skip-preview"], async (run) => {
    let pages = 0;
    fault((call) => {
      if (!isSqlOf(call, "acme") || !/ FROM \\?"notes\\?" .*LIMIT/.test(call.body) || ++pages !== 2) return "pass";
      run.killProvider();
      return "drop";
    });
    await run.ended;
    await comeBack(project, false);
    fault();
    await run.providersEnded();
    assert.ok(pages >= 2, "it had ended before");
  });
}

const namespaces = async (sqld: ServedSqld, name: string): Promise<boolean> =>
  (await sqld.admin("GET", `/v1/namespaces/${name}/config`)).status === 200;

async function onSqld(sqld: ServedSqld, sql: string) {
  const platform = sqld.platform();
  const { token } = await platform.mintToken({ database: "acme" }, { access: "read-only", lifetime: 60 });
  const opened = openSql({ url: platform.databaseUrl({ name: "acme", hostname: "" }), token: async () => token });
  return (await opened.execute({ sql, args: [] }).finally(() => opened.close())).rows;
}
