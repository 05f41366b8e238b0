import { DatabaseToken, Group, SchemaTemplate, TenantDatabase } from "tenantry";

// Before the first `pulumi up`, in this folder:
//   export ADMIN_KEY=$(openssl rand -hex 24) S3_PASSWORD=$(openssl rand -hex 24)
//   docker compose up --detach
//   pulumi config set --secret tenantry:apiToken "$ADMIN_KEY"
//   npx tenantry keygen | pulumi config set --secret tenantry:signingKey
const group = new Group("eu", { location: "default", deleteProtection: false });
const schema = new SchemaTemplate("app", { migrations: "./migrations" });

const acme = new TenantDatabase("acme", { group, schema, sizeLimit: "1gb" });
const globex = new TenantDatabase("globex", { group, schema, blockWrites: true });

// What an application writes with, and what a report reads with. The replica on port 8081 takes the same tokens.
const writer = new DatabaseToken("acme-app", { database: acme, access: "full-access", expiresIn: "30d" });
const reader = new DatabaseToken("reports", { group, expiresIn: "1d" });

export const urls = { acme: acme.url, globex: globex.url };
export const tokens = { acme: writer.token, reports: reader.token };
