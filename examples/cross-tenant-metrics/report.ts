import { createTenantry } from "tenantry/client";

// There is no join over databases: every tenant is asked, and the answers are added up as they come. One row each in
// memory is enough for a report; for a scraper there is `npx tenantry each "SELECT ..." --openmetrics`.
const tenantry = createTenantry();

interface Sales {
  readonly tenant: string;
  readonly orders: number;
  readonly cents: number;
}

async function report(): Promise<void> {
  const sales: Sales[] = [];
  const failed: string[] = [];
  const query = "SELECT count(*) AS orders, coalesce(sum(cents), 0) AS cents FROM orders";
  // The token that is used can only read.
  for await (const result of tenantry.forEachTenant((db) => db.execute(query), { concurrency: 32 })) {
    const { id } = result.tenant;
    // One tenant that cannot be asked is no reason to know nothing of the others.
    if (!result.ok) failed.push(`${id}: ${result.error.message}`);
    else
      sales.push({
        tenant: id,
        orders: Number(result.value.rows[0]!["orders"]),
        cents: Number(result.value.rows[0]!["cents"]),
      });
  }
  const total = sales.reduce((sum, { cents }) => sum + cents, 0);
  console.log(`${sales.length} tenants, ${(total / 100).toFixed(2)} in all`);
  for (const { tenant, orders, cents } of [...sales].sort((a, b) => b.cents - a.cents).slice(0, 3)) {
    console.log(`${tenant}: ${(cents / 100).toFixed(2)} in ${orders} orders`);
  }
  for (const line of failed.sort()) console.log(`not asked: ${line}`);
}

report().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
