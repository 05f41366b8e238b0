import type { Context } from "../../context";
import { parseDuration } from "../../duration";
import type { DatabaseConfiguration, PlatformDatabase } from "../../platform/platform";
import { declaredConfiguration, initialSetting } from "./configuration";
import type { TenantDatabaseInputs } from "./inputs";
import { connectionStringsOf } from "./parts";
import type { RestoreRecord } from "./restore-point";

/** What state keeps of a tenant's database: all inputs, and what was observed. Managed settings hold observed values. */
export interface TenantDatabaseOutputs extends TenantDatabaseInputs {
  readonly scope: string;
  readonly databaseId: string;
  readonly hostname: string;
  /** Where clients connect. */
  readonly url: string;
  /** Last migration that the database has; absent where there is no schema, or none applied yet. */
  readonly schemaVersion?: string;
  /** "expired": it had an end, which has come; it is gone and is not created anew, empty. */
  readonly status: "ready" | "expired";
  /** Random, new with every create: a delete acts only if it is still the registry's. */
  readonly incarnation: string;
  readonly adopted?: boolean;
  /** By blueprint, secret: how clients connect where a tenant's databases are not libSQL. */
  readonly connectionStrings?: Readonly<Record<string, string>>;
  /** Restores that were done, the oldest first: what a key has done is not done again. */
  readonly restores?: readonly RestoreRecord[];
}

/** Everything but the inputs and what the platform says of the database. */
type Kept = Pick<
  TenantDatabaseOutputs,
  "scope" | "status" | "incarnation" | "adopted" | "expiresAt" | "connectionStrings" | "restores"
>;

/** The full set of outputs; the engine forgets whatever is left out. `observed` are the managed settings' real values. */
export function outputsOf(
  context: Context,
  inputs: TenantDatabaseInputs,
  database: Pick<PlatformDatabase, "name" | "id" | "hostname" | "parts">,
  observed: DatabaseConfiguration,
  record: Kept,
): TenantDatabaseOutputs {
  return {
    ...inputs,
    ...asInputs(inputs, observed),
    name: database.name,
    databaseId: database.id,
    hostname: database.hostname,
    url: context.platform.databaseUrl(database),
    scope: record.scope,
    status: record.status,
    incarnation: record.incarnation,
    adopted: record.adopted,
    expiresAt: record.expiresAt,
    restores: record.restores,
    ...(context.platform.capabilities.severalDatabases
      ? { connectionStrings: connectionStringsOf(inputs, database.parts, record.connectionStrings) }
      : {}),
  };
}

/**
 * Observed settings in the terms the program used: only those it manages, `suspended` as one. Where somebody else has
 * set or lifted one of its two blocks, they are told by themselves instead, which is neither of its values.
 */
export function asInputs(inputs: TenantDatabaseInputs, observed: DatabaseConfiguration): Partial<TenantDatabaseInputs> {
  const declared = declaredConfiguration({ ...inputs, suspended: undefined });
  const settings = Object.fromEntries(
    Object.keys(declared).map((key) => [key, observed[key as keyof DatabaseConfiguration] ?? initialSetting(key)]),
  );
  if (inputs.suspended === undefined) return settings;
  const blocks = (["blockReads", "blockWrites"] as const).filter((key) => inputs[key] === undefined);
  const values = blocks.map((key) => [key, observed[key] === true] as const);
  const [first = inputs.suspended, second = first] = values.map(([, value]) => value);
  const open = Object.fromEntries(blocks.map((key) => [key, undefined]));
  return first === second
    ? { ...settings, ...open, suspended: first }
    : { ...settings, ...Object.fromEntries(values), suspended: undefined };
}

/** When it ends: as given, or counted from now. */
export function expiryOf(inputs: TenantDatabaseInputs): string | undefined {
  if (inputs.expiresIn === undefined) return inputs.expiresAt;
  const seconds = parseDuration(inputs.expiresIn, "expiresIn");
  return seconds === undefined ? undefined : new Date(Date.now() + seconds * 1000).toISOString();
}
