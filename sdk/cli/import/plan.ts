import type { PlatformDatabase } from "../../../provider/platform/platform";
import type { RecordedClaim } from "../../../provider/registry/inspect";
import { isReserved } from "../../../provider/registry/reserved-names";
import { isRuntimeAddress } from "../../../provider/registry/runtime-address";
import type { NamePattern } from "../name-pattern";

/** A database as a tenant of the manifest. */
export interface ImportedTenant {
  readonly id: string;
  readonly name: string;
  readonly group: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Its databases, where they are of blueprints. */
  readonly parts?: Importable["parts"];
  /**
   * unmanaged: nobody has it. runtime: an application made it, so that it is in no state. claimed: a stack has it, and its
   * tenant has to be handed over first.
   */
  readonly standing: "unmanaged" | "runtime" | "claimed";
  /** Whose it is, where it is claimed. */
  readonly address: string | undefined;
}

export interface Skipped {
  readonly name: string;
  readonly group: string | null;
  readonly why: string;
}

export interface ImportPlan {
  /** By id. */
  readonly tenants: readonly ImportedTenant[];
  readonly skipped: readonly Skipped[];
}

export interface ImportSelection {
  /** Whether a database's name is one of those asked for. */
  fits(name: string): boolean;
  readonly group: string | undefined;
  /** Reads id and labels from a name. */
  readonly pattern: NamePattern | undefined;
  /** Also those that a stack has. */
  readonly claimed: boolean;
}

/** What is to be known of a database. */
export type Importable = Pick<PlatformDatabase, "name" | "group" | "archived" | "parts">;

export interface Listed {
  readonly databases: Iterable<Importable>;
  /** Claims on databases by group and name. */
  claimOf(group: string, name: string): RecordedClaim | undefined;
  /** Groups whose registries were read: elsewhere nobody knows whose a database is. */
  readonly groups: ReadonlySet<string>;
}

/** Which databases become tenants, and of those that were asked for which do not, and why. Tenantry's own are neither. */
export function planImport({ databases, claimOf, groups }: Listed, selection: ImportSelection): ImportPlan {
  const byId = new Map<string, ImportedTenant>();
  const skipped: Skipped[] = [];
  const sorted = [...databases].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, group, archived: asleep, parts } of sorted) {
    if (isReserved(name) || !selection.fits(name)) continue;
    if (selection.group !== undefined && group !== selection.group) continue;
    const skip = (why: string): void => void skipped.push({ name, group: group ?? null, why });
    if (group === undefined) skip("the platform does not say in which group it is");
    else if (asleep || !groups.has(group)) skip("it, or its group, is archived: wake it first");
    else {
      const claim = claimOf(group, name);
      const standing = standingOf(claim);
      const read = selection.pattern?.(name);
      if (standing === "claimed" && !selection.claimed) skip(`${claim!.address} has it${doing(claim!)}`);
      else if (selection.pattern && !read && standing !== "runtime") skip("its name does not fit --pattern");
      else {
        const tenant = { ...identity(name, read, claim), name, group, parts, standing };
        const other = byId.get(tenant.id);
        if (other) skip(`its tenant would be "${tenant.id}", as that of "${other.name}"`);
        else byId.set(tenant.id, { ...tenant, address: standing === "claimed" ? claim!.address : undefined });
      }
    }
  }
  const tenants = [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return { tenants, skipped };
}

function standingOf(claim: RecordedClaim | undefined): ImportedTenant["standing"] {
  if (!claim) return "unmanaged";
  return isRuntimeAddress(claim.address) ? "runtime" : "claimed";
}

const doing = ({ state }: RecordedClaim): string =>
  state === "open" ? ", or a run of it began to make it" : state === "deleting" ? ", and is deleting it" : "";

/** What the name says; else what was recorded of the tenant; else the name itself. */
function identity(
  name: string,
  read: Readonly<Record<string, string>> | undefined,
  claim: RecordedClaim | undefined,
): Pick<ImportedTenant, "id" | "labels"> {
  if (!read) return { id: claim?.tenant ?? name, labels: {} };
  const labels = Object.entries(read)
    .filter(([key]) => key.startsWith("label:"))
    .map(([key, value]) => [key.slice("label:".length), value]);
  return { id: read["id"]!, labels: Object.fromEntries(labels) as Record<string, string> };
}
