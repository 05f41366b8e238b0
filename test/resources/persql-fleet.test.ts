import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createContext } from "../../provider/context";
import { persqlPlatform } from "../../provider/drivers/persql";
import { readSettings } from "../../provider/platform/settings";
import { tenantFleetHandler } from "../../provider/resources/tenant-fleet";
import { writeRoster } from "../../provider/resources/tenant-fleet/roster";
import { digestOf, readMigrations } from "../../provider/rollout/source";
import { formatTemplateRef } from "../../provider/rollout/template-ref";
import { addressOf } from "../support/bench";
import { recordsOf } from "../support/fleet-scene";
import { withPersql } from "../support/persql/server";

describe("a TenantFleet on PerSQL", () => {
  it("makes its tenants with their schema, and leaves the databases of those that it removes", async () => {
    const home = await mkdtemp(path.join(tmpdir(), "tenantry-persql-fleet-"));
    try {
      const folder = path.join(home, "migrations");
      await mkdir(folder);
      await writeFile(path.join(folder, "0001_init.sql"), "CREATE TABLE notes (text);");
      const { migrations } = readMigrations(folder, "migrations");
      const template = { name: "app", version: "0001_init", digest: digestOf(migrations), path: folder };
      const schema = formatTemplateRef({ ...template, start: "copy", rollout: true });
      await withPersql(async (persql) => {
        const { url: apiUrl, adminToken: apiToken } = persql;
        const context = createContext(
          persqlPlatform({ apiUrl, apiToken }),
          readSettings({ platform: "persql", apiUrl, apiToken }, {}),
        );
        const said: string[] = [];
        const handler = tenantFleetHandler(() => async (_, text) => void said.push(text));
        const declare = (ids: readonly string[]) => {
          const tenants = ids.map((id) => ({ id, name: `t-${id}`, group: "acme", schema }));
          const roster = path.join(home, "roster");
          return { self: addressOf("prod"), roster, digest: writeRoster(roster, { tenants }), count: tenants.length };
        };
        const ids = Array.from({ length: 40 }, (_, i) => String(i));
        const { id, outputs } = await handler.create({ inputs: declare(ids), context });
        const records = Object.values(recordsOf(outputs));
        assert.deepEqual([...new Set(records.map(({ schemaVersion }) => schemaVersion))], ["0001_init"]);
        assert.equal(persql.namespace.subjects.size, 40);

        const news = declare(ids.slice(0, 39));
        const left = await handler.update({ id, olds: outputs, news, context });
        assert.equal(Object.keys(recordsOf(left)).length, 39);
        assert.equal(persql.namespace.subjects.size, 40);
        assert.ok(
          said.some((text) => /t-39.*still on persql/.test(text)),
          said.join("\n"),
        );
      });
    } finally {
      await rm(home, { recursive: true, force: true });
    }
  }).timeout(30_000);
});
