import assert from "node:assert/strict";
import { column } from "./driver";
import type { Proof } from "./driver-capabilities";
import { groupFailuresOf, refusesAtCheck, tokenFailuresOf, unsupported } from "./refusals";

/** Whom a rotation logs out, and when. */
export const rotationProofs = {
  rotation: {
    can: ({ platform }) => platform.capabilities.rotation !== "none",
    async works({ platform, create, sqlOn, sqlWith }) {
      const [database, other] = [await create(), await create()];
      const spec = { access: "read-only", lifetime: 600 } as const;
      const { token } = await platform.mintToken({ database: database.name }, spec);
      const old = sqlWith(database, token);
      await old.ready(10_000);
      const others = await sqlOn(other);
      await platform.rotateTokens({ database: database.name });
      await assert.rejects(old.execute({ sql: "SELECT 1 AS x", args: [] }), { code: "credentials-rejected" });
      assert.deepEqual(await column(await sqlOn(database), "SELECT 1 AS x"), [1]);
      if (platform.capabilities.rotation === "database") assert.deepEqual(await column(others, "SELECT 1 AS x"), [1]);
    },
    async refused(stage) {
      const { name } = await stage.create();
      if (stage.platform.capabilities.tokenAccess.length > 0)
        refusesAtCheck(stage, tokenFailuresOf(stage, { rotate: "1" }), "rotate");
      refusesAtCheck(stage, groupFailuresOf(stage, { rotate: "1" }), "rotate");
      await unsupported(stage.platform.rotateTokens({ database: name }));
      await unsupported(stage.platform.rotateTokens({ group: stage.group }));
    },
  },

  rotationGrace: {
    can: ({ platform }) => platform.capabilities.rotationGrace,
    async works(stage) {
      const { platform, create, sqlWith } = stage;
      assert.deepEqual(tokenFailuresOf(stage, { rotate: "1", rotateGrace: "1h" }), []);
      assert.deepEqual(groupFailuresOf(stage, { rotate: "1", rotateGrace: "1h" }), []);
      assert.match(tokenFailuresOf(stage, { rotateGrace: "never" }).join(), /^rotateGrace: "never" /);
      const database = await create();
      const mint = async () =>
        (await platform.mintToken({ database: database.name }, { access: "read-only", lifetime: 600 })).token;
      const old = sqlWith(database, await mint());
      await platform.rotateTokens({ database: database.name }, { keepFor: 600 });
      const next = sqlWith(database, await mint());
      for (const sql of [old, next]) assert.deepEqual(await column(sql, "SELECT 1 AS x"), [1]);
      await platform.rotateTokens({ database: database.name });
      const last = sqlWith(database, await mint());
      for (const sql of [old, next])
        await assert.rejects(column(sql, "SELECT 1 AS x"), { code: "credentials-rejected" });
      assert.deepEqual(await column(last, "SELECT 1 AS x"), [1]);
    },
    async refused(stage) {
      const { name } = await stage.create();
      if (stage.platform.capabilities.tokenAccess.length > 0)
        refusesAtCheck(stage, tokenFailuresOf(stage, { rotateGrace: "1h" }), "rotateGrace");
      refusesAtCheck(stage, groupFailuresOf(stage, { rotateGrace: "1h" }), "rotateGrace");
      await unsupported(stage.platform.rotateTokens({ database: name }, { keepFor: 600 }));
    },
  },
} satisfies Record<string, Proof>;
