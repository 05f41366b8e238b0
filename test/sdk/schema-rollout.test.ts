import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { SchemaRollout, TenantFleet } from "../../sdk";

describe("a SchemaRollout of a fleet", () => {
  it("is one error that says whose rollout it is, however the fleet is given", async () => {
    await pulumi.runtime.setMocks(
      {
        newResource: ({ name, inputs }) => ({ id: `${name}-id`, state: inputs as object }),
        call: ({ inputs }) => inputs as object,
      },
      "shop",
      "dev",
    );
    const schema = "app@0001_init 0123456789ab copy+rollout ./migrations";
    const fleet = new TenantFleet("prod", { group: "eu", tenants: ["acme"] });
    for (const [property, given] of [
      ["fleet", { fleet }],
      ["fleet", { fleet, tenants: ["acme"] }],
      ["tenants", { tenants: fleet }],
      ["tenants", { tenants: ["acme", fleet] }],
    ] as const) {
      assert.throws(
        () => new SchemaRollout("v2", { schema, ...given } as never),
        (error: Error) => {
          assert.ok(error instanceof pulumi.RunError, "it would be shown with a stack");
          assert.equal(
            error.message,
            `v2: ${property}: a TenantFleet brings its tenants' schemas up itself. Give canary, waves and the rest to the ` +
              "fleet, as its `rollout`, and leave the SchemaRollout out.",
          );
          return true;
        },
      );
    }
  });
});
