import path from "node:path";
import { createTenantry } from "tenantry/client";

// What a pipeline asks of the pull request's own code, on the pull request's own branches: does it still work there?
const tenantry = createTenantry({ manifest: path.join(__dirname, "tenants.yaml"), access: "full-access" });

async function main(): Promise<void> {
  const orders = tenantry.forEachTenant((db) => db.execute("SELECT count(*) AS orders FROM orders"));
  for await (const { tenant, ...result } of orders) {
    if (!result.ok) throw result.error;
    console.log(`${tenant.id}: ${String(result.value.rows[0]?.["orders"])} orders`);
  }
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
