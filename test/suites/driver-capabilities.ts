import assert from "node:assert/strict";
import { formatDuration } from "../../provider/duration";
import { hasCode } from "../../provider/platform/errors";
import type { Access } from "../../provider/platform/platform";
import { type ProvenFlag, capabilityRows, lifeFlags, toldFlags } from "../../tools/capabilities/rows";
import { directoryProofs } from "./directory-proofs";
import { type Stage, column, fresh } from "./driver";
import { failuresOf, groupFailuresOf, refusedFor, refusesAtCheck, tokenFailuresOf, unsupported } from "./refusals";
import { placeProofs } from "./place-proofs";
import { rotationProofs } from "./rotation-proofs";
import { schemaProofs } from "./schema-proofs";

/** How a flag is proved: what it promises works, or what it denies is refused, at check and by the driver. */
export interface Proof {
  readonly can: (stage: Stage) => boolean;
  readonly works: (stage: Stage) => Promise<void>;
  readonly refused: (stage: Stage) => Promise<void>;
}

/** One test for each flag. */
export function describeCapabilities(stage: () => Stage): void {
  describe("capabilities", () => {
    for (const flag of Object.keys(proofs) as ProvenFlag[]) {
      it(`${flag}: it does what it says, and refuses the rest`, async () => {
        const { can, works, refused } = proofs[flag];
        if (!can(stage())) return refused(stage());
        if (!stage().perDatabase.includes(flag)) return works(stage());
        await works(stage()).catch((error: unknown) => assert.ok(hasCode(error, "unsupported"), String(error)));
      });
    }

    it("have a row each in the table", () => {
      const proven = [...Object.keys(proofs), ...lifeFlags];
      assert.deepEqual(capabilityRows.map(({ flag }) => flag).sort(), proven.sort());
      assert.deepEqual(Object.keys(stage().platform.capabilities).sort(), [...proven, ...toldFlags].sort());
    });
  });
}

const flagged = (flag: ProvenFlag, proof: Omit<Proof, "can">): Proof => ({
  can: ({ platform }) => Boolean(platform.capabilities[flag]),
  ...proof,
});

