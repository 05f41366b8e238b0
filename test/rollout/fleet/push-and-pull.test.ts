import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, it } from "mocha";
import { ensureSchema } from "../../../sdk/client";
import { mint } from "../../local/api-caller";
import { init, once, withFleet } from "./fleet-scene";

describe("a rollout, and applications that bring their own tenants up", () => {
  it("at the same time: each migration takes effect once in each tenant, and both end well", async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "tenantry-pull-"));
    try {
      for (const { id, sql } of [init, once]) await writeFile(path.join(folder, `${id}.sql`), sql);
      await withFleet(24, async (scene) => {
        const { platform, api } = scene.bench;
        const authToken = await mint(api, "groups/eu");
        const connect = ({ name }: { name: string }) =>
          ensureSchema({ url: platform.databaseUrl(name), authToken, migrations: folder });
        // The last ones first, so that both have something to do.
        const [report, ...ensured] = await Promise.all([
          scene.rollOut([init, once], { policy: { concurrency: 4 } }),
          ...[...scene.tenants].reverse().map(connect),
        ]);
        assert.ok(report.outcomes.every(({ state }) => state === "migrated" || state === "current"));
        assert.ok(ensured.every(({ version }) => version === once.id));
        assert.ok(ensured.some(({ applied }) => applied.length > 0));
        assert.deepEqual([...new Set((await scene.counters()).values())], [1]);
        assert.deepEqual(Object.keys(await scene.ledgers()), ["0001_init 0002_once"]);
      });
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
