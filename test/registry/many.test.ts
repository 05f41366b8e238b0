import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { type Sql, openSql } from "../../provider/platform/sql";
import type { ClaimRequest } from "../../provider/registry/claim";
import { openRegistry } from "../../provider/registry/registry";
import { registrySchema } from "../../provider/registry/schema";
import { mint } from "../local/api-caller";
import { addressOf, stack, withBench } from "../support/bench";

/** The same database, to which every request goes as statements of its own. */
const oneByOne = (sql: Sql): Sql => ({ ...sql, jsonTables: undefined });

const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).filter((of) => !of.includes("\0"));
const maybe = fc.option(text, { nil: undefined });

/** Requests whose names and addresses meet now and then. */
const requests = fc.array(
  fc.record({
    kind: fc.constantFrom("database" as const, "group" as const),
    name: fc.oneof(fc.constantFrom("a", "b", "c"), text),
    address: fc.oneof(
      fc.constantFrom("a", "b").map((name) => addressOf(name)),
      text,
    ),
    formerAddresses: fc.array(fc.constantFrom(addressOf("a"), addressOf("former")), { maxLength: 2 }),
    owner: fc.uuid(),
    incarnation: fc.uuid(),
    existed: fc.constant(false),
    defaultName: fc.boolean(),
    template: maybe,
    tenant: maybe,
    expiresAt: maybe,
    force: fc.constant(false),
  }) satisfies fc.Arbitrary<ClaimRequest>,
  { maxLength: 8 },
);

describe("claims of many at once", function () {
  this.timeout(120_000);

  const withRegistries = async (use: (one: Sql, other: Sql) => Promise<void>): Promise<void> =>
    withBench(async (bench) => {
      const opened: Sql[] = [];
      for (const name of ["one", "other"]) {
        await bench.api.ok("POST", "/databases", { name, group: "eu" });
        const token = await mint(bench.api, `databases/${name}`);
        const sql = openSql({ url: bench.platform.databaseUrl(name), token: async () => token });
        opened.push(sql);
        await sql.batch(registrySchema, "write");
        await sql.batch(["INSERT INTO runs (stack, number) VALUES ('organization/shop/dev', 7)"], "write");
      }
      try {
        await use(opened[0]!, opened[1]!);
      } finally {
        for (const sql of opened) sql.close();
      }
    });

  it("are answered and leave the rows that they would one after the other", async () => {
    await withRegistries(async (one, other) => {
      await fc.assert(
        fc.asyncProperty(requests, async (asked) => {
          const [mine, theirs] = [openRegistry(one, stack, 7), openRegistry(oneByOne(other), stack, 7)];
          for (const sql of [one, other]) await sql.batch(["DELETE FROM claims"], "write");
          const answers = [];
          // Each by itself, but by the statements for many: who asks first has it.
          for (const request of asked) answers.push(await mine.claim(request));
          for (const [i, request] of asked.entries()) assert.deepEqual(await theirs.claim(request), answers[i]);
          const held = answers.filter(({ incarnation }, i) => incarnation === asked[i]!.incarnation && i % 3 > 0);
          await Promise.all(held.map((claim, i) => mine.hold(claim, `id-${i}`, i % 2 === 0)));
          for (const [i, claim] of held.entries()) await theirs.hold(claim, `id-${i}`, i % 2 === 0);
          const rows = async (sql: Sql) =>
            (await sql.execute({ sql: "SELECT * FROM claims ORDER BY kind, name", args: [] })).rows;
          assert.deepEqual(await rows(one), await rows(other));
        }),
        { numRuns: 20 },
      );
    });
  });

  it("belong to one of those who want a name at once, and are nobody else's", async () => {
    await withRegistries(async (sql) => {
      const registry = openRegistry(sql, stack, 7);
      const request = (n: number): ClaimRequest => ({
        ...{ kind: "database", name: `t${n % 100}`, address: addressOf(`r${n}`), formerAddresses: [] },
        ...{ owner: `owner ${n}`, incarnation: `incarnation ${n}`, existed: false, defaultName: false, force: false },
      });
      const claims = await Promise.all(Array.from({ length: 200 }, (_, n) => registry.claim(request(n))));
      assert.deepEqual(
        claims.map(({ owner, incarnation }) => [owner, incarnation]),
        Array.from({ length: 200 }, (_, n) => [`owner ${n % 100}`, `incarnation ${n % 100}`]),
      );
      const again = await Promise.all(Array.from({ length: 100 }, (_, n) => registry.claimIfFree(request(n))));
      // As after a lost reply: what was written then is found.
      assert.deepEqual(again, claims.slice(0, 100));
      const free = { ...request(0), name: "free", incarnation: "another" };
      assert.equal(await registry.claimIfFree(free), undefined, "its address has a claim");
    });
  });

  it("are not written by a run that another has overtaken", async () => {
    await withRegistries(async (sql) => {
      const old = openRegistry(sql, stack, 6);
      const asked: ClaimRequest = {
        ...{ kind: "database", name: "t", address: addressOf("t"), formerAddresses: [], owner: "o", incarnation: "i" },
        ...{ existed: false, defaultName: false, force: false },
      };
      await assert.rejects(old.claim(asked), { code: "superseded" });
      assert.deepEqual(await old.all(), []);
      const claim = await openRegistry(sql, stack, 7).claim(asked);
      await assert.rejects(old.hold(claim, "id", false), { code: "superseded" });
      assert.equal((await old.all())[0]!.state, "open");
    });
  });
});
