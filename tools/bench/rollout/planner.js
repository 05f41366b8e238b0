// Run as a process of its own, so that its heap can be limited: looks at a fleet of 10,000 tenants whose ledgers hold up
// to 50 migrations, plans a change of it, and writes the plan. Prints how long plan and text took, beside a bare loop over
// the same ledgers, in seconds. The ledgers are handed over as they come out of an answer, each with texts of its own.
"use strict";
const { prepareRollout } = require("../../../dist/provider/rollout/fleet/rollout.js");
const { planFleet, plannedTenants } = require("../../../dist/provider/rollout/fleet/plan.js");
const { planText } = require("../../../dist/provider/rollout/fleet/plan-text.js");
const { policyOf } = require("../../../dist/provider/rollout/fleet/policy.js");
const { openSql } = require("../../../dist/provider/platform/sql.js");
const { executionOf } = require("../../../dist/provider/rollout/source/execution.js");
const { shortHash } = require("../../../dist/provider/rollout/source/migration.js");
const { splitStatements } = require("../../../dist/provider/rollout/statements.js");

const size = 10_000;
const length = 50;
const migrations = Array.from({ length }, (_, i) => {
  const id = `${String(i + 1).padStart(4, "0")}_step`;
  const sql = `CREATE TABLE t${i} (id INTEGER PRIMARY KEY);\nCREATE INDEX i${i} ON t${i} (id);`;
  return { id, file: `${id}.sql`, hash: shortHash(sql), sql, ...executionOf(splitStatements(sql), true) };
});
const tenants = Array.from({ length: size }, (_, i) => ({
  name: `tenant-${i}`,
  group: `group-${i % 4}`,
  labels: { ring: i % 100 === 1 ? "beta" : "stable" },
}));
/** A few are complete, most lack the last ones, some are far behind. */
const has = (i) => (i % 10 === 0 ? length : i % 7 === 0 ? i % length : length - 1 - (i % 3));

function answer(i) {
  const rows = migrations
    .slice(0, has(i))
    .map(({ id, hash }) => ({ id, hash, applied_at: "2026-01-01T00:00:00Z", run: 7 }));
  return JSON.parse(JSON.stringify(rows));
}

const byName = new Map(tenants.map(({ name, group }) => [name, { name, group, hostname: `${name}-org.turso.io` }]));
const context = {
  settings: { concurrency: 16 },
  listing: { databases: async () => ({ byName }), database: async () => undefined },
  registrySql: async () => undefined,
  // The client that each tenant costs is a real one, kept like those of a run.
  sql({ name, hostname }) {
    const sql = openSql({ url: `libsql://${hostname}`, token: async () => "token" });
    return { ...sql, execute: async () => ({ rows: answer(Number(name.slice(7))) }) };
  },
};

async function main() {
  const policy = { canary: { ring: "beta" }, waves: [0.1, 0.5, 1] };
  const template = { name: "app", digest: "0" };
  const prepared = await prepareRollout({ context, template, migrations, tenants, policy, startedBy: "the bench" });
  const { observation } = prepared.seen;

  const began = performance.now();
  const plan = planFleet({
    ...{ template: "app", history: migrations, tenants, observed: observation, policy: policyOf(policy) },
    quarantined: () => undefined,
  });
  const text = planText(plan, { migrations, findings: prepared.destruction.findings });
  const seconds = (performance.now() - began) / 1_000;

  const loopBegan = performance.now();
  let pending = 0;
  for (const tenant of tenants) {
    const { applied } = observation(tenant);
    if (applied.every(({ hash }, at) => hash === migrations[at].hash) && applied.length < length) pending++;
  }
  const loop = (performance.now() - loopBegan) / 1_000;
  if (pending !== plannedTenants(plan).length) throw new Error("the plan and the loop do not agree");
  process.stdout.write(`${JSON.stringify({ seconds, loop, pending, waves: plan.waves.length, lines: text.length })}\n`);
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
