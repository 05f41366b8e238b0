import * as pulumi from "@pulumi/pulumi";
import { DatabaseToken, Group, SchemaTemplate, TenantDatabase } from "tenantry";

const config = new pulumi.Config();
const names = config.getObject<string[]>("tenants") ?? ["acme", "globex", "initech"];

// A group is a place; every tenant gets a database of its own in it.
const eu = new Group("eu", { location: "local" });

// The schema that each tenant has: copied when the tenant is new, migrated afterwards.
const app = new SchemaTemplate("app", { migrations: config.get("migrations") ?? "./migrations" });

const tenants = names.map((name) => new TenantDatabase(name, { group: eu, schema: app }));

// What the application reads with: one tenant, reading only, for a week; renewed by the deploys in between.
const reader = new DatabaseToken("acme-reader", { database: tenants[0] });

export const token = reader.token;
export const fleet = pulumi.all(
  tenants.map((tenant) => pulumi.all({ name: tenant.name, schema: tenant.schemaVersion, url: tenant.url })),
);
