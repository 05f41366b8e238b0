import { parseTemplateRef } from "../../rollout/template-ref";
import type { FleetChanges } from "./changes";
import type { FleetRecord } from "./record";

/** How many tenants of a kind are named; the rest is counted. */
const named = 3;

/** What would happen to whom, in one line: "create 1,200: acme, globex, initech and 1,197 more; remove 1: umbrella". */
export function changeText({ create, change, replace, bring, remove }: FleetChanges): string {
  const ids = (tenants: FleetChanges["change"]): string[] => tenants.map(({ tenant }) => tenant.id);
  const leaving = (stays: boolean): string[] => remove.flatMap((record) => (isKept(record) === stays ? record.id : []));
  return [
    ...part(
      "create",
      create.map(({ id }) => id),
    ),
    ...part("destroy and make anew", ids(replace)),
    ...part("change", ids(change)),
    ...[...bring].flatMap(([schema, tenants]) =>
      part("bring", ids(tenants), ` to ${parseTemplateRef(schema)?.version}`),
    ),
    ...part("remove", leaving(false)),
    ...part("let go", leaving(true), " (data stays)"),
  ].join("; ");
}

/** By what state says alone; a platform that deletes nothing keeps the rest too. */
const isKept = ({ profile, adopted }: FleetRecord): boolean =>
  (profile.deletionPolicy ?? (adopted ? "retain" : undefined)) === "retain";

const part = (verb: string, ids: readonly string[], to = ""): string[] =>
  ids.length === 0 ? [] : [`${verb} ${count(ids.length)}${to}: ${someOf(ids)}`];

/** "a, b, c and 4 more". */
export function someOf(ids: readonly string[], most = named): string {
  const rest = ids.length - most;
  const first = ids.slice(0, most).join(", ");
  return rest > 0 ? `${first} and ${count(rest)} more` : first;
}

export const count = (number: number): string => number.toLocaleString("en-US");
