import assert from "node:assert/strict";
import { hasCode } from "../../provider/platform/errors";
import { databaseToken } from "../../provider/resources/database-token";
import { group as groups } from "../../provider/resources/group";
import type { Failure } from "../../provider/resources/handler";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { Stage } from "./driver";

/** By the driver: with the code that says so, and with what to do instead. */
export async function unsupported(call: Promise<unknown>): Promise<void> {
  await assert.rejects(call, (error) => hasCode(error, "unsupported") && Boolean(error.fix));
}

/** Where the platform itself refuses, in its own way. */
export async function refusedFor(call: Promise<unknown>): Promise<void> {
  await assert.rejects(call, (error) => hasCode(error, "unsupported", "invalid-input"));
}

/** At check: one failure, with the property's path, that names the platform. */
export function refusesAtCheck({ platform }: Stage, failures: readonly Failure[], path: string): void {
  assert.equal(failures.length, 1, failures.join("\n"));
  assert.ok(failures[0]!.startsWith(`${path}: `), failures[0]);
  assert.ok(path === "name" || failures[0]!.includes(platform.name), failures[0]);
}

export function surroundings({ platform }: Stage) {
  return { olds: undefined, capabilities: platform.capabilities, platform: platform.name };
}

export const self = "organization/shop/dev/acme";
export const failuresOf = (stage: Stage, more: object): Failure[] => {
  const news = { self, name: "acme", group: "eu", ...(stage.parts ? { databases: stage.parts } : {}), ...more };
  return tenantDatabase.check({ news, ...surroundings(stage) }).failures;
};
export const groupFailuresOf = (stage: Stage, more: object): Failure[] =>
  groups.check({ news: { self, name: "eu", location: stage.location, ...more }, ...surroundings(stage) }).failures;
export const tokenFailuresOf = (stage: Stage, more: object): Failure[] =>
  databaseToken.check({ news: { self, database: "acme", ...more }, ...surroundings(stage) }).failures;
