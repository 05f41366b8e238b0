import assert from "node:assert/strict";
import { createClient } from "../../provider/platform/libsql-client";
import { readClaims } from "../../provider/local/jwt";
import type { RequestEntry } from "../../provider/local";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { type TenantryOptions, createTenantry, subjectName } from "../../sdk/client";
import { runChild } from "../local/child";
import { type Bench, tenant, withBench } from "../support/bench";

/** An application of its own: what another one remembers, it does not. */
const application = ({ platform }: Bench, options: TenantryOptions = {}) =>
  createTenantry({
    ...{ platform: "local", apiUrl: platform.url, token: platform.apiToken, group: "eu", access: "full-access" },
    ...options,
  });

async function rows(url: string, token: string, sql: string): Promise<unknown[]> {
  const client = createClient({ url, authToken: token });
  try {
    return (await client.execute(sql)).rows.map((row) => Object.values(row)[0]);
  } finally {
    client.close();
  }
}

const controlled = (entries: RequestEntry[]): string[] =>
  entries.filter(({ path }) => path.startsWith("/v1/")).map(({ method, path }) => `${method} ${path}`);

describe("provision", () => {
  it("makes a subject's database, with a token for it alone, and finds it again", async () => {
    await withBench(async (bench) => {
      const tenantry = application(bench);
      const first = await tenantry.provision("user-1", { tokenTtl: "60s", label: "Ada" });
      assert.equal(first.created, true);
      assert.equal(first.database.name, await subjectName("user-1"));
      const left = (Date.parse(first.expiresAt) - Date.now()) / 1000;
      assert.ok(left > 50 && left <= 60, `${left} s`);
      const { id, a } = readClaims(first.token) as { id?: string; a?: string };
      assert.deepEqual([id, a ?? "rw"], [first.database.id, "rw"]);
      await rows(first.database.url, first.token, "CREATE TABLE notes (text)");
      await rows(first.database.url, first.token, "INSERT INTO notes VALUES ('kept')");
      for (const again of [await tenantry.provision("user-1"), await application(bench).provision("user-1")]) {
        assert.deepEqual(again.database, first.database);
        assert.equal(again.created, false);
        assert.deepEqual(await rows(again.database.url, again.token, "SELECT text FROM notes"), ["kept"]);
      }
      const [claim, ...others] = await bench.claims();
      assert.deepEqual(others, []);
      assert.equal(claim?.address, `runtime//subject-v1/${first.database.name}`);
      assert.deepEqual([claim?.state, claim?.databaseId, claim?.tenant], ["held", first.database.id, "Ada"]);
    });
  });

  it("makes one database, for 100 callers in one process", async () => {
    await withBench(async (bench) => {
      const tenantry = application(bench);
      const all = await Promise.all(Array.from({ length: 100 }, () => tenantry.provision("user-1")));
      assert.equal(new Set(all.map(({ database }) => database.id)).size, 1);
      assert.equal(all.filter(({ created }) => created).length, 1);
      assert.deepEqual(await bench.databases(), [await subjectName("user-1")]);
    });
  });

  it("makes one database, for 100 applications that know nothing of each other", async () => {
    await withBench(async (bench) => {
      const all = await Promise.all(Array.from({ length: 100 }, () => application(bench).provision("user-1")));
      assert.equal(new Set(all.map(({ database }) => database.id)).size, 1);
      assert.equal(all.filter(({ created }) => created).length, 1);
      assert.deepEqual(await bench.databases(), [await subjectName("user-1")]);
      assert.equal((await bench.claims()).length, 1);
    });
  }).timeout(60_000);

  it("makes one database, for callers in several processes", async () => {
    await withBench(async (bench) => {
      const { url, apiToken } = bench.platform;
      const children = Array.from({ length: 4 }, () =>
        runChild("test/client/provisioner.ts", url, apiToken, "user-1", "25"),
      );
      const codes = await Promise.all(children.map((child) => child.ended()));
      assert.deepEqual(codes, [0, 0, 0, 0], children.map((child) => child.output().stderr).join("\n"));
      const all = children.map((child) => JSON.parse(child.output().stdout) as { ids: string[]; created: number });
      assert.equal(new Set(all.flatMap(({ ids }) => ids)).size, 1);
      assert.equal(
        all.reduce((sum, { created }) => sum + created, 0),
        1,
      );
      assert.deepEqual(await bench.databases(), [await subjectName("user-1")]);
    });
  }).timeout(60_000);

  it("costs one API call where the database exists", async () => {
    let entries: RequestEntry[] = [];
    await withBench(
      async (bench) => {
        await application(bench).provision("user-1");
        await application(bench).provision("user-2");
        const another = application(bench);
        await another.provision("user-2");
        entries = [];
        await another.provision("user-1");
        const name = await subjectName("user-1");
        assert.deepEqual(controlled(entries), [`POST /v1/organizations/local/databases/${name}/auth/tokens`]);
      },
      { onRequest: (entry) => entries.push(entry) },
    );
  });

  it("begins with a template's schema and no rows, copied where that is possible", async () => {
    await withBench(async (bench) => {
      const { path, ref } = await bench.template({
        "0001_init.sql": "CREATE TABLE notes (text);",
        "0002_more.sql": "ALTER TABLE notes ADD COLUMN at;",
      });
      const tenantry = application(bench, { templates: { app: path }, template: "app" });
      const [one, two] = await Promise.all([tenantry.provision("user-1"), tenantry.provision("user-2")]);
      // The same by a SchemaTemplate's ref, with the folder it names.
      const three = await application(bench).provision("user-3", { template: ref });
      for (const { database, token } of [one, two, three]) {
        assert.deepEqual(await rows(database.url, token, "SELECT name FROM pragma_table_info('notes')"), [
          "text",
          "at",
        ]);
        assert.deepEqual(await rows(database.url, token, "SELECT id FROM _tenantry_migrations ORDER BY seq"), [
          "0001_init",
          "0002_more",
        ]);
      }
      const own = (await bench.databases(true)).filter((name) => name.startsWith("tenantry-template-"));
      assert.equal(own.length, 1, "one template database, shared with deploys");
      assert.deepEqual(
        (await bench.claims()).map(({ template }) => template),
        ["app", "app", "app"],
      );
    });
  });

  it("leaves the schema alone that a newer deploy has left, when it finds a database without a claim", async () => {
    await withBench(async (bench) => {
      const files = { "0001_init.sql": "CREATE TABLE notes (text);" };
      const { path: older } = await bench.template(files);
      const { path: newer } = await bench.template({ ...files, "0002_more.sql": "ALTER TABLE notes ADD COLUMN at;" });
      const first = await application(bench, { templates: { app: newer }, template: "app" }).provision("user-1");
      const registry = await bench.context().registry("eu", "organization/shop/dev");
      await registry.release((await bench.claims())[0]!);
      const again = await application(bench, { templates: { app: older }, template: "app" }).provision("user-1");
      assert.deepEqual([again.database, again.created], [first.database, false]);
      assert.deepEqual(await rows(again.database.url, again.token, "SELECT name FROM pragma_table_info('notes')"), [
        "text",
        "at",
      ]);
    });
  });

  it("goes on where a process died, before and after the database was made", async () => {
    await withBench(async (bench) => {
      const { path } = await bench.template({ "0001_init.sql": "CREATE TABLE notes (text);" });
      for (const lost of ["POST /v1/organizations/local/databases", "/auth/tokens"]) {
        const subject = `user of ${lost}`;
        const name = await subjectName(subject);
        const line = await bench.contextOn(({ method, path: at, body }) =>
          `${method} ${at}`.includes(lost) && (body.includes(name) || at.includes(name)) ? "die" : "pass",
        );
        const dying = application(bench, { apiUrl: line.line.url, templates: { app: path }, template: "app" });
        await assert.rejects(dying.provision(subject));
        const { database, token } = await application(bench, { templates: { app: path }, template: "app" }).provision(
          subject,
        );
        assert.equal(database.name, name);
        assert.deepEqual(await rows(database.url, token, "SELECT count(*) FROM notes"), [0]);
        assert.equal((await bench.claims()).find((claim) => claim.name === name)?.state, "held");
      }
      assert.equal((await bench.databases()).length, 2);
    });
  }).timeout(60_000);

  it("makes anew what somebody deleted by hand, and takes what somebody made anew", async () => {
    await withBench(async (bench) => {
      const tenantry = application(bench);
      const first = await tenantry.provision("user-1");
      await bench.api.ok("DELETE", `/databases/${first.database.name}`);
      const second = await tenantry.provision("user-1");
      assert.equal(second.created, true);
      assert.notEqual(second.database.id, first.database.id);
      await bench.api.ok("DELETE", `/databases/${first.database.name}`);
      await bench.api.ok("POST", "/databases", { name: first.database.name, group: "eu" });
      const third = await tenantry.provision("user-1");
      assert.equal(third.created, false);
      assert.equal(third.database.id, await bench.databaseId(first.database.name));
      assert.deepEqual(await rows(third.database.url, third.token, "SELECT 1"), [1]);
    });
  });

  it("finds a subject's database in another group than it would be made in", async () => {
    await withBench(async (bench) => {
      await bench.api.ok("POST", "/groups", { name: "us", location: "aws-us-east-1" });
      const first = await application(bench, { group: "us" }).provision("user-1");
      const again = await application(bench).provision("user-1");
      assert.deepEqual(again.database, first.database);
      assert.equal(again.created, false);
      assert.deepEqual(await bench.claims("eu"), [], "no intent stays behind");
    });
  });

  it("names the group itself only where there is no choice", async () => {
    await withBench(async (bench) => {
      const tenantry = application(bench, { group: undefined });
      assert.equal((await tenantry.provision("user-1")).created, true);
      await bench.api.ok("POST", "/groups", { name: "us", location: "aws-us-east-1" });
      await assert.rejects(application(bench, { group: undefined }).provision("user-2"), {
        code: "invalid-input",
        message: /^group: it is not said which of 2\. Pass group .*"eu", "us"/,
      });
      await assert.rejects(tenantry.provision("user-2", { geo: "eu" }), { code: "invalid-input", message: /^geo: / });
    });
  });

  it("refuses what it cannot give before anything is made", async () => {
    await withBench(async (bench) => {
      const tenantry = application(bench, { access: undefined });
      await assert.rejects(tenantry.provision("user-1"), {
        code: "unsupported",
        message: /^access: local has no "read-write" tokens.*"read-only" or "full-access"/,
      });
      const access = "read-only" as const;
      for (const tokenTtl of ["59s", "25h", "never", "soon"]) {
        await assert.rejects(tenantry.provision("user-1", { access, tokenTtl }), { message: /^tokenTtl: / });
      }
      await assert.rejects(tenantry.provision("user-1", { access, template: "ap" }), { message: /^template: / });
      await assert.rejects(tenantry.provision("", { access }), { message: /^subject: / });
      const typo = { access, templat: "app" } as never;
      await assert.rejects(tenantry.provision("user-1", typo), { message: /^provision: .*Did you mean "template"/ });
      await assert.rejects(tenantry.deprovision("user-1", { eraze: true } as never), {
        message: /Did you mean "erase"/,
      });
      await assert.rejects(tenantry.provision("user-1", { access, group: "nowhere" }), { code: "group-not-found" });
      assert.deepEqual(await bench.databases(true), []);
    });
  });

  it("is taken over by a deploy that adopts, without losing a row, and found again afterwards", async () => {
    await withBench(async (bench) => {
      const tenantry = application(bench);
      const first = await tenantry.provision("user-1");
      await rows(first.database.url, first.token, "CREATE TABLE notes AS SELECT 'kept' AS text");
      const { name } = first.database;
      const refused = tenantDatabase.create({ inputs: tenant(name), context: bench.context() });
      await assert.rejects(refused, { code: "already-exists", message: /at run time\. .*adopt: "unowned"/ });
      const inputs = tenant(name, { adopt: "unowned" });
      const { id, outputs } = await tenantDatabase.create({ inputs, context: bench.context() });
      assert.deepEqual([outputs.databaseId, outputs.adopted], [first.database.id, true]);
      for (const who of [tenantry, application(bench)]) {
        const again = await who.provision("user-1");
        assert.deepEqual(again.database, first.database);
        assert.deepEqual(await rows(again.database.url, again.token, "SELECT text FROM notes"), ["kept"]);
      }
      assert.equal((await bench.claims())[0]?.address, inputs.self);
      await assert.rejects(tenantry.deprovision("user-1", { erase: true }), { code: "not-owner" });
      // It was somebody's before: removing it from the program leaves it where it is.
      await tenantDatabase.delete({ id, outputs, context: bench.context() });
      assert.deepEqual(await bench.databases(), [name]);
      const after = await tenantry.provision("user-1");
      assert.deepEqual([after.database.id, after.created], [first.database.id, false]);
    });
  });

  it("is finished by a deploy that adopts where the application died, and is no deploy's to delete", async () => {
    await withBench(async (bench) => {
      const name = await subjectName("user-1");
      const line = await bench.contextOn(({ path }) => (path.includes(`${name}/auth`) ? "die" : "pass"));
      await assert.rejects(application(bench, { apiUrl: line.line.url }).provision("user-1"));
      const inputs = tenant(name, { adopt: "unowned" });
      const dies = await bench.contextOn(({ path, body }) =>
        path.startsWith("/db/tenantry-registry") && body.includes("SET state = 'held'") ? "die" : "pass",
      );
      await assert.rejects(tenantDatabase.create({ inputs, context: dies.context }));
      const { outputs } = await tenantDatabase.create({ inputs, context: bench.context() });
      assert.equal(outputs.adopted, true);
      assert.deepEqual(await bench.databases(), [name]);
    });
  }).timeout(60_000);
});

