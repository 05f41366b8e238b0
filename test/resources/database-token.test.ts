import assert from "node:assert/strict";
import type { Context } from "../../provider/context";
import { jwtClaims } from "../../provider/drivers/turso/credential";
import { openSql } from "../../provider/platform/sql";
import {
  type DatabaseTokenInputs,
  type DatabaseTokenOutputs,
  databaseToken,
} from "../../provider/resources/database-token";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import { respond } from "../../provider/response";
import { type Bench, addressOf, tenant, withBench } from "../support/bench";

const asked = (more: Partial<DatabaseTokenInputs> = {}): DatabaseTokenInputs => ({
  self: addressOf("acme-app"),
  database: "acme",
  ...more,
});

type Made = { id: string; outputs: DatabaseTokenOutputs };
const changes = async ({ id, outputs }: Made, news: DatabaseTokenInputs, context: Context): Promise<boolean> =>
  (await databaseToken.diff({ id, olds: outputs, news, context })).changes;

async function opens(bench: Bench, database: string, token: string, sql = "SELECT 1"): Promise<boolean> {
  const opened = openSql({ url: bench.platform.databaseUrl(database), token: async () => token });
  try {
    await opened.execute({ sql, args: [] });
    return true;
  } catch {
    return false;
  } finally {
    opened.close();
  }
}

const withToken = (use: (bench: Bench, made: Made) => Promise<void>, inputs = asked()) =>
  withBench(async (bench) => {
    await tenantDatabase.create({ inputs: tenant("acme"), context: bench.context() });
    const made = await databaseToken.create({ inputs, context: bench.context() });
    await use(bench, made);
  });

