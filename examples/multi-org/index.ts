import { Group, TenantDatabase, listTenants } from "tenantry";

// Each connection is an organization (or a platform) of its own, named under `tenantry:connections`.
const products = new Group("products", { location: "local", connection: "products" });
const internal = new Group("internal", { location: "local", connection: "internal" });

// The same name in two organizations is two databases.
const customer = new TenantDatabase("acme", { group: products, connection: "products" });
const sandbox = new TenantDatabase("acme-sandbox", { name: "acme", group: internal, connection: "internal" });

export const urls = [customer.url, sandbox.url];
export const customerId = customer.databaseId;
export const sandboxId = sandbox.databaseId;

// Lookups own nothing.
export const before = listTenants({ connection: "products" }).then((tenants) => tenants.length);
