/**
 * How the names of Tenantry's own databases are put together, for whatever hash there is: of `text`, the first 12
 * hexadecimal digits of SHA-256.
 */
export interface OwnName {
  /** What is hashed. */
  readonly text: string;
  readonly name: (hash: string) => string;
}

/**
 * They are excluded from lists, counts and group checks, and refused as names of tenants. Names are unique per
 * organization on Turso, so each carries its group.
 */
export const reservedPrefix = "tenantry-";
export const isReserved = (name: string): boolean => name.startsWith(reservedPrefix);

const maxLength = 64;

export function registryNameOf(group: string): OwnName {
  const text = `tenantry-registry-${group}`;
  return { text, name: (hash) => (text.length <= maxLength ? text : `${text.slice(0, maxLength - 13)}-${hash}`) };
}

/** A template database is named by its content: another digest is another database, so none is ever changed in place. */
export const templateNameOf = (group: string, template: string, digest: string): OwnName => ({
  text: `${group}\n${template}\n${digest}`,
  name: (hash) => `tenantry-template-${template.slice(0, 28)}-${hash}`,
});
