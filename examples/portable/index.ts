import * as pulumi from "@pulumi/pulumi";
import { DatabaseToken, Group, SchemaTemplate, TenantDatabase } from "tenantry";

// Which platform, and what differs between platforms, is said by the stack: Pulumi.local.yaml and so on.
const config = new pulumi.Config();

const group = new Group("eu", { name: config.get("group"), location: config.require("location") });
const dialect = config.get<"sqlite" | "postgresql">("dialect"); // the migrations are in words that all of them know
const schema = new SchemaTemplate("app", { migrations: "./migrations", dialect });
const tenants = ["acme", "globex", "initech"].map((name) => new TenantDatabase(name, { group, schema }));
// Where there are no tokens, clients connect with a tenant's connection strings.
const hasTokens = config.getBoolean("tokens") ?? true;
const reader = hasTokens ? new DatabaseToken("acme-reader", { database: tenants[0], expiresIn: "1d" }) : undefined;

export const urls = tenants.map((tenant) => tenant.url);
export const versions = tenants.map((tenant) => tenant.schemaVersion);
export const token = reader?.token;
export const connectionStrings = tenants[0]?.connectionStrings;
