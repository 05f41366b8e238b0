import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { stack } from "../support/bench";
import { type FleetScene, withFleetScene } from "../support/fleet-scene";
import { writeFakePulumi } from "./fake-pulumi";
import { type Ended, runCli } from "./run-cli";

/** A project whose stack has a TenantFleet "prod", and the `tenantry fleet` command in its folder. */
export interface FleetCliScene extends FleetScene {
  readonly folder: string;
  /** Runs `tenantry fleet ...`; the platform's name in what it prints is "PLATFORM". */
  cli(...args: string[]): Promise<Ended>;
  /** Runs `tenantry preview ...` there. */
  preview(...args: string[]): Promise<Ended>;
  /** The same without platform and credentials. */
  bare(...args: string[]): Promise<Ended>;
  write(files: Record<string, string>): Promise<void>;
  /** Makes the stack's state what the last `up` left, with this changed. */
  deployed(more?: object): Promise<void>;
}

export async function withFleetCli(use: (scene: FleetCliScene) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "tenantry-fleet-cli-"));
  const commands = join(folder, "commands");
  try {
    await mkdir(commands);
    await writeFile(join(folder, "Pulumi.yaml"), "name: shop\nruntime: nodejs\n");
    await writeFakePulumi(commands, { name: stack });
    await withFleetScene(async (fleet) => {
      const { url, apiToken } = fleet.bench.platform;
      const env = {
        PATH: [commands, dirname(process.execPath), "/usr/bin", "/bin"].join(delimiter),
        TENANTRY_PLATFORM: "local",
        TENANTRY_API_URL: url,
        TENANTRY_API_TOKEN: apiToken,
      };
      const shown = (text: string): string => {
        assert.ok(!text.includes(apiToken));
        return text.replaceAll(/local:[\w-]+\/local/g, "PLATFORM");
      };
      await use({
        ...fleet,
        folder,
        async cli(...args) {
          const { code, stdout, stderr } = await runCli(["fleet", ...args], { cwd: folder, env });
          return { code, stdout: shown(stdout), stderr: shown(stderr) };
        },
        preview: (...args) => runCli(["preview", ...args], { cwd: folder, env }),
        bare: (...args) => runCli(["fleet", ...args], { cwd: folder, env: { PATH: env.PATH } }),
        async write(files) {
          for (const [name, text] of Object.entries(files)) {
            await mkdir(dirname(join(folder, name)), { recursive: true });
            await writeFile(join(folder, name), text);
          }
        },
        async deployed(more = {}) {
          const { id, outputs } = fleet.state();
          const what = "TenantFleet prod";
          await writeFakePulumi(commands, {
            ...{ name: stack, resources: { [what]: id } },
            outputs: { [what]: { ...outputs, ...more } },
          });
        },
      });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
