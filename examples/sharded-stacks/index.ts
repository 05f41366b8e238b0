import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
import { Group, SchemaTemplate, TenantFleet } from "tenantry";
import { groupOf, stackOf, stacks } from "./shards";

// Run once for each stack: the part of the tenants that is its own.
const stack = pulumi.getStack();
const shard = stacks[stack];
if (!shard) throw new pulumi.RunError(`There is no shard "${stack}": ${Object.keys(stacks).join(", ")}.`);
const ids = (JSON.parse(readFileSync("tenants.json", "utf8")) as string[]).filter((id) => stackOf(id) === stack);

// A group for each stack has a registry of its own, so that no run waits for another. Where a plan has few groups, all
// stacks can use one that exists: `group: "eu"`.
const made = Object.fromEntries(shard.groups.map((name) => [name, new Group(name, { location: "local" })]));
const schema = new SchemaTemplate("app", { migrations: "./migrations" });
const tenants = Object.fromEntries(ids.map((id) => [id, { group: made[groupOf(id)] ?? groupOf(id) }]));
const fleet = new TenantFleet("prod", { schema, namePattern: "tenant-{id}", tenants });

export const { minSchemaVersion, counts } = fleet;
