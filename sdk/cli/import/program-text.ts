import type { ImportedTenant } from "./plan";

/** A module of these tenants, for where no fleet can have them; the first deploy adopts them as they are. One line each. */
export function programText(tenants: readonly ImportedTenant[]): string {
  const lines = [
    "// Written by `tenantry import`. The first deploy takes these tenants over as they are and changes nothing about them; one",
    "// that is taken out later keeps its databases, as long as no `deletionPolicy` says otherwise.",
    'import { TenantDatabase } from "tenantry";',
    "",
    "export const tenants = [",
    ...tenants.map((tenant) => `  ${line(tenant)},`),
    "];",
  ];
  return `${lines.join("\n")}\n`;
}

function line({ id, name, group, labels, parts, standing, address }: ImportedTenant): string {
  const databases = parts?.map(({ blueprint, isolation }) => ({ blueprint, isolation }));
  const args = {
    group,
    name,
    ...(id === name ? {} : { tenant: id }),
    ...(Object.keys(labels).length === 0 ? {} : { labels }),
    databases,
    adopt: "unowned",
  };
  const comment = standing === "claimed" ? `/* of ${address}: hand it over first, with \`tenantry move\` */ ` : "";
  return `${comment}new TenantDatabase(${JSON.stringify(id)}, ${literal(args)})`;
}

/** As a person writes it: keys that are words without quotes. */
function literal(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(literal).join(", ")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const said = Object.entries(value).filter(([, one]) => one !== undefined);
  const key = (name: string): string => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name));
  return `{ ${said.map(([name, one]) => `${key(name)}: ${literal(one)}`).join(", ")} }`;
}
