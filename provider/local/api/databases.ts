import { Hono } from "hono";
import type { Context } from "hono";
import { z } from "zod";
import type { Fleet } from "../fleet";
import { newKey } from "../jwt";
import { ApiProblem, readBody } from "../problem";
import type { Control } from "../store/control";
import type { DatabaseRow } from "../store/databases";
import { databaseBody, configurationBody, createdBody } from "./database-body";
import { name } from "./names";
import { organizationOf } from "./organizations";
import { mintToken } from "./tokens";

// Turso publishes no largest page; its own CLI asks for 1000.
const pageLimit = 1000;
const seed = z.looseObject({
  type: z.string(),
  name: z.string().optional(),
  value: z.string().optional(),
  timestamp: z.unknown().optional(),
});
type Seed = z.output<typeof seed>;
// What this platform cannot honour is refused: silence would be found out much later.
const absent = z.union([z.null(), z.literal(false)], "not supported by the embedded platform").optional();
const creation = z.object({
  name,
  group: z.string("a group is required"),
  seed: seed.nullish(),
  size_limit: z.unknown().optional(),
  remote_encryption: absent,
  use_tursodb: absent,
  is_schema: absent,
  schema: absent,
});
const configuration = z.object({
  size_limit: z.unknown().optional(),
  allow_attach: z.unknown().optional(),
  block_reads: z.boolean().optional(),
  block_writes: z.boolean().optional(),
  delete_protection: z.boolean().optional(),
  allowed_ips: z.array(z.string()).nullish(),
  allowed_aws_vpc_ids: z.array(z.string()).nullish(),
});

export function databasesApi(control: Control, fleet: Fleet): Hono {
  const databaseOf = (c: Context): DatabaseRow => {
    const asked = c.req.param("database") ?? "";
    const database = control.databases.get(organizationOf(c, control), asked);
    if (!database) throw notFound(asked);
    return database;
  };
  return new Hono()
    .get("/", (c) => {
      const organization = organizationOf(c, control);
      const { group, parent, limit, cursor } = c.req.query();
      const size = pageSize(limit);
      const rows = control.databases.list({
        organization,
        // No group of that name: no database either.
        groupId: group === undefined ? undefined : (control.groups.get(organization, group)?.id ?? ""),
        parentId: parent,
        after: nameAfter(cursor),
        limit: size + 1,
      });
      const page = rows.slice(0, size);
      const next = rows.length > size ? Buffer.from(page[page.length - 1]?.name ?? "").toString("base64url") : null;
      return c.json({ databases: page.map(databaseBody), pagination: { next } });
    })
    .post("/", async (c) => {
      const organization = organizationOf(c, control);
      const body = await readBody(c, creation);
      refuseSizeLimit(body.size_limit);
      const group = control.groups.get(organization, body.group);
      if (!group) throw new ApiProblem(400, "group not found");
      const source = body.seed ? seedOf(control, organization, body.seed) : undefined;
      // Turso refuses a copy over the border of a group (tursodatabase/turso-cli#626); its words are not documented.
      if (source && source.groupId !== group.id)
        throw new ApiProblem(400, `seed database ${source.name} is not in group ${group.name}`);
      return c.json({ database: createdBody(await fleet.create({ group, name: body.name, seed: source })) });
    })
    .get("/:database", (c) => c.json({ database: databaseBody(databaseOf(c)) }))
    .delete("/:database", async (c) => {
      const database = databaseOf(c);
      await fleet.deleteDatabase(database);
      return c.json({ database: database.name });
    })
    .get("/:database/configuration", (c) => c.json(configurationBody(databaseOf(c))))
    .patch("/:database/configuration", async (c) => {
      const change = await readBody(c, configuration);
      refuseSizeLimit(change.size_limit);
      if (change.allow_attach !== undefined)
        throw new ApiProblem(400, "allow_attach is not supported for db-api controlled databases");
      const database = databaseOf(c);
      control.databases.configure(database.id, {
        blockReads: change.block_reads ?? database.blockReads,
        blockWrites: change.block_writes ?? database.blockWrites,
        deleteProtection: change.delete_protection ?? database.deleteProtection,
        allowedIps: listOr(database.allowedIps, change.allowed_ips),
        allowedAwsVpcIds: listOr(database.allowedAwsVpcIds, change.allowed_aws_vpc_ids),
      });
      return c.json(configurationBody(databaseOf(c)));
    })
    .post("/:database/auth/tokens", (c) =>
      mintToken(c, () => {
        const { id, signingKey } = databaseOf(c);
        const key = signingKey ?? newKey();
        if (!signingKey) control.databases.setKey(id, key);
        return { claims: { id }, key };
      }),
    )
    .post("/:database/auth/rotate", (c) => {
      control.databases.setKey(databaseOf(c).id, undefined);
      return c.body(null, 200);
    });
}

// `name` is the documented field; turso-cli sends `value`.
function seedOf(control: Control, organization: string, seed: Seed): DatabaseRow {
  const { type, name: documented, value, timestamp } = seed;
  if (type !== "database") throw new ApiProblem(400, `seed type ${type} is not supported by the embedded platform`);
  if (timestamp !== undefined && timestamp !== null) {
    throw new ApiProblem(400, "a seed timestamp is not supported by the embedded platform: it keeps no history");
  }
  const asked = documented ?? value ?? "";
  const source = control.databases.get(organization, asked);
  // Unverified: Turso documents no answer to an unknown source.
  if (!source) throw notFound(asked);
  return source;
}

// turso-cli: an explicit null clears the list, as an empty one does.
function listOr(present: readonly string[], asked: readonly string[] | null | undefined): readonly string[] {
  return asked === undefined ? present : (asked ?? []);
}

function notFound(asked: string): ApiProblem {
  return new ApiProblem(404, `could not find database with name ${asked}: record not found`);
}

// What current Turso databases answer to any size limit (alchemy-run/alchemy found it live).
function refuseSizeLimit(sizeLimit: unknown): void {
  if (sizeLimit !== undefined && sizeLimit !== null)
    throw new ApiProblem(400, "size_limit is not supported for db-api controlled databases");
}

function pageSize(limit: string | undefined): number {
  if (limit === undefined) return pageLimit;
  if (!/^[1-9]\d{0,8}$/.test(limit)) throw new ApiProblem(400, "limit must be a positive number");
  return Math.min(Number(limit), pageLimit);
}

function nameAfter(cursor: string | undefined): string {
  const after = Buffer.from(cursor ?? "", "base64url").toString();
  if (cursor && !/^[a-z0-9-]{1,64}$/.test(after)) throw new ApiProblem(400, "invalid cursor");
  return after;
}
