import assert from "node:assert/strict";
import { tenantsdbPlatform, type TenantsdbOptions } from "../../../provider/drivers/tenantsdb";
import type { Platform } from "../../../provider/platform/platform";
import { hurriedClock } from "../hurried-clock";
import type { Engine } from "./state";
import { type StandIn, type StandInOptions, startStandIn } from "./stand-in";

export interface Scene {
  readonly standIn: StandIn;
  readonly platform: Platform;
  readonly project: string;
  /** Another driver on the same project. */
  open(options?: Partial<TenantsdbOptions>): Platform;
}

export async function withStandIn<Result>(
  options: StandInOptions & { readonly driver?: Partial<TenantsdbOptions> },
  use: (scene: Scene) => Promise<Result>,
): Promise<Result> {
  // Where time is not real, neither is a rate, and what takes a while is counted in looks at it.
  const { clock } = options.driver ?? {};
  const unlimited = clock && { limits: { perSecond: Infinity } };
  const step = clock && clock !== hurriedClock ? ({ step: "looks" } as const) : {};
  const standIn = await startStandIn({ ...unlimited, ...step, ...options });
  const { apiKey, id } = standIn.project;
  const open: Scene["open"] = (more) =>
    tenantsdbPlatform({ apiUrl: standIn.url, apiToken: apiKey, project: id, ...options.driver, ...more });
  try {
    let platform: Platform | undefined;
    return await use({
      standIn,
      project: id,
      open,
      // At first use: the first driver's clock is the one of their common limiter.
      get platform() {
        return (platform ??= open());
      },
    });
  } finally {
    await standIn.close();
  }
}

/** A workspace that somebody made in TenantsDB itself. */
export async function makeWorkspace(standIn: StandIn, name: string, database: Engine, mode = "tenant"): Promise<void> {
  await post(standIn, "/workspaces", { name, database, mode }, 201);
}

/** What somebody ran in a workspace by hand: a blueprint's statement. */
export const writeSchema = (standIn: StandIn, workspace: string, query: string): Promise<void> =>
  post(standIn, `/workspaces/${workspace}/queries`, { query }, 200);

async function post(standIn: StandIn, path: string, sent: object, expected: number): Promise<void> {
  const headers = { authorization: `Bearer ${standIn.project.apiKey}` };
  const { status } = await fetch(`${standIn.url}${path}`, { method: "POST", headers, body: JSON.stringify(sent) });
  assert.equal(status, expected);
}
