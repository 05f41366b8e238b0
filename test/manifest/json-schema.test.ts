import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "mocha";
import { entries, sections, single, tenantProperties } from "../../sdk/manifest/definition";
import { manifestJsonSchemaText } from "../../sdk/manifest/json-schema";

const published = readFileSync(path.resolve(__dirname, "../../tenants.schema.json"), "utf8");

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema | boolean;
  readonly anyOf?: readonly Schema[];
  readonly description?: string;
}

/** With each reference replaced by what it refers to, which is what an editor makes of it. */
function expanded(part: unknown, definitions: Readonly<Record<string, unknown>>): unknown {
  if (Array.isArray(part)) return part.map((one) => expanded(one, definitions));
  if (typeof part !== "object" || part === null) return part;
  const { $ref, ...rest } = part as { $ref?: string };
  if ($ref === undefined) {
    return Object.fromEntries(Object.entries(rest).map(([key, one]) => [key, expanded(one, definitions)]));
  }
  assert.deepEqual(rest, {}, `draft 7 has no eyes for what stands beside ${$ref}`);
  const name = $ref.replace("#/definitions/", "");
  assert.ok(name in definitions, $ref);
  return expanded(definitions[name], definitions);
}

describe("the JSON Schema of a manifest", () => {
  it("is published as the definition makes it: `npx tenantry manifest schema > tenants.schema.json`", () => {
    assert.equal(published, manifestJsonSchemaText());
  });

  it("describes every property, and knows no other", () => {
    const { definitions, ...whole } = JSON.parse(published) as Schema & { definitions: Record<string, unknown> };
    const schema = expanded(whole, definitions) as Schema;
    assert.deepEqual(Object.keys(schema.properties!).sort(), [...sections].sort());
    assert.deepEqual(
      [...Object.keys(single), ...Object.keys(entries)].filter((key) => !sections.includes(key)),
      [],
    );
    assert.equal(schema.additionalProperties, false);
    const [map] = schema.properties!["tenants"]!.anyOf!;
    const tenant = (map!.additionalProperties as Schema).anyOf![0]!;
    assert.deepEqual(Object.keys(tenant.properties!).sort(), [...tenantProperties].sort());
    const [plan] = (schema.properties!["plans"]!.additionalProperties as Schema).anyOf!;
    const others = [plan!, schema.properties!["defaults"]!, schema.properties!["rollout"]!];
    for (const one of [tenant, ...others]) assert.equal(one.additionalProperties, false);
    const bare = [schema, tenant, ...others].flatMap(({ properties = {} }) =>
      Object.entries(properties).filter(([key, { description }]) => key !== "$schema" && !description),
    );
    assert.deepEqual(
      bare.map(([key]) => key),
      [],
    );
  });
});
