import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseInputs } from "../../provider/resources/tenant-database/inputs";
import type { TenantDatabaseOutputs } from "../../provider/resources/tenant-database/outputs";
import { type Bench, tenant, withBench } from "../support/bench";
import { type Ended, runCli } from "./run-cli";

export interface LifeScene {
  readonly bench: Bench;
  /** Runs `tenantry ...` in a folder that is no project's; fails where it ends otherwise than `code` says, 0 by default. */
  cli(args: string, code?: number): Promise<Ended>;
  /** The same with --json. */
  json<Document>(args: string, code?: number): Promise<Document>;
  /** Makes a tenant, as an `up` would. */
  make(name: string, more?: Partial<TenantDatabaseInputs>): Promise<{ id: string; outputs: TenantDatabaseOutputs }>;
}

export async function withLifeScene(use: (scene: LifeScene) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "tenantry-life-"));
  try {
    await withBench(async (bench) => {
      const { url, apiToken } = bench.platform;
      const env = { TENANTRY_PLATFORM: "local", TENANTRY_API_URL: url, TENANTRY_API_TOKEN: apiToken };
      const cli: LifeScene["cli"] = async (args, code = 0) => {
        const ended = await runCli(args.split(" "), { cwd: folder, env });
        const said = `${ended.stdout}${ended.stderr}`;
        if (said.includes(apiToken)) throw new Error("It prints the token.");
        if (ended.code !== code) throw new Error(`tenantry ${args}: ended with ${ended.code}: ${said}`);
        return ended;
      };
      await use({
        bench,
        cli,
        json: async (args, code) => JSON.parse((await cli(`${args} --json`, code)).stdout) as never,
        make: (name, more) => tenantDatabase.create({ inputs: tenant(name, more), context: bench.context() }),
      });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
