import { type Context, createContext } from "../../../provider/context";
import type { Config } from "../../../provider/platform/connections";
import { TenantryError } from "../../../provider/platform/errors";
import type { Access } from "../../../provider/platform/platform";
import { selectPlatform } from "../../../provider/platform/select";
import type { Setting } from "../../../provider/platform/setting-checks";
import { type SettingName, readSettings } from "../../../provider/platform/settings";
import type { Manifest } from "../../manifest/definition";
import { loadManifest } from "../../manifest/load";
import { readStackConfig } from "../stack-config";
import { type Stack, type StackState, findStack, readState } from "../stack";

export interface GroundFlags extends Partial<
  Record<Extract<SettingName, "platform" | "organization" | "apiUrl" | "databaseUrl">, string>
> {
  readonly stack?: string;
  readonly connection?: string;
  readonly group?: string;
  /** Its head says what neither flags nor environment nor stack do. */
  readonly manifest?: string;
}

/** What every verb of `tenantry schema` stands on: a platform, and the stack that it was asked in. */
export interface Ground {
  readonly context: Context;
  readonly scope: string;
  /** Where the platform's name came from: "tenantry:platform", "--platform". */
  readonly source: string;
  readonly connection: string | undefined;
  /** The only group to look at; undefined: all. */
  readonly group: string | undefined;
  readonly stack: Stack | undefined;
  /** Undefined without a stack. */
  readonly state: StackState | undefined;
  /** Said of what could not be looked at, or is not as it seems; each once. */
  readonly notes: string[];
}

/**
 * Flags, then environment, then the config of the stack given, or of the one selected here, then a manifest's head.
 * `patient`: an outage of half a minute is outlasted, as a deploy does; else somebody waits for the answer. `known`: what
 * was read already.
 */
export async function openGround(
  flags: GroundFlags,
  patient = false,
  known?: { readonly stack: Stack; readonly state: StackState },
): Promise<Ground> {
  const stack = known?.stack ?? (await findStack(flags.stack));
  const ground = await onGround(flags, stack, patient, "full-access");
  return { ...ground, state: known?.state ?? (stack && (await readState(stack))) };
}

/** The same without the stack's state, for what is told by platform and registries alone. */
export async function openPlainGround(flags: GroundFlags, access: Access, patient = false): Promise<Ground> {
  return onGround(flags, await findStack(flags.stack), patient, access);
}

async function onGround(
  { connection, group, platform, organization, apiUrl, databaseUrl, manifest }: GroundFlags,
  stack: Stack | undefined,
  patient: boolean,
  access: Access,
): Promise<Ground> {
  const notes: string[] = [];
  const config = await configOf(stack, platform, notes);
  const own = { platform, organization, apiUrl, databaseUrl };
  const settings = readSettings(config, process.env, connection, own, headOf(manifest));
  const context = createContext(selectPlatform(settings, { impatient: !patient }), settings, access);
  const scope = await context.scope();
  const source = settings.sources.platform ?? "default";
  return { context, scope, source, connection, group, stack, notes, state: undefined };
}

/** Not needed where flags and environment say it all: a pipeline that reads may have no passphrase. */
async function configOf(stack: Stack | undefined, platform: string | undefined, notes: string[]): Promise<Config> {
  if (!stack) return {};
  try {
    return await readStackConfig(stack.name);
  } catch (error) {
    if (!(error instanceof TenantryError) || !(platform || process.env["TENANTRY_PLATFORM"])) throw error;
    notes.push(`${error.message} Only flags and the environment were read.`);
    return {};
  }
}

/** Read where it is needed only. */
function headOf(path: string | undefined): (name: SettingName) => Setting | undefined {
  let manifest: Manifest | undefined;
  return (name) => {
    if (path === undefined || (name !== "platform" && name !== "organization")) return undefined;
    const value = (manifest ??= loadManifest(path))[name];
    return value === undefined ? undefined : { value, source: `${name} in ${path}` };
  };
}

/** Which stack and platform are used, and who said so. */
export function groundLine({ stack, scope, source }: Ground): string {
  return `${stack ? `Stack ${stack.name} (${stack.from}). ` : ""}Platform ${scope} (${source}).`;
}

export function noteOnce({ notes }: Pick<Ground, "notes">, text: string): void {
  if (!notes.includes(text)) notes.push(text);
}
