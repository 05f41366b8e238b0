import { createHash } from "node:crypto";

/**
 * The names of Tenantry's own databases. They are excluded from lists, counts and group checks, and refused as names
 * of tenants. Names are unique per organization on Turso, so each carries its group.
 */
export const reservedPrefix = "tenantry-";
const maxLength = 64;

export const registryName = (group: string): string => bounded(`tenantry-registry-${group}`);

/** A template database is named by its content: another digest is another database, so none is ever changed in place. */
export const templateName = (group: string, template: string, digest: string): string =>
  `tenantry-template-${template.slice(0, 28)}-${shortHash(`${group}\n${template}\n${digest}`)}`;

export const isReserved = (name: string): boolean => name.startsWith(reservedPrefix);

/**
 * Whether a database of that group is Tenantry's own, to be deleted with the group: its registry, or a template. The
 * prefix alone does not say so, since nobody but Tenantry refuses it as a name.
 */
export const isOurs = (name: string, group: string): boolean => name === registryName(group) || template.test(name);

const template = /^tenantry-template-.{1,28}-[0-9a-f]{12}$/;

function bounded(name: string): string {
  return name.length <= maxLength ? name : `${name.slice(0, maxLength - 13)}-${shortHash(name)}`;
}

const shortHash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 12);
