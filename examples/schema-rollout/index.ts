import * as pulumi from "@pulumi/pulumi";
import { Group, SchemaRollout, SchemaTemplate, TenantDatabase } from "tenantry";

const eu = new Group("eu", { location: "local" });

// New tenants are made with its newest schema; those that exist are changed by the rollout alone.
const schema = new SchemaTemplate("shop", { migrations: "./migrations", migrate: "rollout" });

// Our own shop, and those of 19 customers.
const shops = ["staff", ...Array.from({ length: 19 }, (_, i) => `shop-${i + 1}`)];
const tenants = shops.map(
  (name) => new TenantDatabase(name, { group: eu, schema, labels: { ring: name === "staff" ? "canary" : "stable" } }),
);

// Our own goes first. Then a tenth of all, half of them, the rest; when more than 5 % fail, no other is begun.
const rollout = new SchemaRollout("shop", {
  schema,
  tenants,
  canary: { ring: "canary" },
  waves: [0.1, 0.5, 1],
  maxFailures: "5%",
});

// Stands for the deployment of your application: it is changed once every tenant has the schema that it relies on.
const deployment = new pulumi.Stash("deployment", {
  input: { image: "shop:42", schemaVersion: rollout.minSchemaVersion },
});

export const deployed = deployment.input;
export const { counts, unfinished } = rollout;
