// Carries one database into another, in a process of its own that has what a provider process has: arguments are "ours" or
// "reference", the addresses of the SQL API, and how many rows must arrive. Prints { seconds, grown }: `grown` is how much
// more memory than at its start it ever had, in MiB; null where there is no /proc.
"use strict";
const { readFileSync } = require("node:fs");
const { openSql } = require("../../../dist/provider/platform/sql.js");
const { transfer } = require("../../../dist/provider/transfer/transfer.js");

async function ours(source, target) {
  const open = (url) => openSql({ url, token: async () => "none" });
  const [from, to] = [open(source), open(target)];
  const { rows } = await transfer(from, to);
  from.close();
  to.close();
  return rows;
}

/** As people write it: page by page with the client, a statement a row, and nothing compared but the count. */
async function reference(source, target) {
  const { createClient } = await import("@libsql/client");
  const [from, to] = [createClient({ url: source }), createClient({ url: target })];
  const { rows: tables } = await from.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'");
  let arrived = 0;
  for (const { name, sql } of tables) {
    await to.execute(sql);
    for (let last = 0; ;) {
      const size = name === "files" ? 4 : 2_000;
      const page = await from.execute({
        sql: `SELECT * FROM "${name}" WHERE id > ? ORDER BY id LIMIT ${size}`,
        args: [last],
      });
      if (page.rows.length === 0) break;
      const into = `INSERT INTO "${name}" VALUES (${page.columns.map(() => "?").join(", ")})`;
      await to.batch(
        page.rows.map((row) => ({ sql: into, args: page.columns.map((_, i) => row[i]) })),
        "write",
      );
      last = Number(page.rows.at(-1).id);
    }
    arrived += Number((await to.execute(`SELECT count(*) AS n FROM "${name}"`)).rows[0].n);
  }
  from.close();
  to.close();
  return arrived;
}

function peak() {
  try {
    return Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))[1]) / 1_024;
  } catch {
    return undefined;
  }
}

async function main([kind, source, target, rows]) {
  await import("@libsql/client");
  const before = peak();
  const began = performance.now();
  const arrived = await (kind === "ours" ? ours : reference)(source, target);
  if (arrived !== Number(rows)) throw new Error(`${arrived} of ${rows} rows arrived`);
  const seconds = (performance.now() - began) / 1_000;
  process.stdout.write(JSON.stringify({ seconds, grown: before === undefined ? null : peak() - before }));
}

main(process.argv.slice(2)).catch((error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