describe("DatabaseToken", () => {
  it("is read-only and lives seven days unless told otherwise", async () => {
    await withToken(async (bench, { outputs }) => {
      const { exp, a } = jwtClaims(outputs.token)!;
      assert.equal(a, "ro");
      assert.equal(new Date(Number(exp) * 1000).toISOString(), outputs.expiresAt);
      assert.ok(Math.abs(Number(exp) * 1000 - Date.now() - 7 * 86_400_000) < 60_000);
      assert.equal(await opens(bench, "acme", outputs.token), true);
      assert.equal(await opens(bench, "acme", outputs.token, "CREATE TABLE x (y)"), false);
      assert.equal(outputs.databaseId, await bench.databaseId("acme"));
    });
  });

  it("is never minted by read, and not changed by it", async () => {
    await withToken(async (bench, made) => {
      const { context, line } = await bench.contextOn(() => "pass");
      assert.deepEqual(respond((await databaseToken.read({ ...made, context }))!), respond(made.outputs));
      assert.equal(await changes(made, asked(), context), false);
      assert.deepEqual(
        line.calls.filter(({ write }) => write !== undefined),
        [],
      );
    });
  });

  const minting: [string, Partial<DatabaseTokenInputs>][] = [
    ["access", { access: "full-access" }],
    ["lifetime", { expiresIn: "1d" }],
    ["subject", { database: undefined, group: "eu" }],
  ];
  for (const [what, change] of minting) {
    it(`is minted anew for another ${what}`, async () => {
      await withToken(async (bench, made) => {
        const news = asked(change);
        assert.equal(await changes(made, news, bench.context()), true);
        const outputs = await databaseToken.update({ id: made.id, olds: made.outputs, news, context: bench.context() });
        assert.notEqual(outputs.token, made.outputs.token);
        assert.equal(await opens(bench, "acme", outputs.token), true);
        assert.equal(await changes({ id: made.id, outputs }, news, bench.context()), false);
      });
    });
  }

  it("is only recorded anew for another renewBefore", async () => {
    await withToken(async (bench, made) => {
      const news = asked({ renewBefore: "1d" });
      assert.equal(await changes(made, news, bench.context()), true);
      const outputs = await databaseToken.update({ id: made.id, olds: made.outputs, news, context: bench.context() });
      assert.equal(outputs.token, made.outputs.token);
      assert.equal(await changes({ id: made.id, outputs }, news, bench.context()), false);
    });
  });

  it("is renewed in the last third of its life, or renewBefore its end", async () => {
    await withToken(async (bench, made) => {
      const day = 86_400_000;
      const aged = (days: number): Made => {
        const at = (time: string): string => new Date(Date.parse(time) - days * day).toISOString();
        const { issuedAt, expiresAt } = made.outputs;
        return { ...made, outputs: { ...made.outputs, issuedAt: at(issuedAt), expiresAt: at(expiresAt!) } };
      };
      const context = bench.context();
      assert.equal(await changes(aged(4), asked(), context), false);
      assert.equal(await changes(aged(5), asked(), context), true);
      const news = asked({ renewBefore: "1d" });
      const recorded = (days: number): Made => {
        const { id, outputs } = aged(days);
        return { id, outputs: { ...outputs, renewBefore: "1d" } };
      };
      assert.equal(await changes(recorded(5.9), news, context), false);
      assert.equal(await changes(recorded(6.1), news, context), true);
      const outputs = await databaseToken.update({ id: made.id, olds: aged(5).outputs, news: asked(), context });
      assert.ok(Date.parse(outputs.expiresAt!) > Date.now() + 6.9 * day);
    });
  });

  it("that never expires is never renewed", async () => {
    await withToken(
      async (bench, made) => {
        assert.equal(made.outputs.expiresAt, undefined);
        assert.equal(await changes(made, asked({ expiresIn: "never" }), bench.context()), false);
        assert.match(String(await databaseToken.delete({ ...made, context: bench.context() })), /stays valid for ever/);
      },
      asked({ expiresIn: "never" }),
    );
  });

  it("is minted anew when a refresh saw another database under the name", async () => {
    await withToken(async (bench, made) => {
      await bench.api.ok("DELETE", "/databases/acme");
      assert.deepEqual(
        respond((await databaseToken.read({ ...made, context: bench.context() }))!),
        respond(made.outputs),
      );
      await bench.api.ok("POST", "/databases", { name: "acme", group: "eu" });
      const outputs = (await databaseToken.read({ ...made, context: bench.context() }))!;
      assert.equal(outputs.token, made.outputs.token);
      assert.equal(await changes({ id: made.id, outputs }, asked(), bench.context()), true);
      const next = await databaseToken.update({ id: made.id, olds: outputs, news: asked(), context: bench.context() });
      assert.deepEqual([next.databaseId, next.presentId], [await bench.databaseId("acme"), undefined]);
      assert.equal(await opens(bench, "acme", next.token), true);
      assert.equal(await changes({ id: made.id, outputs: next }, asked(), bench.context()), false);
    });
  });

  it("is minted anew in the same run that makes its database anew", async () => {
    await withToken(async (bench, made) => {
      await bench.api.ok("DELETE", "/databases/acme");
      const context = bench.context();
      await tenantDatabase.create({ inputs: tenant("acme"), context });
      assert.equal(await changes(made, asked(), context), true);
    });
  });

  it("rotates: says whom it logs out, ends the old token and goes on working itself", async () => {
    await withToken(async (bench, made) => {
      const news = asked({ rotate: "2026-11" });
      const context = bench.context();
      const diff = await databaseToken.diff({ id: made.id, olds: made.outputs, news, context });
      assert.match(diff.note!, /every token of acme will stop working/);
      const outputs = await databaseToken.update({ id: made.id, olds: made.outputs, news, context });
      assert.deepEqual(
        [await opens(bench, "acme", made.outputs.token), await opens(bench, "acme", outputs.token)],
        [false, true],
      );
      assert.equal(await changes({ id: made.id, outputs }, news, context), false);
      await tenantDatabase.create({ inputs: tenant("next"), context });
    });
  });

  it("says on delete until when it works, and works until then", async () => {
    await withToken(async (bench, made) => {
      const said = await databaseToken.delete({ ...made, context: bench.context() });
      assert.ok(String(said).includes(`stays valid until ${made.outputs.expiresAt}`));
      assert.equal(await opens(bench, "acme", made.outputs.token), true);
    });
  });

  it("needs its database, and asks for it by name", async () => {
    await withBench(async (bench) => {
      await assert.rejects(databaseToken.create({ inputs: asked(), context: bench.context() }), {
        code: "database-not-found",
        message: /^database: there is no database "acme"/,
      });
    });
  });

  const wrong: [string, Partial<DatabaseTokenInputs>, RegExp][] = [
    ["no subject", { database: undefined }, /^database: give a database or a group/],
    ["two subjects", { group: "eu" }, /^database: give a database or a group/],
    ["an access that is none", { access: "write" as never }, /^access: /],
    [
      "an access that the platform has not",
      { access: "read-write" },
      /^access: local has no "read-write" tokens; use "/,
    ],
    ["a bad lifetime", { expiresIn: "soon" }, /^expiresIn: "soon" is not a duration/],
    ["a bad renewBefore", { renewBefore: "5" }, /^renewBefore: "5" is not a duration/],
    ["a renewal that is always due", { renewBefore: "8d" }, /^renewBefore: it must be shorter/],
    ["an unknown key", { acess: "read-only" } as never, /^acess: .*did you mean "access"/],
  ];
  for (const [what, change, message] of wrong) {
    it(`refuses ${what} at check`, async () => {
      await withBench(async (bench) => {
        const { capabilities, name } = bench.context().platform;
        const { failures } = databaseToken.check({
          news: asked(change),
          olds: undefined,
          capabilities,
          platform: name,
        });
        assert.equal(failures.length, 1, failures.join("\n"));
        assert.match(failures[0]!, message);
      });
    });
  }
});
