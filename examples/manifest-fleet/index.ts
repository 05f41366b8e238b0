import { TenantFleet } from "tenantry";

// Who the tenants are, where they live and what they may: all of it in the manifest.
const fleet = new TenantFleet("prod", { manifest: "./tenants.yaml" });

// An application that needs a migration waits for this.
export const { minSchemaVersion, counts } = fleet;

export const acme = fleet.tenants.apply((tenants) => tenants["acme"]?.url);
