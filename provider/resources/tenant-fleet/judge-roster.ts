import type { Capabilities } from "../../platform/capabilities";
import { didYouMean } from "../../platform/did-you-mean";
import type { Failure } from "../handler";
import { judgeName } from "../inputs";
import { judgeTenantDatabase } from "../tenant-database/inputs";
import { ownWayOf } from "./own-ways";
import { type Roster, type RosterTenant, isRosterKey, rosterKeys } from "./roster";

/** How many are said; the rest is counted. */
const shown = 20;

/** Everything that can be held against the tenants without asking the platform, as one failure that lists it. */
export function judgeRoster({ tenants }: Roster, capabilities: Capabilities, platform: string): Failure[] {
  const wrong = [...judgeTwice(tenants), ...judgeTenants(tenants, capabilities, platform)];
  if (wrong.length <= 1) return wrong;
  const rest = wrong.length > shown ? [`and ${wrong.length - shown} more`] : [];
  return [[`tenants: ${wrong.length} things are wrong:`, ...wrong.slice(0, shown), ...rest].join("\n  ")];
}

/** Names are compared as platforms do that know no capitals. */
function judgeTwice(tenants: readonly RosterTenant[]): Failure[] {
  const ids = new Set<string>();
  const names = new Map<string, string>();
  return tenants.flatMap(({ id, name }) => {
    if (ids.size === ids.add(id).size) return [`tenants: "${id}" is given twice.`];
    const other = names.get(name.toLowerCase());
    names.set(name.toLowerCase(), id);
    if (other === undefined) return [];
    return [`tenants: "${other}" and "${id}" would both have the name "${name}"; give one of them a \`name\`.`];
  });
}

function judgeTenants(tenants: readonly RosterTenant[], capabilities: Capabilities, platform: string): Failure[] {
  // Most tenants are declared like others, but for id and name.
  const judged = new Map<string, readonly Failure[]>();
  return tenants.flatMap(({ id, name, ...declared }) => {
    const text = JSON.stringify(declared);
    let failures = judged.get(text);
    if (!failures) judged.set(text, (failures = judgeDeclared(declared, capabilities, platform)));
    return [...judgeId(id), ...judgeName("name", name, capabilities), ...failures].map(
      (failure) => `tenants.${id}.${failure}`,
    );
  });
}

function judgeDeclared(
  declared: Omit<RosterTenant, "id" | "name">,
  capabilities: Capabilities,
  platform: string,
): Failure[] {
  const strange = Object.keys(declared).filter((key) => !isRosterKey(key));
  if (strange.length === 0) return judgeTenantDatabase({ ...declared, name: "a", self: "" }, capabilities, platform);
  return strange.map((key) => {
    const way = ownWayOf(key);
    if (way) return `${key}: ${way}.`;
    const guess = didYouMean(key, rosterKeys);
    return `${key}: there is no such property${guess ? `; did you mean "${guess}"?` : "."}`;
  });
}

function judgeId(id: string): Failure[] {
  // A half of a surrogate pair has no place in an address.
  if (id.length >= 1 && id.length <= 200 && !/\p{Surrogate}/u.test(id)) return [];
  return ["id: it must be a text of 1 to 200 characters."];
}
