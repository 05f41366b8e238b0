import path from "node:path";
import { serve } from "@hono/node-server";
import { createTenantry } from "tenantry/client";
import { createApp } from "./app";

// Platform, organization and token come from the environment: TENANTRY_PLATFORM and so on.
const tenantry = createTenantry({
  group: "eu",
  access: "full-access",
  templates: { app: path.join(__dirname, "migrations") },
});

serve({ fetch: createApp(tenantry).fetch, hostname: "127.0.0.1", port: Number(process.env.PORT ?? 3000) }, ({ port }) =>
  console.log(`http://127.0.0.1:${port}`),
);