describe("deprovision", () => {
  it("blocks a database and keeps it, until it is provisioned again", async () => {
    await withBench(async (bench) => {
      const tenantry = application(bench);
      const { database, token } = await tenantry.provision("user-1");
      await rows(database.url, token, "CREATE TABLE notes AS SELECT 'kept' AS text");
      const left = await tenantry.deprovision("user-1", { erase: false });
      assert.deepEqual([left.database?.id, left.erased, left.keptUntil], [database.id, false, undefined]);
      assert.match(left.text, /stays in group "eu" with all its rows/);
      await assert.rejects(rows(database.url, token, "SELECT text FROM notes"), /blocked/i);
      const again = await tenantry.provision("user-1");
      assert.deepEqual([again.database.id, again.created], [database.id, false]);
      assert.deepEqual(await rows(database.url, again.token, "SELECT text FROM notes"), ["kept"]);
    });
  });

  it("erases a database, says what is left of it, and lets the subject begin anew", async () => {
    await withBench(async (bench) => {
      const tenantry = application(bench);
      const first = await tenantry.provision("user-1");
      const left = await tenantry.deprovision("user-1", { erase: true });
      assert.deepEqual([left.database?.id, left.erased, left.keptUntil], [first.database.id, true, undefined]);
      assert.match(left.text, /keeps no copy/);
      assert.deepEqual(await bench.databases(), []);
      assert.deepEqual(await bench.claims(), []);
      assert.match((await tenantry.deprovision("user-1", { erase: true })).text, /no database/);
      const second = await tenantry.provision("user-1");
      assert.equal(second.created, true);
      assert.notEqual(second.database.id, first.database.id);
      await assert.rejects(tenantry.deprovision("user-1", {} as never), { code: "invalid-input", message: /^erase: / });
    });
  });

  it("goes on where it died, and until then nobody provisions or adopts", async () => {
    await withBench(async (bench) => {
      const { database } = await application(bench).provision("user-1");
      const { name } = database;
      const { line } = await bench.contextOn(({ method, path }) =>
        method === "DELETE" && path.endsWith(name) ? "drop" : "pass",
      );
      const dying = application(bench, { apiUrl: line.url });
      await assert.rejects(dying.deprovision("user-1", { erase: true }));
      await assert.rejects(application(bench).provision("user-1"), { code: "not-ready", message: /being erased/ });
      const adopting = tenantDatabase.create({ inputs: tenant(name, { adopt: "unowned" }), context: bench.context() });
      await assert.rejects(adopting, { code: "already-exists", message: /erasing/ });
      await application(bench).deprovision("user-1", { erase: true });
      assert.deepEqual(await bench.databases(), []);
      assert.equal((await application(bench).provision("user-1")).created, true);
    });
  }).timeout(120_000);
});
