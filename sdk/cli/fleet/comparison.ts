import { defaultDeletionPolicy } from "../../../provider/resources/tenant-database/inputs";
import type { Context } from "../../../provider/context";
import { TenantryError } from "../../../provider/platform/errors";
import { type FleetChanges, planChanges } from "../../../provider/resources/tenant-fleet/changes";
import type { TenantFleetInputs } from "../../../provider/resources/tenant-fleet/inputs";
import { judgeRoster } from "../../../provider/resources/tenant-fleet/judge-roster";
import { requireFewRemovals } from "../../../provider/resources/tenant-fleet/removal-limit";
import { judgeSchemaChanges } from "../../../provider/resources/tenant-fleet/schema-changes";
import type { Declared } from "./declared";
import type { KnownFleet } from "./fleets";

/** What the next `up` does with a fleet, by the provider's own code. */
export interface Comparison {
  readonly changes: FleetChanges;
  /** How many are declared. */
  readonly tenants: number;
  /** How many of those nothing happens to. */
  readonly unchanged: number;
  /** What the schema changes destroy, where that was allowed. */
  readonly findings: readonly string[];
  /** What becomes of the database of a removed tenant where nobody says it. */
  readonly otherwise: "soft" | "delete" | "retain";
  /** Why `up` will refuse it; undefined: as far as can be seen here, it does not. */
  readonly refusal: TenantryError | undefined;
}

/** Addresses play no part in what changes. */
const nowhere = { platform: { databaseUrl: () => "" } };

/**
 * `context` undefined: by state alone; what only the platform's settings tell against it is not foreseen. Else the platform
 * is asked only where so many leave that it matters whether they were handed over.
 */
export async function compare(
  fleet: Pick<KnownFleet, "records"> & { readonly inputs: TenantFleetInputs },
  declared: Declared,
  context: Context | undefined,
  scope: string,
): Promise<Comparison> {
  const { tenants } = declared;
  const { records, inputs } = fleet;
  const news: TenantFleetInputs = {
    ...inputs,
    count: tenants.length,
    maxRemovals: declared.maxRemovals ?? inputs.maxRemovals,
    rollout: declared.rollout ?? inputs.rollout,
  };
  const capabilities = context?.platform.capabilities;
  const [wrong] = capabilities ? judgeRoster({ tenants }, capabilities, scope.split(":")[0]!) : [];
  const known = new Map(records.map((record) => [record.id, record]));
  const changes = planChanges(known, tenants, { ...news, scope }, context ?? nowhere);
  let refusal = wrong === undefined ? undefined : new TenantryError("invalid-input", wrong);
  let findings: readonly string[] = [];
  try {
    if (context) await requireFewRemovals(changes, news, context, records.length);
    findings = await judgeSchemaChanges(changes, news);
  } catch (error) {
    if (!(error instanceof TenantryError) || error.whose !== "yours") throw error;
    refusal ??= error;
  }
  const otherwise = capabilities ? defaultDeletionPolicy(capabilities) : "delete";
  return {
    changes,
    tenants: tenants.length,
    unchanged: tenants.length - touched(changes),
    otherwise,
    findings,
    refusal,
  };
}

/** Who is changed and brought up counts once. */
function touched({ create, change, replace, bring }: FleetChanges): number {
  const ids = [...change, ...replace, ...[...bring.values()].flat()].map(({ tenant }) => tenant.id);
  return create.length + new Set(ids).size;
}
