import assert from "node:assert/strict";
import { hasCode } from "../../provider/platform/errors";
import { openSql } from "../../provider/platform/sql";
import { type ServedSqld, describeWithSqld, serveSqld } from "../support/sqld";

const spec = { access: "full-access", lifetime: 600 } as const;
const names = Array.from({ length: 60 }, (_, i) => `db-${i}`);
/** Its name must not end a statement that many share. */
const quoted = `o'brien"s \\ group`;

describeWithSqld("libsql-server driver, when many ask at the same moment", () => {
  let sqld: ServedSqld;
  before(async () => (sqld = await serveSqld()));
  after(() => sqld?.close());

  it("gives each name to one of two processes, and each caller what is his", async () => {
    const [one, two] = [sqld.platform(), sqld.platform()];
    await one.createGroup({ name: "g", location: "default" });
    await one.createGroup({ name: quoted, location: "default" });

    const make = (platform: typeof one) => [
      ...names.map((name, i) =>
        platform.createDatabase({ name, group: i % 2 ? "g" : quoted, sizeLimit: `${i + 1}mb` }),
      ),
      platform.createDatabase({ name: "lost", group: "nowhere" }),
    ];
    const ends = await Promise.allSettled([...make(one), ...make(two)]);
    const perProcess = names.length + 1;
    for (const [i, name] of [...names, "lost"].entries()) {
      const both = [ends[i]!, ends[i + perProcess]!];
      const made = both.flatMap((end) => (end.status === "fulfilled" ? [end.value] : []));
      const refused = both.flatMap((end) => (end.status === "rejected" ? [end.reason as unknown] : []));
      if (name === "lost") {
        assert.ok(refused.length === 2 && refused.every((error) => hasCode(error, "group-not-found")));
        continue;
      }
      // Two with one intent are one create: both of them may come to its end.
      assert.ok(made.length > 0, name);
      for (const database of made) assert.deepEqual([database.name, database.group], [name, i % 2 ? "g" : quoted]);
      for (const error of refused) assert.ok(hasCode(error, "already-exists"), String(error));
      assert.equal(new Set(made.map(({ id }) => id)).size, 1, name);
    }

    const opened = await Promise.all(
      names.map(async (name, i) => {
        const [database, { token }, configuration] = await Promise.all([
          two.getDatabase(name),
          two.mintToken({ database: name }, spec),
          two.getConfiguration(name),
        ]);
        assert.equal(configuration?.sizeLimit, `${i + 1}mb`);
        const sql = openSql({ url: two.databaseUrl(database!), token: async () => token });
        const { rows } = await sql.execute({ sql: "SELECT 1 AS x", args: [] }).finally(() => sql.close());
        return rows.length;
      }),
    );
    assert.equal(opened.length, names.length);
  });
});
