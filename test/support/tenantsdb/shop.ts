import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { type Context, createContext } from "../../../provider/context";
import type { Platform } from "../../../provider/platform/platform";
import { readSettings } from "../../../provider/platform/settings";
import type { schemaTemplate } from "../../../provider/resources/schema-template";
import { tenantDatabase } from "../../../provider/resources/tenant-database";
import type { TenantDatabaseInputs } from "../../../provider/resources/tenant-database/inputs";
import { digestOf, readMigrations } from "../../../provider/rollout/source";
import { formatTemplateRef } from "../../../provider/rollout/template-ref";
import { hurriedClock } from "../hurried-clock";
import { type Scene, withStandIn } from "./scene";
import type { StandInOptions } from "./stand-in";

const self = (name: string): string => `organization/shop/dev/${name}`;
const init = "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT NOT NULL);\n";

/** A project on the stand-in, and what a program would declare there. */
export interface Shop extends Scene {
  readonly context: Context;
  /** As another process sees it. */
  fresh(): Context;
  /** The folder's template, as a program declares it. */
  template(more?: object): Parameters<typeof schemaTemplate.create>[0]["inputs"];
  write(file: string, text: string): void;
  tenant(name: string, more?: Partial<TenantDatabaseInputs>): TenantDatabaseInputs;
}

export const withShop = (options: StandInOptions, use: (shop: Shop) => Promise<void>): Promise<void> =>
  withStandIn({ ...options, driver: { clock: hurriedClock } }, async (scene) => {
    const folder = mkdtempSync(path.join(os.tmpdir(), "tenantry-tdb-"));
    const settings = readSettings(
      {
        platform: "tenantsdb",
        apiUrl: scene.standIn.url,
        apiToken: scene.standIn.project.apiKey,
        organization: scene.project,
      },
      {},
    );
    const fresh = (platform: Platform = scene.open()): Context => createContext(platform, settings);
    const write: Shop["write"] = (file, text) => writeFileSync(path.join(folder, file), text);
    const template: Shop["template"] = (more = {}) => {
      const migrations = readMigrations(folder, "migrations").migrations.map(({ id, hash }) => ({ id, hash }));
      const parts = { name: "app", version: migrations.at(-1)!.id, digest: digestOf(migrations), path: folder };
      const ref = formatTemplateRef({ ...parts, start: "copy" });
      return { ...parts, self: self("app"), dialect: "postgresql", migrations, ref, ...more };
    };
    const tenant: Shop["tenant"] = (name, more) => {
      const declared = { self: self(name), name, group: scene.project, ...more };
      const { inputs, failures } = tenantDatabase.check({
        ...{ news: declared, olds: undefined, platform: "tenantsdb", capabilities: scene.platform.capabilities },
      });
      assert.deepEqual(failures, []);
      return inputs as TenantDatabaseInputs;
    };
    write("0001_init.sql", init);
    try {
      await use({
        ...scene,
        platform: scene.platform,
        context: fresh(),
        fresh: () => fresh(),
        template,
        write,
        tenant,
      });
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
