import type { ManifestChanges, PropertyChange, TenantChange } from "../../manifest/changes";
import { type Style, clip, paint } from "../schema/screen";
import { counted, listed } from "../schema/table";

export const overLimit = ({ removed, maxRemovals }: ManifestChanges): boolean => removed.length > maxRemovals;

export const isNothing = ({ added, removed, changed, settings }: ManifestChanges): boolean =>
  [added, removed, changed, settings].every((list) => list.length === 0);

const names = 5;

/** For a reader of a pull request: those to whom the same happens stand together. */
export function changeLines(changes: ManifestChanges, title: string, style: Style): string[] {
  const { added, removed, changed, unchanged, settings, maxRemovals } = changes;
  if (isNothing(changes)) return [`${title}: nothing changes for ${counted(unchanged, "tenant")}.`];
  const counts = `${added.length} added, ${removed.length} removed, ${changed.length} changed, ${unchanged} unchanged`;
  const lines = [paint(style, "bold", `${title}: ${counts}.`)];
  for (const [what, those] of grouped(added, whereTo)) lines.push(paint(style, "green", `+ ${what}: ${those}`));
  for (const [what, those] of grouped(removed, whatBecomes)) lines.push(paint(style, "red", `- ${what}: ${those}`));
  for (const [what, those] of grouped(changed, whatChanges)) lines.push(paint(style, "yellow", `~ ${what}: ${those}`));
  for (const change of settings) lines.push(`  the manifest's ${changeText(change)}`);
  if (overLimit(changes)) {
    lines.push(
      paint(
        style,
        "red",
        `! ${counted(removed.length, "tenant")} ${removed.length === 1 ? "is" : "are"} removed at once, and a deploy removes ${maxRemovals} at most.`,
      ),
      `  If they are to go: TENANTRY_MAX_REMOVALS=${removed.length} in the environment of that deploy.`,
    );
  }
  return lines.map((line) => line.trimEnd());
}

/** Those of one text, the largest number first. */
function grouped(tenants: readonly TenantChange[], textOf: (tenant: TenantChange) => string): [string, string][] {
  const groups = new Map<string, string[]>();
  for (const tenant of tenants) {
    const text = textOf(tenant);
    const ids = groups.get(text);
    if (ids) ids.push(tenant.id);
    else groups.set(text, [tenant.id]);
  }
  return [...groups]
    .sort(([, a], [, b]) => b.length - a.length)
    .map(([text, ids]) => [`${ids.length > 1 ? `${counted(ids.length, "tenant")} ` : ""}${text}`, listed(ids, names)]);
}

function whereTo({ properties }: TenantChange): string {
  const now = new Map(properties.map(({ property, after }) => [property, after]));
  const plan = now.get("plan");
  const adopts = now.get("adopt");
  const taken = adopts !== undefined && adopts !== "never" ? `, adopt ${String(adopts)}` : "";
  return `added to ${String(now.get("group"))}${plan === undefined ? "" : `, plan ${String(plan)}`}${taken}`;
}

function whatBecomes({ properties }: TenantChange): string {
  const was = new Map(properties.map(({ property, before }) => [property, before]));
  if (was.get("deleteProtection") === true)
    return "removed: a deploy fails, since its database is protected from deletion";
  switch (was.get("deletionPolicy")) {
    case "retain":
      return "removed: its database stays as it is";
    case "soft":
      return "removed: its database is deleted, and can be brought back for a while";
    case "delete":
      return "removed: its database is deleted with its data";
    default:
      return "removed: its database is deleted with its data, or stays where it was adopted";
  }
}

/** What the platform can only do with another database. */
const bound = ["name", "group"];

function whatChanges({ properties }: TenantChange): string {
  const texts = properties.map(changeText);
  if (!properties.some(({ property }) => bound.includes(property))) return texts.join(", ");
  return `${texts.join(", ")} (needs another database: refused, unless its onReplace says what to do)`;
}

const changeText = ({ property, before, after }: PropertyChange): string =>
  `${property} ${valueText(before)} -> ${valueText(after)}`;

const valueText = (value: unknown): string =>
  value === undefined ? "none" : clip(typeof value === "string" ? value : JSON.stringify(value), 60);
