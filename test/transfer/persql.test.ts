import assert from "node:assert/strict";
import { createContext } from "../../provider/context";
import { readSettings } from "../../provider/platform/settings";
import { Unfinished } from "../../provider/resources/handler";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { clear } from "../../provider/transfer/clear";
import { transfer } from "../../provider/transfer/transfer";
import { tenant, withBench } from "../support/bench";
import { open, platformOf } from "../support/persql/driver";
import { type Meeting, withPersql } from "../support/persql/server";
import { everything } from "./everything";
import { rowsOf, run, withPair } from "./pair";

describe("transfer to PerSQL", () => {
  it("carries bytes, large numbers and infinities through plain JSON, parents before their children", async function () {
    this.timeout(60_000);
    await withPersql(async (persql) => {
      await withPair(async ({ source }) => {
        await run(source, ...everything.filter((text) => !/vector/.test(text)));
        const platform = platformOf(persql);
        const target = open(platform, await platform.createDatabase({ name: "bolt", group: "acme" }));
        const report = await transfer(source, target);
        assert.equal(report.rows, 33);
        for (const look of [
          "SELECT rowid, typeof(v) || hex(v) || quote(v) AS v, quote(n) AS n, quote(r) AS r, hex(t) AS t, hex(b) AS b FROM any_value ORDER BY rowid",
          "SELECT typeof(n) AS k, quote(n) AS n, region FROM keyed ORDER BY n, region",
          "SELECT id, parent FROM children ORDER BY id",
          "SELECT rowid FROM search WHERE search MATCH 'run'",
          "SELECT rowid FROM bare WHERE bare MATCH 'words'",
          "SELECT type, name, sql FROM sqlite_schema ORDER BY type, name",
        ]) {
          assert.deepEqual(await rowsOf(target, look), await rowsOf(source, look));
        }
      });
    });
  });

  it("is where a tenant goes, also after an attempt that failed, though nothing can be deleted there", async function () {
    this.timeout(60_000);
    let isBroken = true;
    const meet: Meeting = ({ body }, answer) =>
      isBroken && /INSERT INTO \W+notes/.test(JSON.stringify(body ?? ""))
        ? { status: 403, body: { error: { message: "no" } } }
        : answer();
    await withPersql(
      async (persql) => {
        await withBench(async (bench) => {
          const here = bench.context();
          const given = { platform: "persql", apiUrl: persql.url, apiToken: persql.adminToken };
          const there = createContext(platformOf(persql), readSettings(given, {}));
          const context = { ...there, knownScope: there.knownScope, beside: () => here };
          const made = await tenantDatabase.create({ inputs: tenant("bolt"), context: here });
          await run(here.sql(made.outputs), "CREATE TABLE notes (text)", "INSERT INTO notes VALUES ('first')");
          const news = tenant("bolt", { group: "acme", connection: "persql", onReplace: "copy" });
          const move = { id: made.id, olds: made.outputs, news, context };
          await assert.rejects(tenantDatabase.update(move), Unfinished);
          await run(here.sql(made.outputs), "UPDATE notes SET text = 'second'", "CREATE VIEW v AS SELECT * FROM notes");
          isBroken = false;
          const outputs = await tenantDatabase.update(move);
          assert.match(outputs.scope, /^persql:/);
          assert.deepEqual(await rowsOf(there.sql(outputs), "SELECT text FROM v"), [{ text: "second" }]);
          // The way back would lose what is written meanwhile.
          const back = tenant("bolt", { onReplace: "copy" });
          const diff = async () =>
            tenantDatabase.diff({
              ...{ id: made.id, olds: outputs, news: back },
              context: { ...here, knownScope: here.knownScope, beside: () => there },
            });
          await assert.rejects(diff, { code: "unsupported", message: /persql cannot block a database's writes/ });
        });
      },
      { meet },
    );
  });

  it("can be emptied again, whatever is there", async function () {
    this.timeout(60_000);
    await withPair(async ({ source }) => {
      await run(source, ...everything);
      await clear(source);
      assert.deepEqual(
        await rowsOf(
          source,
          "SELECT name FROM sqlite_schema WHERE name NOT IN ('sqlite_sequence', 'libsql_vector_meta_shadow')",
        ),
        [],
      );
      await clear(source);
    });
  });
});
