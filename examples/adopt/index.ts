import * as pulumi from "@pulumi/pulumi";
import { TenantDatabase, getTenantDatabase } from "tenantry";

// Databases made by hand or by scripts, in a group that this program only refers to.
const names = new pulumi.Config().requireObject<string[]>("existing");

// Adopting changes nothing about a database, and removing it here later leaves it where it is.
const tenants = names.map((name) => new TenantDatabase(name, { group: "default", adopt: "unowned" }));

export const adopted = pulumi.all(tenants.map((tenant) => tenant.databaseId));

// What is only looked up is never owned.
export const first = getTenantDatabase(names[0]!).then((found) => found?.hostname);
