/**
 * What the Platform API sends, validated at the edge and turned into the port's words at once. Extra fields pass, `null`
 * counts as absent, and names are found in whatever casing the call at hand uses (Turso docs mix three).
 */
import { z } from "zod";
import type { HttpAnswer } from "../../http/answer";
import { excerpt } from "../../http/redact";
import { TenantryError } from "../../platform/errors";
import type { DatabaseConfiguration, Location, PlatformDatabase, PlatformGroup } from "../../platform/platform";

/** The body as `schema` has it, or "bad-answer" naming the call and the field. */
export function read<Schema extends z.ZodType>(schema: Schema, answer: HttpAnswer): z.output<Schema> {
  const result = schema.safeParse(answer.body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const path = issue?.path.join(".") || "the answer";
  throw new TenantryError("bad-answer", `${answer.where} answered something unexpected: ${path}: ${issue?.message}.`, {
    fix: "Check the API address; if it is right, the platform has changed and Tenantry needs an update.",
    requestId: answer.requestId,
    // The call itself succeeded.
    afterLostReply: true,
  });
}

/** The thing answered, if it is the one asked for: what a mixed-up answer says must not be done to another's database. */
export function named<Thing extends { readonly name: string }>(name: string, thing: Thing, answer: HttpAnswer): Thing {
  if (thing.name.toLowerCase() === name.toLowerCase()) return thing;
  throw new TenantryError(
    "bad-answer",
    `${answer.where} answered about "${excerpt(thing.name)}" instead of "${name}".`,
    {
      fix: "Try again; if it lasts, check for a proxy that mixes up answers, and tell the platform's operator.",
      requestId: answer.requestId,
      afterLostReply: true,
    },
  );
}

/** Lets "Name", "name", "DbId", "db_id" and "dbId" meet: keys in lower case without underscores, nulls dropped. */
const record = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.preprocess((value) => {
    if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
    const entries = Object.entries(value).filter(([, field]) => field !== null && field !== undefined);
    return Object.fromEntries(entries.map(([key, field]) => [key.toLowerCase().replaceAll("_", ""), field]));
  }, z.object(shape));

const flag = z.boolean().optional();

const database = record({
  name: z.string().min(1),
  dbid: z.string().min(1),
  hostname: z.string().min(1),
  group: z.string().optional(),
  archived: flag,
  blockreads: flag,
  blockwrites: flag,
  deleteprotection: flag,
  parent: record({ id: z.string().optional() }).optional(),
}).transform((wire): PlatformDatabase => ({
  name: wire.name,
  id: wire.dbid,
  hostname: wire.hostname,
  group: wire.group || undefined,
  archived: wire.archived ?? false,
  blockReads: wire.blockreads,
  blockWrites: wire.blockwrites,
  deleteProtection: wire.deleteprotection,
  parentId: wire.parent?.id || undefined,
}));

const group = record({
  name: z.string().min(1),
  uuid: z.string().min(1),
  primary: z.string().optional(),
  locations: z.array(z.string()).optional(),
  archived: flag,
  deleteprotection: flag,
}).transform((wire): PlatformGroup => ({
  name: wire.name,
  id: wire.uuid,
  location: wire.primary || wire.locations?.[0] || "",
  archived: wire.archived ?? false,
  deleteProtection: wire.deleteprotection,
}));

export const oneDatabase = record({ database }).transform((wire) => wire.database);
export const oneGroup = record({ group }).transform((wire) => wire.group);

/**
 * A list must be in the answer, and no error beside it: whatever an answer lacks is taken for absent, and a group that
 * holds nothing is deleted. (No list is documented to be null when it is empty.)
 */
export const noError = z.undefined("the platform speaks of an error in an answer that says success").optional();

export const allGroups = record({ groups: z.array(group), error: noError }).transform((wire) => wire.groups);

/** A page of databases; `next` is absent, null or empty at the end. */
export const databasePage = record({
  databases: z.array(database),
  error: noError,
  pagination: record({ next: z.union([z.string(), z.number()]).optional() }).optional(),
}).transform(({ databases, pagination }) => ({
  items: databases,
  next: pagination?.next === undefined || pagination.next === "" ? undefined : String(pagination.next),
}));

/** Code and description; documented as a map, in older answers a list. */
export const allLocations = record({
  locations: z.union([
    z.record(z.string(), z.string()),
    z.array(z.object({ code: z.string(), description: z.string() })),
  ]),
}).transform(({ locations }): Location[] =>
  Array.isArray(locations)
    ? locations
    : Object.entries(locations).map(([code, description]) => ({ code, description })),
);

export const configuration = record({
  blockreads: flag,
  blockwrites: flag,
  deleteprotection: flag,
  allowedips: z.array(z.string()).optional(),
  sizelimit: z.union([z.string(), z.number().transform(String)]).optional(),
}).transform((wire): DatabaseConfiguration => ({
  blockReads: wire.blockreads,
  blockWrites: wire.blockwrites,
  deleteProtection: wire.deleteprotection,
  allowedIps: wire.allowedips,
  // "0" and "" both stand for no limit.
  sizeLimit: wire.sizelimit === "" || wire.sizelimit === "0" ? undefined : wire.sizelimit,
}));

export const minted = record({ jwt: z.string().min(1) });
