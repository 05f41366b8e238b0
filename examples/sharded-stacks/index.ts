import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { Group, SchemaTemplate, TenantFleet } from "tenantry";
import { stackOf, stacks } from "./shards";

// Run once for each stack: the part of the tenants that is its own.
const stack = pulumi.getStack();
if (!(stack in stacks)) throw new pulumi.RunError(`There is no shard "${stack}": ${Object.keys(stacks).join(", ")}.`);
const ids = (JSON.parse(readFileSync("tenants.json", "utf8")) as string[]).filter((id) => stackOf(id) === stack);

// A group for each stack has a registry of its own, so that no run waits for another. Where a plan has few groups, all
// stacks can use one that exists: `group: "eu"`.
const group = new Group("eu", { name: `eu-${stack}`, location: "local" });
const schema = new SchemaTemplate("app", { migrations: "./migrations" });
const fleet = new TenantFleet("prod", { group, schema, namePattern: "tenant-{id}", tenants: ids });

export const { minSchemaVersion, counts } = fleet;
