import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createClient } from "../../provider/platform/libsql-client";
import { after, before, describe, it } from "mocha";
import { ensureSchema } from "../../sdk/client";
import { type ServedDatabase, serveDatabase } from "../clients/served-database";
import { mint } from "../local/api-caller";

/** Not idempotent: whoever runs them twice, counts twice. */
const files = {
  "0001_init.sql": "CREATE TABLE counts (n INTEGER); INSERT INTO counts VALUES (0);",
  "0002_count.sql": "UPDATE counts SET n = n + 1;",
  "0003_count.sql": "UPDATE counts SET n = n + 1;\nINSERT INTO counts VALUES (100);",
};

/** As another process would have it: what this one remembers is not known there. */
function anotherApplication(): typeof ensureSchema {
  const file = require.resolve("../../sdk/client/ensure-schema");
  const known = require.cache[file];
  delete require.cache[file];
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- a module that is loaded a second time
  const { ensureSchema: another } = require(file) as { ensureSchema: typeof ensureSchema };
  require.cache[file] = known;
  return another;
}

describe("ensureSchema", () => {
  let served: ServedDatabase;
  let root: string;
  const folder = async (contents: Record<string, string>): Promise<string> => {
    const made = await mkdtemp(path.join(root, "migrations-"));
    for (const [name, text] of Object.entries(contents)) await writeFile(path.join(made, name), text);
    return made;
  };
  const rowsOf = async (url: string, sql: string, authToken = served.token): Promise<unknown[]> => {
    const client = createClient({ url, authToken });
    try {
      return (await client.execute(sql)).rows.map((row) => Object.values(row)[0]);
    } finally {
      client.close();
    }
  };

  before(async () => {
    served = await serveDatabase();
    root = await mkdtemp(path.join(tmpdir(), "tenantry-client-"));
  });
  after(async () => {
    await served.close();
    await rm(root, { recursive: true });
  });

  it("brings a database to the folder's end, step by step where it is told a target", async () => {
    const url = await served.another();
    const options = { url, authToken: served.token, migrations: await folder(files) };
    assert.deepEqual(await ensureSchema({ ...options, target: "0002_count" }), {
      version: "0002_count",
      applied: ["0001_init", "0002_count"],
      ahead: false,
    });
    assert.deepEqual(await ensureSchema(options), { version: "0003_count", applied: ["0003_count"], ahead: false });
    assert.deepEqual(await rowsOf(url, "SELECT n FROM counts ORDER BY n"), [2, 100]);
    assert.deepEqual(await rowsOf(url, "SELECT id FROM _tenantry_migrations ORDER BY seq"), [
      "0001_init",
      "0002_count",
      "0003_count",
    ]);
    assert.deepEqual(await ensureSchema(options), { version: "0003_count", applied: [], ahead: false });
  });

  it("applies each migration once, however many connect at the same time", async () => {
    const url = await served.another();
    const migrations = await folder(files);
    const applications = Array.from({ length: 12 }, anotherApplication);
    const all = await Promise.all(applications.map((ensure) => ensure({ url, migrations, authToken: served.token })));
    assert.ok(all.every(({ version }) => version === "0003_count"));
    assert.deepEqual(await rowsOf(url, "SELECT n FROM counts ORDER BY n"), [2, 100]);
    const applied = all.flatMap((one) => one.applied).sort();
    assert.deepEqual(applied, ["0001_init", "0002_count", "0003_count"]);
  });

  it("leaves a database alone that is ahead of the application", async () => {
    const url = await served.another();
    await ensureSchema({ url, authToken: served.token, migrations: await folder(files) });
    const older = await folder({ "0001_init.sql": files["0001_init.sql"] });
    assert.deepEqual(await ensureSchema({ url, authToken: served.token, migrations: older }), {
      version: "0003_count",
      applied: [],
      ahead: true,
    });
  });

  it("refuses an edited history, a target that is not there, and keeps nothing of a file that fails", async () => {
    const url = await served.another();
    const authToken = served.token;
    const wrong = await folder({
      ...files,
      "0002_count.sql": "UPDATE counts SET n = n + 1;\n\nUPDATE absent SET n = 1;",
    });
    await assert.rejects(
      ensureSchema({ url, authToken, migrations: wrong }),
      /0002_count\.sql, line 3: .*no such table: absent/,
    );
    assert.deepEqual(await rowsOf(url, "SELECT n FROM counts"), [0]);
    const edited = await folder({ ...files, "0001_init.sql": "CREATE TABLE counts (n);" });
    await assert.rejects(ensureSchema({ url, authToken, migrations: edited }), /0001_init/);
    const target = "0009_later";
    await assert.rejects(
      ensureSchema({ url, authToken, migrations: edited, target }),
      /holds no migration "0009_later"/,
    );
    // A failure is not remembered: the corrected folder goes on from where it was.
    assert.deepEqual((await ensureSchema({ url, authToken, migrations: await folder(files) })).applied, [
      "0002_count",
      "0003_count",
    ]);
  });

  it("says so where the token may not change tables", async () => {
    const url = await served.another();
    const authToken = await mint(served.api, "groups/g", "authorization=read-only");
    await assert.rejects(ensureSchema({ url, authToken, migrations: await folder(files) }), (error: Error) => {
      assert.match(error.message, /0001_init\.sql/);
      assert.ok(!error.message.includes(authToken));
      return true;
    });
    await ensureSchema({ url, authToken: served.token, migrations: await folder(files) });
    // Where nothing is pending, a token that reads is enough.
    const again = await anotherApplication()({ url, authToken, migrations: await folder(files) });
    assert.deepEqual(again, { version: "0003_count", applied: [], ahead: false });
  });
});
