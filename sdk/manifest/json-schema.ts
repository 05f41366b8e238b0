import { z } from "zod";
import { manifestFile } from "./definition";

/**
 * The JSON Schema of a manifest, for editors; made of the definition that manifests are held against. Draft 7 is what
 * editors know best.
 */
export function manifestJsonSchema(): object {
  const { $schema, ...schema } = z.toJSONSchema(manifestFile, { target: "draft-7", io: "input" });
  return { $schema, title: "Tenantry manifest", ...schema };
}

/** As it is published: `tenants.schema.json` of the package. */
export const manifestJsonSchemaText = (): string => `${JSON.stringify(manifestJsonSchema(), undefined, 2)}\n`;
