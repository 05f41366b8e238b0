import { typeToken } from "../../../provider/resources/self";
import { ownerOf } from "../../../provider/resources/tenant-fleet/record";
import { type StackState, inFleet } from "../stack";

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
export function holdersOf({ resources, pending: operations }: StackState): Holder[] {
  const busy = new Set(operations.map(({ urn }) => urn));
  return resources.flatMap(({ urn, id, type, outputs, protect }): Holder[] => {
    const pending = busy.has(urn);
    if (type === typeToken("tenantFleet")) {
      const fleet = urn.slice(urn.lastIndexOf("::") + 2);
      return inFleet(outputs).map((record) => ({
        ...{ urn, owner: ownerOf(record), incarnation: record.incarnation, name: record.name },
        ...{ group: record.profile.group, tenant: record.id, labels: record.profile.labels ?? {}, fleet },
        // The engine would have to delete the fleet for that, and a tenant that leaves it is no resource.
        ...{ protected: false, pending },
      }));
    }
    if (type !== typeToken("tenantDatabase") || id === undefined) return [];
    return [
      {
        ...{ urn, owner: id, incarnation: String(outputs["incarnation"]), fleet: undefined },
        ...{ name: String(outputs["name"]), group: String(outputs["group"]) },
        tenant: outputs["tenant"] === undefined ? undefined : String(outputs["tenant"]),
        labels: (outputs["labels"] ?? {}) as Readonly<Record<string, string>>,
        ...{ protected: protect === true, pending },
      },
    ];
  });
}
