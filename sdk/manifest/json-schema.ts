import { z } from "zod";
import { manifestFile, tenant } from "./definition";

/**
 * The JSON Schema of a manifest, for editors; made of the definition that manifests are held against. Draft 7 is what
 * editors know best.
 */
export function manifestJsonSchema(): object {
  // What tenants, plans and defaults have in common is there once, by a plain reference: 10 kB less. (zod's own way,
  // `reused: "ref"`, puts references beside descriptions, where an editor sees no type any more.)
  for (const [id, of] of Object.entries(tenant.shape)) z.globalRegistry.add(of, { ...z.globalRegistry.get(of), id });
  const { $schema, ...schema } = z.toJSONSchema(manifestFile, {
    target: "draft-7",
    io: "input",
    override: ({ jsonSchema }) => {
      // No format of JSON Schema's: editors warn. The pattern beside it says the same.
      if (jsonSchema.format?.startsWith("cidr")) delete jsonSchema.format;
    },
  });
  return { $schema, title: "Tenantry manifest", ...schema };
}

/** As it is published: `tenants.schema.json` of the package. On one line: editors read it, and indentation is 16 kB. */
export const manifestJsonSchemaText = (): string => `${JSON.stringify(manifestJsonSchema())}\n`;
