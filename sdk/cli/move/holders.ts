import { typeToken } from "../../../provider/resources/self";
import type { StackState } from "../stack";

/** What a state says of one tenant's database, in a TenantDatabase or in a fleet. */
export interface Holder {
  readonly urn: string;
  /** As the claim's. */
  readonly owner: string;
  readonly incarnation: string;
  readonly name: string;
  readonly group: string;
  /** Your own id of the tenant, where it was given. */
  readonly tenant: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  /** The fleet's resource name; undefined for a TenantDatabase. */
  readonly fleet: string | undefined;
  /** The engine refuses to delete it. */
  readonly protected: boolean;
  /** A run that was killed was at work on it. */
  readonly pending: boolean;
}

/** Everybody in a state who has a tenant's database. */
export function holdersOf({ resources, pending }: StackState): Holder[] {
  const busy = new Set(pending.map(({ urn }) => urn));
  return resources.flatMap(({ urn, id, type, outputs, protect }): Holder[] => {
    if (type !== typeToken("tenantDatabase") || id === undefined) return [];
    return [
      {
        ...{ urn, owner: id, incarnation: String(outputs["incarnation"]), fleet: undefined },
        ...{ name: String(outputs["name"]), group: String(outputs["group"]) },
        tenant: outputs["tenant"] === undefined ? undefined : String(outputs["tenant"]),
        labels: (outputs["labels"] ?? {}) as Readonly<Record<string, string>>,
        ...{ protected: protect === true, pending: busy.has(urn) },
      },
    ];
  });
}
