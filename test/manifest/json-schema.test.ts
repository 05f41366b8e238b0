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

describe("the JSON Schema of a manifest", () => {
  it("is published as the definition makes it: `npx tenantry manifest schema > tenants.schema.json`", () => {
    assert.equal(published, manifestJsonSchemaText());
  });

  it("describes every property, and knows no other", () => {
    const schema = JSON.parse(published) as Schema;
    assert.deepEqual(Object.keys(schema.properties!).sort(), [...sections].sort());
    assert.deepEqual(
      [...Object.keys(single), ...Object.keys(entries)].filter((key) => !sections.includes(key)),
      [],
    );
    assert.equal(schema.additionalProperties, false);
    const [map] = schema.properties!["tenants"]!.anyOf!;
    const tenant = (map!.additionalProperties as Schema).anyOf![0]!;
    assert.deepEqual(Object.keys(tenant.properties!).sort(), [...tenantProperties].sort());
    const bare = [schema, tenant].flatMap(({ properties = {} }) =>
      Object.entries(properties).filter(([key, { description }]) => key !== "$schema" && !description),
    );
    assert.deepEqual(
      bare.map(([key]) => key),
      [],
    );
  });
});
