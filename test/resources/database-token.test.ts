import assert from "node:assert/strict";
import { type Context, createContext } from "../../provider/context";
import { jwtClaims } from "../../provider/jwt-claims";
import { openSql } from "../../provider/platform/sql";
import {
  type DatabaseTokenInputs,
  type DatabaseTokenOutputs,
  databaseToken,
} from "../../provider/resources/database-token";
import { Unfinished } from "../../provider/resources/handler";
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

/** What is kept of an update that does not come to its end. */
async function unfinished(update: Promise<unknown>): Promise<Unfinished<DatabaseTokenOutputs>> {
  const error: unknown = await update.then(() => undefined).catch((reason: unknown) => reason);
  assert.ok(error instanceof Unfinished, String(error));
  return error as Unfinished<DatabaseTokenOutputs>;
}

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

  it("is minted anew after a refresh that saw no database, when the run that made it again missed the token", async () => {
    await withToken(async (bench, made) => {
      await bench.api.ok("DELETE", "/databases/acme");
      const olds = (await databaseToken.read({ ...made, context: bench.context() }))!;
      assert.equal(olds.presentId, "");
      await bench.api.ok("POST", "/databases", { name: "acme", group: "eu" });
      const seen = { id: made.id, outputs: olds };
      assert.equal(await changes(seen, asked(), bench.context()), true);
      const outputs = await databaseToken.update({ id: made.id, olds, news: asked(), context: bench.context() });
      assert.equal(await opens(bench, "acme", outputs.token), true);
      assert.equal(await changes({ id: made.id, outputs }, asked(), bench.context()), false);
    });
  });

  it("is minted in the next run when this one made the database anew and could not mint", async () => {
    await withToken(async (bench, made) => {
      await bench.api.ok("DELETE", "/databases/acme");
      const { context } = await bench.contextOn(({ path }) =>
        path.includes("/databases/acme/auth/tokens") ? { status: 403, text: '{"error":"no"}' } : "pass",
      );
      await tenantDatabase.create({ inputs: tenant("acme"), context });
      const request = { id: made.id, olds: made.outputs, news: asked(), context };
      const { outputs } = await unfinished(databaseToken.update(request));
      assert.equal(await changes({ id: made.id, outputs }, asked(), bench.context()), true);
    });
  });

  it("of a tenant that has expired fails no run, and is one change at most", async () => {
    await withToken(async (bench, made) => {
      await bench.api.ok("DELETE", "/databases/acme");
      const old = { ...made.outputs, expiresAt: new Date().toISOString() };
      const unseen = await databaseToken.update({ id: made.id, olds: old, news: asked(), context: bench.context() });
      const seen = (await databaseToken.read({ id: made.id, outputs: old, context: bench.context() }))!;
      assert.equal(await changes({ id: made.id, outputs: seen }, asked(), bench.context()), true);
      for (const olds of [unseen, seen]) {
        const kept = await databaseToken.update({ id: made.id, olds, news: asked(), context: bench.context() });
        assert.equal(kept.token, made.outputs.token);
        assert.equal(await changes({ id: made.id, outputs: kept }, asked(), bench.context()), false);
        const read = (await databaseToken.read({ id: made.id, outputs: kept, context: bench.context() }))!;
        assert.equal(await changes({ id: made.id, outputs: read }, asked(), bench.context()), false);
      }
      const change = asked({ access: "full-access" });
      await assert.rejects(
        databaseToken.update({ id: made.id, olds: seen, news: change, context: bench.context() }),
        /there is no database "acme"/,
      );
      await bench.api.ok("POST", "/databases", { name: "acme", group: "eu" });
      const outputs = (await databaseToken.read({ id: made.id, outputs: unseen, context: bench.context() }))!;
      assert.equal(await changes({ id: made.id, outputs }, asked(), bench.context()), true);
    });
  });

  it("does not end what another one with the same key has just minted", async () => {
    await withToken(async (bench, made) => {
      const { context, line } = await bench.contextOn(() => "pass");
      const other = await databaseToken.create({ inputs: asked({ access: "full-access" }), context: bench.context() });
      const news = asked({ rotate: "k" });
      const [a, b] = await Promise.all([
        databaseToken.update({ id: made.id, olds: made.outputs, news, context }),
        databaseToken.update({ id: other.id, olds: other.outputs, news: { ...news, access: "full-access" }, context }),
      ]);
      assert.equal(line.calls.filter(({ path }) => path.endsWith("/rotate")).length, 1);
      for (const [token, works] of [
        [made.outputs.token, false],
        [other.outputs.token, false],
        [a.token, true],
        [b.token, true],
      ] as const) {
        assert.equal(await opens(bench, "acme", token), works);
      }
      const again = asked({ rotate: "k2" });
      await databaseToken.update({ id: made.id, olds: a, news: again, context });
      assert.equal(await opens(bench, "acme", a.token), false);
    });
  });

  it("rotates the group once, for all of it, where the platform may not rotate less", async () => {
    await withToken(async (bench, made) => {
      await tenantDatabase.create({ inputs: tenant("globex"), context: bench.context() });
      const inputs = asked({ database: "globex" });
      const other = await databaseToken.create({ inputs, context: bench.context() });
      const { context: local, line } = await bench.contextOn(() => "pass");
      const { settings, platform } = local;
      const capabilities = { ...platform.capabilities, rotation: "group" } as const;
      const context = createContext({ ...platform, capabilities }, settings);
      const news = asked({ rotate: "k" });
      const diff = await databaseToken.diff({ id: made.id, olds: made.outputs, news, context });
      assert.match(diff.note!, /every token of acme, and every other token of its whole group/);
      const a = await databaseToken.update({ id: made.id, olds: made.outputs, news, context });
      const b = await databaseToken.update({
        id: other.id,
        olds: other.outputs,
        news: { ...news, database: "globex" },
        context,
      });
      assert.deepEqual(
        line.calls.flatMap(({ path }) => (path.endsWith("/rotate") ? [path.replace(/^.*\/groups/, "/groups")] : [])),
        ["/groups/eu/auth/rotate"],
      );
      assert.deepEqual([await opens(bench, "acme", a.token), await opens(bench, "globex", b.token)], [true, true]);
      assert.equal(await opens(bench, "globex", other.outputs.token), false);
    });
  });

  it("says how long a rotation with a time of grace leaves tokens good, and asks the platform for that", async () => {
    await withToken(async (bench, made) => {
      const { settings, platform } = bench.context();
      const asks: unknown[] = [];
      const rotateTokens: typeof platform.rotateTokens = async (...ask) => void asks.push(ask);
      const context = createContext({ ...platform, rotateTokens }, settings);
      const news = asked({ rotate: "k", rotateGrace: "1h" });
      const request = { id: made.id, olds: made.outputs, news, context };
      assert.match((await databaseToken.diff(request)).note!, /every token of acme will stop working in 1h$/);
      const outputs = await databaseToken.update(request);
      assert.deepEqual(asks, [[{ database: "acme" }, { keepFor: 3_600 }]]);
      assert.equal(await changes({ id: made.id, outputs }, news, context), false);
    });
  });

  it("that could not be minted after its rotation is minted by the next run, without another rotation", async () => {
    await withToken(async (bench, made) => {
      const { context } = await bench.contextOn(({ path }) =>
        path.includes("/databases/acme/auth/tokens") ? { status: 403, text: '{"error":"no"}' } : "pass",
      );
      const news = asked({ rotate: "k" });
      const { outputs } = await unfinished(databaseToken.update({ id: made.id, olds: made.outputs, news, context }));
      assert.equal(await changes({ id: made.id, outputs }, news, bench.context()), true);
      const { context: next, line } = await bench.contextOn(() => "pass");
      const minted = await databaseToken.update({ id: made.id, olds: outputs, news, context: next });
      assert.equal(await opens(bench, "acme", minted.token), true);
      assert.ok(line.calls.every(({ path }) => !path.endsWith("/rotate")));
    });
  });

  it("is kept when the key of a rotation is taken away", async () => {
    await withToken(
      async (bench, made) => {
        const { context, line } = await bench.contextOn(() => "pass");
        const request = { id: made.id, olds: made.outputs, news: asked(), context };
        const { changes: differs, note } = await databaseToken.diff(request);
        assert.deepEqual([differs, note], [true, undefined]);
        const outputs = await databaseToken.update(request);
        assert.deepEqual([outputs.token, outputs.rotate], [made.outputs.token, undefined]);
        assert.equal(await changes({ id: made.id, outputs }, asked(), context), false);
        assert.deepEqual(
          line.calls.filter(({ write }) => write !== undefined),
          [],
        );
      },
      asked({ rotate: "k" }),
    );
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
