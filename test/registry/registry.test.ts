import assert from "node:assert/strict";
import type { ClaimRequest } from "../../provider/registry/claim";
import { inspectClaims } from "../../provider/registry/inspect";
import { forgetReaped, markReaping, registryClock, unmarkReaping } from "../../provider/registry/reaping";
import { type Registry, isLaidOut, openRegistry } from "../../provider/registry/registry";
import { beginRestoration, dropRestoration, endRestoration } from "../../provider/registry/restorations";
import { registrySchema } from "../../provider/registry/schema";
import { type Sql, openSql } from "../../provider/platform/sql";
import type { PostgresServer } from "../../tools/postgres/server";
import { usePostgres } from "../support/postgres";
import { mint } from "../local/api-caller";
import { addressOf, stack, withBench } from "../support/bench";
import { withStandIn } from "../support/tenantsdb/scene";

const request = (name: string, more: Partial<ClaimRequest> = {}): ClaimRequest => ({
  ...{ kind: "database", name, address: addressOf(name), formerAddresses: [], owner: `owner of ${name}` },
  ...{ incarnation: `incarnation of ${name}`, existed: false, defaultName: false, force: false },
  ...more,
});

type Use = (scene: {
  registry: Registry;
  sql: Sql;
  open: (of?: string) => Registry;
  batches: () => number;
}) => Promise<void>;

/** A registry on a real database; `open` is another process on it; `batches` are the requests that it was sent. */
async function withRegistryOn(open: () => Sql, use: Use): Promise<void> {
  const opened: Sql[] = [];
  const connect = (): Sql => {
    const sql = open();
    opened.push(sql);
    return sql;
  };
  const sql = connect();
  let batches = 0;
  const counted: Sql = {
    ...sql,
    batch: (...given) => {
      batches += 1;
      return sql.batch(...given);
    },
  };
  try {
    assert.equal(await isLaidOut(sql), false);
    await sql.batch(registrySchema, "write");
    assert.equal(await isLaidOut(sql), true);
    const another = (of = stack): Registry => openRegistry(connect(), of);
    await use({ registry: openRegistry(counted, stack), sql, open: another, batches: () => batches });
  } finally {
    for (const each of opened) each.close();
  }
}

const onLibsql = (use: Use): Promise<void> =>
  withBench(async (bench) => {
    await bench.api.ok("POST", "/databases", { name: "registry", group: "eu" });
    const token = await mint(bench.api, "databases/registry");
    await withRegistryOn(() => openSql({ url: bench.platform.databaseUrl("registry"), token: async () => token }), use);
  });

let postgres: () => PostgresServer;

/** By the API of a platform whose control databases are PostgreSQL's. */
const onPostgres = (use: Use): Promise<void> =>
  withStandIn({ postgres: postgres(), limits: { perSecond: Infinity } }, async ({ platform, project }) => {
    const { name } = await platform.createDatabase({ name: `tenantry-registry-${project}`, group: project });
    const url = "";
    await withRegistryOn(() => platform.openSql!({ name, url }, { access: "full-access" }), use);
  });

describe("the registry", () => describeRegistry(onLibsql));

describe("the registry on PostgreSQL", () => {
  postgres = usePostgres("the registry on PostgreSQL");
  describeRegistry(onPostgres);
});

