import { TenantFleet } from "tenantry";

// Production: deployed when a pull request is merged. Pull requests have branches, which are no part of any stack.
const fleet = new TenantFleet("prod", { manifest: "./tenants.yaml" });

export const { minSchemaVersion, counts } = fleet;
