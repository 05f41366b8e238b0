import type { MigrationFormat } from "./source";

/**
 * What a tenant takes of a template. It is one line, because every tenant's state holds it twice:
 * `name@version digest copy|migrate path`, where the third word may go on with `+rollout` and `:format`.
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
  /** The template's tenants are migrated by a rollout only; absent: each by its own resource. */
  readonly rollout?: true;
  /** As the user chose it; absent: detected. */
  readonly format?: MigrationFormat;
}

const shape = /^([^\s@]+)@(\S+) ([0-9a-f]+) (copy|migrate)(\+rollout)?(?::(sql|drizzle|prisma|dbmate))? (.+)$/;

export const formatTemplateRef = ({ name, version, digest, start, rollout, format, path }: TemplateRef): string =>
  `${name}@${version} ${digest} ${start}${rollout ? "+rollout" : ""}${format ? `:${format}` : ""} ${path}`;

/** Undefined where the text is no ref. */
export function parseTemplateRef(text: string): TemplateRef | undefined {
  const [, name, version, digest, start, rollout, format, path] = shape.exec(text) ?? [];
  if (!name || !version || !digest || !start || !path) return undefined;
  return {
    name,
    version,
    digest,
    path,
    start: start as TemplateRef["start"],
    ...(rollout ? { rollout: true } : {}),
    ...(format ? { format: format as MigrationFormat } : {}),
  };
}
