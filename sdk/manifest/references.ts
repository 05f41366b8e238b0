import { hasCode } from "../../provider/platform/errors";
import { policyOf } from "../../provider/rollout/fleet/policy";
import type { Manifest, ManifestRollout, Settings } from "./definition";
import type { Places } from "./places";
import { type Problems, quoted } from "./problems";
import { unknownName } from "./unknown-name";

type Path = readonly (string | number)[];

/** Holds every name in a manifest against what it has of that name. */
export function checkReferences(manifest: Manifest, places: Places, problems: Problems): void {
  const { defaults, groups, residency, plans, schemas, tenants, rollout } = manifest;
  const look = (what: string, name: string | undefined, all: object | undefined, path: Path): void => {
    if (name === undefined || all === undefined || Object.hasOwn(all, name)) return;
    problems.add(places.of(path), path, unknownName(what, name, Object.keys(all)));
  };
  const settings = (given: Settings & { plan?: string; geo?: string }, path: Path): void => {
    look("plan", given.plan, plans, [...path, "plan"]);
    look("group", given.group, groups, [...path, "group"]);
    look("schema", given.schema, schemas, [...path, "schema"]);
    look("residency rule", given.geo, residency, [...path, "geo"]);
    if (given.expiresIn === undefined || given.expiresAt === undefined) return;
    problems.add(
      places.of([...path, "expiresIn"]),
      [...path, "expiresIn"],
      "`expiresAt` is given too; give one of them.",
    );
  };

  settings(defaults, ["defaults"]);
  for (const [name, plan] of Object.entries(plans)) settings(plan, ["plans", name]);
  for (const tenant of tenants) settings(tenant, ["tenants", tenant.id]);
  const locations = Object.values(groups ?? {}).map(({ location }) => location);
  for (const [name, rule] of Object.entries(residency)) {
    rule.groups?.forEach((group, i) => look("group", group, groups, ["residency", name, "groups", i]));
    rule.locations?.forEach((location, i) => {
      const path = ["residency", name, "locations", i];
      if (locations.includes(location)) return;
      problems.add(places.of(path), path, `none of \`groups\` has the location ${quoted(location)}.`);
    });
  }
  if (rollout) checkPolicy(rollout, places, problems);
  if (!Array.isArray(rollout?.canary)) return;
  const ids = new Set(tenants.map(({ id }) => id));
  rollout.canary.forEach((id, i) => {
    const path = ["rollout", "canary", i];
    if (!ids.has(id)) problems.add(places.of(path), path, unknownName("tenant", id, [...ids]));
  });
}

/** What a rollout itself would refuse, such as shares that do not grow. */
function checkPolicy(rollout: ManifestRollout, places: Places, problems: Problems): void {
  try {
    policyOf(rollout);
  } catch (error) {
    if (!hasCode(error, "invalid-input")) throw error;
    const [, key, index, text] = /^(\w+)(?:\[(\d+)\])?: (.*)$/s.exec(error.message) ?? [];
    const path = ["rollout", ...(key === undefined ? [] : [key]), ...(index === undefined ? [] : [Number(index)])];
    problems.add(places.of(path), path, text ?? error.message);
  }
}
