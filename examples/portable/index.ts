import * as pulumi from "@pulumi/pulumi";
import { DatabaseToken, Group, SchemaTemplate, TenantDatabase } from "tenantry";

// Which platform, and what differs between platforms, is said by the stack: Pulumi.local.yaml and so on.
const config = new pulumi.Config();

const group = new Group("eu", { name: config.get("group"), location: config.require("location") });
const schema = new SchemaTemplate("app", { migrations: "./migrations" });
const tenants = ["acme", "globex", "initech"].map((name) => new TenantDatabase(name, { group, schema }));
const reader = new DatabaseToken("acme-reader", { database: tenants[0], expiresIn: "1d" });

export const urls = tenants.map((tenant) => tenant.url);
export const versions = tenants.map((tenant) => tenant.schemaVersion);
export const token = reader.token;
