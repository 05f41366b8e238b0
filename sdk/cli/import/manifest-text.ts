import { nameFrom } from "../../../provider/resources/name";
import type { ImportedTenant } from "./plan";

export interface ManifestHead {
  readonly platform: string;
  readonly organization: string | undefined;
  /** Without labels: what `namePattern` can say. */
  readonly namePattern: string;
}

/** A manifest of these tenants, which a fleet's first deploy adopts as they are. One line each. */
export function manifestText(
  tenants: readonly ImportedTenant[],
  { platform, organization, namePattern }: ManifestHead,
): string {
  const groups = [...new Set(tenants.map(({ group }) => group))].sort();
  const usual = mostCommon(tenants.map(({ group }) => group));
  const lines = [
    "# yaml-language-server: $schema=./node_modules/tenantry/tenants.schema.json",
    "# Written by `tenantry import`. The first deploy takes these databases over as they are and changes nothing about them;",
    "# a tenant that is taken out later keeps its database, as long as no `deletionPolicy` says otherwise.",
    "version: 1",
    `platform: ${platform}`,
    ...(organization === undefined ? [] : [`organization: ${scalar(organization)}`]),
    `namePattern: ${JSON.stringify(namePattern)}`,
    "",
    "groups:",
    ...groups.map((group) => `  ${scalar(group)}:`),
    "",
    "defaults:",
    `  group: ${scalar(usual)}`,
    "  adopt: unowned # what nobody else has",
    "",
    "tenants:",
    ...tenants.map((tenant) => `  ${line(tenant, usual, namePattern)}`),
  ];
  return `${lines.join("\n")}\n`;
}

function line({ id, name, group, labels, standing, address }: ImportedTenant, usual: string, pattern: string): string {
  const labelled = Object.entries(labels).map(([key, value]) => `${scalar(key)}: ${scalar(value)}`);
  const said = [
    ...(nameFrom(pattern.replace("{id}", () => id)) === name ? [] : [`name: ${scalar(name)}`]),
    ...(group === usual ? [] : [`group: ${scalar(group)}`]),
    ...(labelled.length === 0 ? [] : [`labels: { ${labelled.join(", ")} }`]),
  ];
  const comment =
    standing === "runtime"
      ? " # made by an application at run time"
      : standing === "claimed"
        ? ` # of ${address}: hand it over first, with \`tenantry move\``
        : "";
  return `${scalar(id)}:${said.length === 0 ? "" : ` { ${said.join(", ")} }`}${comment}`;
}

/** Text that means itself in YAML, also to readers of its older version: quoted unless it begins like a word and is none of theirs. */
function scalar(text: string): string {
  const isWord = /^[A-Za-z_][\w-]*$/.test(text) && !/^(?:y|n|yes|no|on|off|true|false|null)$/i.test(text);
  return isWord ? text : JSON.stringify(text);
}

function mostCommon(all: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const one of all) counts.set(one, (counts.get(one) ?? 0) + 1);
  return [...counts].reduce((best, one) => (one[1] > best[1] ? one : best), ["", 0])[0];
}