function describeRegistry(withRegistry: (use: Use) => Promise<void>): void {
  it("lends a name to one reaper at a time, and takes it back from one that is not heard of", async () => {
    await withRegistry(async ({ registry, sql }) => {
      const claim = await registry.claim(request("over", { expiresAt: "2026-01-01T00:00:00.000Z" }));
      await registry.hold(claim, "id of over", false);
      const read = async () => (await inspectClaims(sql)).find(({ name }) => name === "over")!;
      const held = await read();
      assert.equal(await markReaping(sql, held, "one"), "marked");
      assert.equal(await markReaping(sql, held, "one"), "marked");
      assert.equal(await markReaping(sql, held, "two"), "taken");
      assert.equal(await registry.isBeingReaped("over"), true);
      await unmarkReaping(sql, held, "two");
      assert.equal((await read()).state, "reaping");
      await unmarkReaping(sql, held, "one");
      assert.deepEqual(await read(), held);
      assert.equal(await markReaping(sql, { ...held, expiresAt: "2026-02-01T00:00:00.000Z" }, "one"), "changed");
      assert.equal(await markReaping(sql, held, "one"), "marked");
      await sql.batch(["UPDATE reapings SET since = since - 301"], "write");
      assert.equal(await registry.isBeingReaped("over"), false);
      assert.equal(await markReaping(sql, await read(), "two"), "marked");
      await forgetReaped(sql, held, "one");
      assert.equal((await read()).state, "reaping");
      await forgetReaped(sql, held, "two");
      assert.deepEqual(await inspectClaims(sql), []);
      const clock = await registryClock(sql);
      assert.ok(Math.abs(clock - Date.now()) < 60_000, `${clock}`);
    });
  });

  it("remembers what was before a soft delete, however often it is begun, and each restore once", async () => {
    await withRegistry(async ({ registry, sql }) => {
      const claim = await registry.claim(request("acme"));
      await registry.hold(claim, "id", false);
      const trash = { name: "acme", databaseId: "id", until: "2999-01-01T00:00:00.000Z", blockReads: false };
      assert.equal(await registry.trash("acme"), undefined);
      await registry.trashing(claim, { ...trash, blockWrites: true });
      // Repeated after a crash, it finds its own blocks.
      await registry.trashing(claim, { ...trash, blockReads: true, blockWrites: true });
      await registry.trashed(claim);
      assert.deepEqual(await registry.trash("acme"), { ...trash, blockWrites: true });
      await registry.spare(claim);
      const refused = await registry.claim(request("acme", { owner: "another", incarnation: "newer", force: true }));
      assert.deepEqual([refused.state, refused.owner], ["trashed", claim.owner]);
      const back = await registry.claim(request("acme", { incarnation: "newer", restores: true }));
      assert.deepEqual([back.state, back.incarnation, back.standing], ["trashed", "newer", claim.incarnation]);
      await registry.spare(back);
      await registry.hold(back, "id", false);
      assert.equal((await registry.find("database", "acme"))?.state, "held");
      await assert.rejects(registry.spare(back), { code: "not-ready" });

      assert.deepEqual(await beginRestoration(sql, "id", "a"), { is: "begun" });
      assert.deepEqual(await beginRestoration(sql, "id", "a"), { is: "unclear" });
      await dropRestoration(sql, "id", "a");
      assert.deepEqual(await beginRestoration(sql, "id", "a"), { is: "begun" });
      await endRestoration(sql, "id", "a", trash.until);
      await dropRestoration(sql, "id", "a");
      assert.deepEqual(await beginRestoration(sql, "id", "a"), { is: "done", undoUntil: trash.until });
    });
  });

  it("writes no more statements at once than the database takes", async () => {
    await withRegistry(async ({ sql }) => {
      const sizes: number[] = [];
      const small: Sql = {
        ...sql,
        jsonTables: undefined,
        maxStatements: 20,
        batch(statements, ...rest) {
          sizes.push(statements.length);
          return sql.batch(statements, ...rest);
        },
      };
      const registry = openRegistry(small, stack);
      const names = Array.from({ length: 50 }, (_, i) => `t${i}`);
      const claims = await Promise.all(names.map((name) => registry.claim(request(name))));
      assert.deepEqual(
        claims.map(({ name }) => name),
        names,
      );
      await Promise.all(claims.map((claim) => registry.hold(claim, `id of ${claim.name}`, false)));
      assert.deepEqual(
        (await registry.all()).map(({ databaseId }) => databaseId).sort(),
        names.map((name) => `id of ${name}`).sort(),
      );
      assert.equal(Math.max(...sizes), 20);
    });
  });

  it("claims, holds, amends and releases", async () => {
    await withRegistry(async ({ registry }) => {
      const claim = await registry.claim(request("acme", { tenant: "42", template: "app" }));
      const expected = { kind: "database", name: "acme", address: addressOf("acme"), state: "open", existed: false };
      assert.deepEqual(claim, {
        ...expected,
        ...{ owner: "owner of acme", incarnation: "incarnation of acme", databaseId: undefined, adopted: false },
        ...{ defaultName: false, template: "app", tenant: "42", expiresAt: undefined },
      });
      await registry.hold(claim, "id-1", true);
      const held = (await registry.find("database", "acme"))!;
      assert.deepEqual([held.state, held.databaseId, held.adopted], ["held", "id-1", true]);
      const to = { address: addressOf("b"), template: undefined, tenant: "43", expiresAt: "2030-01-01T00:00:00Z" };
      await registry.amend(claim, to);
      const amended = (await registry.find("database", "acme"))!;
      assert.deepEqual({ ...amended, ...to }, amended);
      await registry.deleting(claim);
      assert.equal((await registry.find("database", "acme"))!.state, "deleting");
      await registry.release(claim);
      assert.equal(await registry.find("database", "acme"), undefined);
    });
  });

  it("sends what many ask for at once in a few batches", async () => {
    await withRegistry(async ({ registry, batches }) => {
      const names = Array.from({ length: 150 }, (_, i) => `t${i}`);
      const claims = await Promise.all(names.map((name) => registry.claim(request(name))));
      // The run's number, then all claims.
      assert.equal(batches(), 2);
      assert.deepEqual(
        claims.map((claim) => claim.name),
        names,
      );
      await Promise.all(claims.map((claim) => registry.hold(claim, `id of ${claim.name}`, false)));
      assert.equal(batches(), 3);
      const found = await Promise.all([...names, "none"].map((name) => registry.find("database", name)));
      assert.deepEqual(
        found.map((claim) => claim?.databaseId),
        [...names.map((name) => `id of ${name}`), undefined],
      );
      assert.equal(batches(), 4);
    });
  });

  it("gives a name to one address only; the same address, also a former one, keeps owner and history", async () => {
    await withRegistry(async ({ registry, open }) => {
      await registry.hold(await registry.claim(request("acme")), "id-1", false);
      const theirs = { address: "organization/blog/dev/acme", owner: "they", incarnation: "theirs" };
      const refused = await open("organization/blog/dev").claim(request("acme", theirs));
      assert.deepEqual([refused.owner, refused.incarnation], ["owner of acme", "incarnation of acme"]);

      const again = await registry.claim(request("acme", { owner: "other", incarnation: "second", existed: true }));
      assert.deepEqual(
        [again.owner, again.incarnation, again.state, again.databaseId, again.existed],
        ["owner of acme", "second", "held", "id-1", false],
      );
      const renamed = { address: addressOf("b"), formerAddresses: [addressOf("acme")], incarnation: "third" };
      const moved = await registry.claim(request("acme", renamed));
      assert.deepEqual([moved.owner, moved.address], ["owner of acme", addressOf("b")]);

      const forced = await open("organization/blog/dev").claim(request("acme", { ...theirs, force: true }));
      assert.deepEqual([forced.owner, forced.incarnation, forced.databaseId], ["they", "theirs", "id-1"]);
    });
  });

  it("keeps groups and databases of one name apart", async () => {
    await withRegistry(async ({ registry }) => {
      await registry.claim(request("acme"));
      const group = await registry.claim(request("acme", { kind: "group", owner: "group's", incarnation: "group's" }));
      assert.equal(group.owner, "group's");
      await registry.release(group);
      assert.equal((await registry.find("database", "acme"))!.owner, "owner of acme");
    });
  });

  it("changes nothing for an incarnation that is no longer the name's", async () => {
    await withRegistry(async ({ registry }) => {
      const old = await registry.claim(request("acme"));
      const claim = await registry.claim(request("acme", { incarnation: "second" }));
      await registry.hold(old, "id-0", false);
      await registry.deleting(old);
      await registry.release(old);
      assert.deepEqual(await registry.find("database", "acme"), claim);
    });
  });

  it("keeps a name of our choosing for the address that has it, in the same round trip", async () => {
    await withRegistry(async ({ registry, batches }) => {
      const kept = (name: string, more: Partial<ClaimRequest> = {}) =>
        registry.claim(
          request(name, { defaultName: true, keepsName: true, address: addressOf("a"), incarnation: "i", ...more }),
        );
      const first = await kept("acme");
      // An intent alone is no name that exists.
      assert.equal((await kept("other")).name, "other");
      await registry.hold(first, "id-1", false);
      const sent = batches();
      const again = await kept("third", { incarnation: "second" });
      assert.deepEqual([again.name, again.owner, again.databaseId], ["acme", "owner of acme", "id-1"]);
      assert.deepEqual([again.incarnation, again.standing], ["second", "i"]);
      assert.equal(batches(), sent + 1);
      const moved = await kept("third", { address: addressOf("b"), formerAddresses: [addressOf("a")] });
      assert.deepEqual([moved.name, moved.address], ["acme", addressOf("b")]);
      const explicit = await registry.claim(request("mine"));
      await registry.hold(explicit, "id-2", false);
      assert.equal((await kept("fourth", { address: addressOf("mine") })).name, "fourth");
    });
  });

  it("prefers the present address to a former one, before and after its own write", async () => {
    await withRegistry(async ({ registry }) => {
      for (const name of ["a", "b"])
        await registry.hold(await registry.claim(request(name, { defaultName: true })), name, false);
      const asked = { keepsName: true, defaultName: true, address: addressOf("b"), formerAddresses: [addressOf("a")] };
      assert.equal((await registry.claim(request("c", asked))).databaseId, "b");
      const formers = { ...asked, address: addressOf("c"), formerAddresses: [addressOf("b"), addressOf("a")] };
      const first = await registry.claim(request("c", formers));
      assert.deepEqual([first.name, first.address], ["a", addressOf("c")]);
      assert.deepEqual(await registry.claim(request("c", formers)), first);
      assert.equal((await registry.find("database", "b"))!.address, addressOf("b"));
    });
  });

  it("spares what another resource is about to take along to its new address", async () => {
    await withRegistry(async ({ registry }) => {
      const claim = await registry.claim(request("acme", { defaultName: true }));
      await registry.hold(claim, "id-1", false);
      const before = await registry.all();
      const stranger = { incarnation: "second", spared: [claim.incarnation], defaultName: true, keepsName: true };
      const refused = await registry.claim(request("acme", stranger));
      assert.equal(refused.incarnation, claim.incarnation);
      assert.deepEqual(await registry.all(), before);
      const elsewhere = await registry.claim(request("b", { ...stranger, address: addressOf("acme") }));
      assert.deepEqual([elsewhere.name, elsewhere.state], ["b", "open"]);
    });
  });

  it("tells the claims of a stack, and of none whose name begins alike", async () => {
    await withRegistry(async ({ registry, open }) => {
      await registry.claim(request("a"));
      await open(`${stack}-2`).claim(request("b", { address: `${stack}-2/b` }));
      assert.deepEqual(
        (await registry.ofStack(stack)).map(({ name }) => name),
        ["a"],
      );
      assert.deepEqual(
        (await registry.all()).map(({ name }) => name),
        ["a", "b"],
      );
    });
  });

  it("lets only the newest run of a stack write; older ones are told and write nothing", async () => {
    await withRegistry(async ({ registry, open }) => {
      const claim = await registry.claim(request("a"));
      const newer = open();
      await newer.claim(request("b"));
      assert.ok((await newer.run()) > (await registry.run()));
      const superseded = { code: "superseded", message: /A newer run on organization\/shop\/dev has begun/ };
      await assert.rejects(registry.claim(request("c")), superseded);
      await assert.rejects(registry.hold(claim, "id", false), superseded);
      await assert.rejects(registry.release(claim), superseded);
      assert.deepEqual(
        (await newer.all()).map(({ name, state }) => [name, state]),
        [
          ["a", "open"],
          ["b", "open"],
        ],
      );
      // Reading is free, and other stacks go on.
      assert.equal((await registry.find("database", "a"))!.name, "a");
      await open("organization/blog/dev").claim(request("d"));
      await newer.claim(request("e"));
    });
  });

  it("numbers the runs of all stacks upwards, from the clock on, so that a registry made anew stays ahead", async () => {
    await withRegistry(async ({ open }) => {
      const seconds = Math.floor(Date.now() / 1000);
      const numbers: number[] = [];
      for (const of of [stack, "organization/blog/dev", stack]) numbers.push(await open(of).run());
      assert.ok(numbers[0]! >= seconds - 1 && numbers[0]! < numbers[1]! && numbers[1]! < numbers[2]!, numbers.join());
    });
  });
}
