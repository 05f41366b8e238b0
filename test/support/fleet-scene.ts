import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { LocalPlatformOptions } from "../../provider/local";
import { Unfinished } from "../../provider/resources/handler";
import { tenantFleetHandler } from "../../provider/resources/tenant-fleet";
import type { TenantFleetInputs } from "../../provider/resources/tenant-fleet/inputs";
import type { TenantFleetOutputs } from "../../provider/resources/tenant-fleet/outputs";
import { unpackFleet } from "../../provider/resources/tenant-fleet/pack";
import type { FleetRecord } from "../../provider/resources/tenant-fleet/record";
import { type RosterTenant, writeRoster } from "../../provider/resources/tenant-fleet/roster";
import type { Context } from "../../provider/context";
import { formatTemplateRef, parseTemplateRef } from "../../provider/rollout/template-ref";
import { type Bench, addressOf, withBench } from "./bench";

/** A fleet's handler on an embedded platform, in the terms of a program. */
export interface FleetScene {
  readonly bench: Bench;
  /** What was said on the fleet's line. */
  readonly said: string[];
  readonly handler: ReturnType<typeof tenantFleetHandler>;
  /** Inputs with a roster on disk. */
  declare(tenants: readonly RosterTenant[], more?: Partial<TenantFleetInputs>): TenantFleetInputs;
  /** What an `up` does: create or diff and update, in a process of its own. Answers undefined where nothing changes. */
  up(news: TenantFleetInputs, context?: Context): Promise<Deployed | undefined>;
  /** The same in a process that dies in it, or is killed: state stays what it was. */
  doomedUp(news: TenantFleetInputs, context: Context): Promise<void>;
  /** Begins with another fleet, of which there is no state. */
  forget(): void;
  /** State as the last `up` left it, also one that failed. */
  state(): Deployed;
  refresh(context?: Context): Promise<TenantFleetOutputs>;
  destroy(context?: Context): Promise<string | void>;
  /** The ref of a template whose tenants a rollout migrates. */
  schema(files: Record<string, string>): Promise<string>;
}

export interface Deployed {
  readonly id: string;
  readonly outputs: TenantFleetOutputs;
  readonly note: string | undefined;
}

export const member = (id: string, more: Partial<RosterTenant> = {}): RosterTenant => ({
  id,
  name: `t-${id}`,
  group: "eu",
  ...more,
});

export const recordsOf = ({ packed }: Pick<TenantFleetOutputs, "packed">): Record<string, FleetRecord> =>
  Object.fromEntries(unpackFleet(packed).map((record) => [record.id, record]));

export async function withFleetScene(
  use: (scene: FleetScene) => Promise<void>,
  options: LocalPlatformOptions = {},
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "tenantry-fleet-"));
  try {
    await withBench((bench) => use(makeScene(bench, folder)), options);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makeScene(bench: Bench, roster: string): FleetScene {
  const said: string[] = [];
  const handler = tenantFleetHandler(() => async (kind, text) => {
    if (kind !== "status") said.push(text);
  });
  let state: Deployed | undefined;
  const keep = async (note: string | undefined, work: () => Promise<{ id: string; outputs: TenantFleetOutputs }>) => {
    try {
      state = { ...(await work()), note };
    } catch (error) {
      if (error instanceof Unfinished) {
        state = { id: error.id, outputs: error.outputs as TenantFleetOutputs, note };
      }
      throw error;
    }
    return state;
  };
  const scene: FleetScene = {
    bench,
    said,
    handler,
    declare: (tenants, more = {}) => ({
      self: addressOf("prod"),
      roster,
      digest: writeRoster(roster, { tenants }),
      count: tenants.length,
      ...more,
    }),
    async up(news, context = bench.context()) {
      const surroundings = { capabilities: context.platform.capabilities, platform: "local" };
      const checked = handler.check({ news, olds: state?.outputs, ...surroundings });
      assert.deepEqual(checked.failures, []);
      if (!state) return keep(checked.note, () => handler.create({ inputs: news, context }));
      const { id, outputs: olds } = state;
      const diff = await handler.diff({ id, olds, news, context });
      if (!diff.changes) return undefined;
      return keep(diff.note, async () => ({ id, outputs: await handler.update({ id, olds, news, context }) }));
    },
    async doomedUp(news, context) {
      const before = state;
      await scene.up(news, context).catch(() => undefined);
      state = before;
    },
    forget: () => void (state = undefined),
    state: () => state ?? assert.fail("nothing was deployed"),
    async refresh(context = bench.context()) {
      const outputs = await handler.read({ ...state!, context });
      state = { ...state!, outputs: outputs! };
      return outputs!;
    },
    destroy: (context = bench.context()) => handler.delete({ ...state!, context }),
    async schema(files) {
      const { ref } = await bench.template(files, { folder: "app" });
      return formatTemplateRef({ ...parseTemplateRef(ref)!, rollout: true });
    },
  };
  return scene;
}
