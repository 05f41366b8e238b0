import path from "node:path";
import { serve } from "@hono/node-server";
import { createTenantry } from "tenantry/client";
import { createApp } from "./app";

// Platform and token come from the environment. With TENANTRY_PREVIEW in it, the same program serves a pull request's
// branches, needs neither, and opens no tenant itself.
const tenantry = createTenantry({ manifest: path.join(__dirname, "tenants.yaml"), access: "full-access" });

serve({ fetch: createApp(tenantry).fetch, hostname: "127.0.0.1", port: Number(process.env.PORT ?? 3000) }, ({ port }) =>
  console.log(`http://127.0.0.1:${port}`),
);