const proofs: Record<ProvenFlag, Proof> = {
  createsGroups: flagged("createsGroups", {
    async works({ platform, location, group }) {
      await assert.rejects(platform.createGroup({ name: group, location }), { code: "already-exists" });
      const nowhere = platform.createGroup({ name: fresh("group"), location: "mars" });
      await assert.rejects(nowhere, (error) => hasCode(error, "unknown-location") && error.message.includes(location));
      const name = fresh("group");
      await platform.createGroup({ name, location });
      const inside = await platform.createDatabase({ name: fresh("db"), group: name });
      await platform.deleteGroup(name);
      assert.equal(await platform.getDatabase(inside.name), undefined);
    },
    async refused({ platform, location, group }) {
      await unsupported(platform.createGroup({ name: fresh("group"), location }));
      await unsupported(platform.deleteGroup(group));
    },
  }),

  extensions: flagged("extensions", {
    async works(stage) {
      const { platform, location } = stage;
      assert.deepEqual(groupFailuresOf(stage, { extensions: "all" }), []);
      const name = fresh("group");
      await platform.createGroup({ name, location, extensions: "all" });
      await platform.deleteGroup(name);
    },
    async refused(stage) {
      const { platform, location } = stage;
      refusesAtCheck(stage, groupFailuresOf(stage, { extensions: "all" }), "extensions");
      await unsupported(platform.createGroup({ name: fresh("group"), location, extensions: "all" }));
    },
  }),

  seedFromDatabase: flagged("seedFromDatabase", {
    async works({ create, sqlOn }) {
      const source = await create();
      const original = await sqlOn(source);
      await original.batch(["CREATE TABLE t (x INTEGER)", "INSERT INTO t VALUES (1)"], "write");
      const copy = await create({ seed: { database: source.name } });
      assert.notEqual(copy.id, source.id);
      const copied = await sqlOn(copy);
      await copied.execute({ sql: "INSERT INTO t VALUES (2)", args: [] });
      assert.deepEqual(await column(copied, "SELECT x FROM t ORDER BY x"), [1, 2]);
      assert.deepEqual(await column(original, "SELECT x FROM t"), [1]);
      const missing = create({ seed: { database: fresh("nowhere") } });
      await assert.rejects(missing, { code: "database-not-found" });
    },
    async refused(stage) {
      const source = await stage.create();
      const seed = { database: source.name };
      refusesAtCheck(stage, failuresOf(stage, { seed }), "seed");
      await unsupported(stage.create({ seed }));
    },
  }),

  seedAtTime: flagged("seedAtTime", {
    async works(stage) {
      const seed = { database: "a", timestamp: new Date(0).toISOString() };
      assert.deepEqual(failuresOf(stage, { seed }), []);
    },
    async refused(stage) {
      const source = await stage.create();
      const then = new Date();
      if (stage.platform.capabilities.tokenAccess.includes("full-access")) {
        // A platform without a history may still give a copy of what has not changed since.
        const sql = await stage.sqlOn(source);
        await sql.batch(["CREATE TABLE t (x INTEGER)"], "write");
      }
      const seed = { database: source.name, timestamp: new Date(then.getTime() - 60_000).toISOString() };
      const failures = failuresOf(stage, { seed }).filter((failure) => !failure.startsWith("seed:"));
      refusesAtCheck(stage, failures, "seed.timestamp");
      await refusedFor(stage.create({ seed }));
    },
  }),

  block: flagged("block", {
    async works({ platform, create, sqlOn }) {
      const database = await create();
      const sql = await sqlOn(database);
      await sql.batch(["CREATE TABLE t (x INTEGER)"], "write");
      await platform.configureDatabase(database.name, { blockWrites: true });
      const { blockReads, blockWrites } = (await platform.getConfiguration(database.name))!;
      assert.deepEqual([blockReads ?? false, blockWrites], [false, true]);
      await assert.rejects(sql.execute({ sql: "INSERT INTO t VALUES (1)", args: [] }));
      assert.deepEqual(await column(sql, "SELECT x FROM t"), []);
      await platform.configureDatabase(database.name, { blockReads: true, blockWrites: false });
      const second = (await platform.getConfiguration(database.name))!;
      assert.deepEqual([second.blockReads, second.blockWrites], [true, false]);
      await assert.rejects(column(sql, "SELECT x FROM t"));
      await platform.configureDatabase(database.name, { blockReads: false });
      await sql.execute({ sql: "INSERT INTO t VALUES (1)", args: [] });
      assert.deepEqual(await column(sql, "SELECT x FROM t"), [1]);
    },
    async refused(stage) {
      const { name } = await stage.create();
      refusesAtCheck(stage, failuresOf(stage, { blockReads: true }), "blockReads");
      refusesAtCheck(stage, failuresOf(stage, { blockWrites: true }), "blockWrites");
      if (!stage.platform.capabilities.suspend)
        await unsupported(stage.platform.configureDatabase(name, { blockWrites: true }));
    },
  }),

  suspend: {
    can: ({ platform: { capabilities } }) => capabilities.block || capabilities.suspend,
    async works(stage) {
      const { name } = await stage.create();
      assert.deepEqual(failuresOf(stage, { suspended: true }), []);
      for (const both of [true, false]) {
        await stage.platform.configureDatabase(name, { blockReads: both, blockWrites: both });
        const { blockReads = false, blockWrites = false } = (await stage.platform.getConfiguration(name))!;
        assert.deepEqual([blockReads, blockWrites], [both, both]);
      }
    },
    refused: async (stage) => refusesAtCheck(stage, failuresOf(stage, { suspended: true }), "suspended"),
  },

  deleteProtection: flagged("deleteProtection", {
    async works({ platform, location, create }) {
      const { name } = await create();
      await platform.configureDatabase(name, { deleteProtection: true });
      assert.equal((await platform.getConfiguration(name))?.deleteProtection, true);
      await assert.rejects(platform.deleteDatabase(name), { code: "protected" });
      await platform.configureDatabase(name, { deleteProtection: false });
      await platform.deleteDatabase(name);
      if (!platform.capabilities.createsGroups) return;
      const group = fresh("group");
      await platform.createGroup({ name: group, location });
      await platform.configureGroup(group, { deleteProtection: true });
      await assert.rejects(platform.deleteGroup(group), { code: "protected" });
      await platform.configureGroup(group, { deleteProtection: false });
      await platform.deleteGroup(group);
    },
    async refused(stage) {
      const { name } = await stage.create();
      refusesAtCheck(stage, failuresOf(stage, { deleteProtection: true }), "deleteProtection");
      refusesAtCheck(stage, groupFailuresOf(stage, { deleteProtection: true }), "deleteProtection");
      await unsupported(stage.platform.configureDatabase(name, { deleteProtection: true }));
      await unsupported(stage.platform.configureGroup(stage.group, { deleteProtection: true }));
    },
  }),

  allowedIps: flagged("allowedIps", {
    async works({ platform, create }) {
      const { name } = await create();
      const { block } = platform.capabilities;
      if (block) await platform.configureDatabase(name, { blockWrites: true });
      await platform.configureDatabase(name, { allowedIps: ["10.0.0.1"] });
      const configuration = await platform.getConfiguration(name);
      assert.deepEqual(configuration?.allowedIps, ["10.0.0.1"]);
      if (block) assert.equal(configuration?.blockWrites, true);
      await platform.configureDatabase(name, { allowedIps: [] });
      assert.deepEqual((await platform.getConfiguration(name))?.allowedIps ?? [], []);
    },
    async refused(stage) {
      const { name } = await stage.create();
      refusesAtCheck(stage, failuresOf(stage, { allowedIps: ["10.0.0.1"] }), "allowedIps");
      await unsupported(stage.platform.configureDatabase(name, { allowedIps: ["10.0.0.1"] }));
    },
  }),

  sizeLimit: flagged("sizeLimit", {
    async works({ platform, create }) {
      const { name } = await create({ sizeLimit: "256mb" });
      assert.equal((await platform.getConfiguration(name))?.sizeLimit, "256mb");
      await platform.configureDatabase(name, { sizeLimit: "1gb" });
      assert.equal((await platform.getConfiguration(name))?.sizeLimit, "1gb");
    },
    async refused(stage) {
      refusesAtCheck(stage, failuresOf(stage, { sizeLimit: "256mb" }), "sizeLimit");
      await refusedFor(stage.create({ sizeLimit: "256mb" }));
    },
  }),

  deletes: flagged("deletes", {
    async works(stage) {
      const { platform } = stage;
      assert.deepEqual(failuresOf(stage, { deletionPolicy: "delete" }), []);
      const first = await stage.create();
      await platform.deleteDatabase(first.name);
      await platform.deleteDatabase(first.name);
      assert.equal(await platform.getDatabase(first.name), undefined);
      const second = await stage.create({ name: first.name });
      assert.notEqual(second.id, first.id);
    },
    async refused(stage) {
      const { platform } = stage;
      for (const [path, value] of [
        ["deletionPolicy", "delete"],
        ["onReplace", "destroy"],
        ["expiresIn", "1d"],
        ["expiresAt", "2030-01-01T00:00:00Z"],
      ]) {
        refusesAtCheck(stage, failuresOf(stage, { [path!]: value }), path!);
      }
      const { name, id } = await stage.create();
      await unsupported(platform.deleteDatabase(name));
      assert.equal((await platform.getDatabase(name))?.id, id);
      await platform.deleteDatabase(fresh("nowhere"));
    },
  }),

  ...placeProofs,
  ...schemaProofs,

  tokenAccess: {
    can: () => true,
    async works(stage) {
      const { tokenAccess } = stage.platform.capabilities;
      const { name } = await stage.create();
      for (const access of ["read-only", "read-write", "full-access"] satisfies Access[]) {
        const minted = stage.platform.mintToken({ database: name }, { access, lifetime: 600 });
        const failures = tokenFailuresOf(stage, { access });
        if (tokenAccess.includes(access)) {
          await minted;
          assert.deepEqual(failures, []);
        } else {
          await unsupported(minted);
          refusesAtCheck(stage, failures, "access");
        }
      }
    },
    refused: async () => assert.fail(),
  },

  groupTokens: flagged("groupTokens", {
    async works({ platform, group, create, sqlWith }) {
      const { token } = await platform.mintToken({ group }, { access: "read-only", lifetime: 600 });
      // Also those that are made later.
      for (const database of [await create(), await create()]) {
        const sql = sqlWith(database, token);
        await sql.ready(10_000);
        assert.deepEqual(await column(sql, "SELECT 7 AS x"), [7]);
        await assert.rejects(sql.execute({ sql: "CREATE TABLE t (x INTEGER)", args: [] }));
      }
      if (!platform.capabilities.createsGroups) return;
      const other = fresh("group");
      await platform.createGroup({ name: other, location: (await platform.getGroup(group))!.location });
      const elsewhere = await platform.createDatabase({ name: fresh("db"), group: other });
      await assert.rejects(sqlWith(elsewhere, token).execute({ sql: "SELECT 1", args: [] }));
    },
    async refused(stage) {
      const { platform, group } = stage;
      if (platform.capabilities.tokenAccess.length > 0)
        refusesAtCheck(stage, tokenFailuresOf(stage, { database: undefined, group: "eu" }), "group");
      await unsupported(platform.mintToken({ group }, { access: "read-only", lifetime: 600 }));
    },
  }),

  longestToken: {
    can: ({ platform: { capabilities } }) =>
      capabilities.longestToken === undefined && capabilities.tokenAccess.length > 0,
    async works({ platform, create, sqlWith }) {
      const database = await create();
      const spec = { access: "read-only", lifetime: undefined } as const;
      const { token, expiresAt } = await platform.mintToken({ database: database.name }, spec);
      assert.equal(expiresAt, undefined);
      const sql = sqlWith(database, token);
      await sql.ready(10_000);
      assert.deepEqual(await column(sql, "SELECT 7 AS x"), [7]);
    },
    async refused(stage) {
      const { platform } = stage;
      const { longestToken, tokenAccess } = platform.capabilities;
      if (longestToken === undefined) return;
      const [access] = tokenAccess;
      const { name } = await stage.create();
      for (const lifetime of [longestToken + 1, undefined]) {
        refusesAtCheck(stage, tokenFailuresOf(stage, { access, expiresIn: formatDuration(lifetime) }), "expiresIn");
        await unsupported(platform.mintToken({ database: name }, { access: access!, lifetime }));
      }
      await platform.mintToken({ database: name }, { access: access!, lifetime: longestToken });
    },
  },

  shortestToken: {
    can: ({ platform: { capabilities } }) => capabilities.tokenAccess.length > 0,
    async works(stage) {
      const { platform } = stage;
      const { shortestToken: lifetime, tokenAccess } = platform.capabilities;
      const access = tokenAccess[0]!;
      const { name } = await stage.create();
      assert.deepEqual(tokenFailuresOf(stage, { access, expiresIn: formatDuration(lifetime) }), []);
      const { token, expiresAt } = await platform.mintToken({ database: name }, { access, lifetime });
      assert.ok(token && expiresAt && Math.abs(expiresAt.getTime() - Date.now() - lifetime * 1_000) < 10_000);
      if (lifetime === 1) return;
      refusesAtCheck(stage, tokenFailuresOf(stage, { access, expiresIn: formatDuration(lifetime - 1) }), "expiresIn");
      await unsupported(platform.mintToken({ database: name }, { access, lifetime: lifetime - 1 }));
    },
    refused: async ({ platform }) => assert.equal(platform.capabilities.shortestToken, 1),
  },

  attach: flagged("attach", {
    async works(stage) {
      const [database, other] = [await stage.create(), await stage.create()];
      const attach = [other.name];
      assert.deepEqual(tokenFailuresOf(stage, { attach }), []);
      await stage.platform.mintToken({ database: database.name }, { access: "read-only", lifetime: 600, attach });
    },
    async refused(stage) {
      const { name } = await stage.create();
      const attach = [name];
      const [access] = stage.platform.capabilities.tokenAccess;
      if (access) refusesAtCheck(stage, tokenFailuresOf(stage, { access, attach }), "attach");
      await unsupported(
        stage.platform.mintToken({ database: name }, { access: access ?? "read-only", lifetime: 600, attach }),
      );
    },
  }),

  ...rotationProofs,

  usage: flagged("usage", {
    async works({ platform, create }) {
      const database = await create();
      const [used, ...more] = (await platform.usage()).filter(({ id }) => id === database.id);
      assert.deepEqual(more, []);
      for (const count of [used?.rowsRead, used?.rowsWritten, used?.storageBytes, used?.bytesSynced]) {
        assert.ok(count !== undefined && count >= 0, String(count));
      }
      await platform.deleteDatabase(database.name);
    },
    refused: async ({ platform }) => unsupported(platform.usage()),
  }),

  ...directoryProofs,

  names: {
    can: () => true,
    async works(stage) {
      const { maxLength, pattern } = stage.platform.capabilities.names;
      const longest = fresh("db").padEnd(maxLength, "x");
      assert.match(longest, pattern);
      assert.equal((await stage.create({ name: longest })).name, longest);
      refusesAtCheck(stage, failuresOf(stage, { name: `${longest}x` }), "name");
    },
    refused: async () => assert.fail(),
  },
};
