import { createHash } from "node:crypto";
import { type OwnName, registryNameOf, templateNameOf } from "./own-names";

export { isReserved, reservedPrefix } from "./own-names";

export const registryName = (group: string): string => hashed(registryNameOf(group));

export const templateName = (group: string, template: string, digest: string): string =>
  hashed(templateNameOf(group, template, digest));

/**
 * Whether a database of that group is Tenantry's own, to be deleted with the group: its registry, or a template. The
 * prefix alone does not say so, since nobody but Tenantry refuses it as a name.
 */
export const isOurs = (name: string, group: string): boolean => name === registryName(group) || template.test(name);

const template = /^tenantry-template-.{1,28}-[0-9a-f]{12}$/;

const hashed = ({ text, name }: OwnName): string => name(createHash("sha256").update(text).digest("hex").slice(0, 12));
