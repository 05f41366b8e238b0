/**
 * What a tenant takes of a template. It is one line, because every tenant's state holds it twice:
 * `name@version digest copy|migrate path`.
 */
export interface TemplateRef {
  readonly name: string;
  /** Id of the last migration. */
  readonly version: string;
  readonly digest: string;
  /** The migrations' folder, relative to the project's. */
  readonly path: string;
  /** How a new tenant gets the schema: copied from a template database, or migrated from empty. */
  readonly start: "copy" | "migrate";
}

const shape = /^([^\s@]+)@(\S+) ([0-9a-f]+) (copy|migrate) (.+)$/;

export const formatTemplateRef = ({ name, version, digest, start, path }: TemplateRef): string =>
  `${name}@${version} ${digest} ${start} ${path}`;

/** Undefined where the text is no ref. */
export function parseTemplateRef(text: string): TemplateRef | undefined {
  const [, name, version, digest, start, path] = shape.exec(text) ?? [];
  if (!name || !version || !digest || !start || !path) return undefined;
  return { name, version, digest, start: start as TemplateRef["start"], path };
}
