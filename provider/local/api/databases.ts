import { Hono } from "hono";
import { z } from "zod";
import type { Fleet } from "../fleet";
import { newKey } from "../jwt";
import { createQuotaGate, type Plan, requirePaid } from "../plan";
import { ApiProblem, readBody } from "../problem";
import type { Control } from "../store/control";
import type { DatabaseFiles } from "../store/database-files";
import type { Usage } from "../store/usage";
import { databaseOf } from "./addressed";
import { onlyGroup, requireGroup } from "./authorize";
import { databaseBody, configurationBody, createdBody } from "./database-body";
import { name } from "./names";
import { organizationOf } from "./organizations";
import { createSeeded, seedBody, seedOf } from "./seed";
import { mintToken } from "./tokens";

// Turso publishes no largest page; its own CLI asks for 1000.
const pageLimit = 1000;
// What this platform cannot honour is refused: silence would be found out much later.
const absent = z.union([z.null(), z.literal(false)], "not supported by the embedded platform").optional();
const creation = z.object({
  name,
  group: z.string("a group is required"),
  seed: seedBody.nullish(),
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

export interface DatabasesOptions {
  readonly control: Control;
  readonly fleet: Fleet;
  readonly files: DatabaseFiles;
  readonly usage: Usage;
  readonly plan: Plan;
}

export function databasesApi({ control, fleet, files, usage, plan }: DatabasesOptions): Hono {
  const quota = createQuotaGate(plan, "databases");
  return (
    new Hono()
      .get("/", (c) => {
        const organization = organizationOf(c, control);
        const { group, parent, limit, cursor } = c.req.query();
        const size = pageSize(limit);
        // No group of that name: no database either.
        const asked = group === undefined ? undefined : (control.groups.get(organization, group)?.id ?? "");
        if (asked) requireGroup(c, asked);
        const rows = control.databases.list({
          organization,
          groupId: asked ?? onlyGroup(c),
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
        requireGroup(c, group.id);
        const seed = body.seed ? seedOf(body.seed, { control, plan, group }) : undefined;
        const count = (): number => control.databases.count(organization);
        const create = () => createSeeded(seed, { fleet, files, group, name: body.name });
        // A taken name is the better answer where both are true.
        const taken = control.databases.get(organization, body.name) !== undefined;
        const made = await (taken ? create() : quota.room(organization, count, create));
        return c.json({ database: createdBody(made) });
      })
      .get("/:database", (c) => c.json({ database: databaseBody(databaseOf(c, control)) }))
      .delete("/:database", async (c) => {
        const database = databaseOf(c, control);
        await fleet.deleteDatabase(database);
        usage.forget(database.id);
        return c.json({ database: database.name });
      })
      .get("/:database/configuration", (c) => c.json(configurationBody(databaseOf(c, control))))
      .patch("/:database/configuration", async (c) => {
        const change = await readBody(c, configuration);
        refuseSizeLimit(change.size_limit);
        if (change.allow_attach !== undefined)
          throw new ApiProblem(400, "allow_attach is not supported for db-api controlled databases");
        // Turso docs: allow-lists are part of paid plans.
        if (change.allowed_ips?.length || change.allowed_aws_vpc_ids?.length) requirePaid(plan, "an allow-list");
        const database = databaseOf(c, control);
        control.databases.configure(database.id, {
          blockReads: change.block_reads ?? database.blockReads,
          blockWrites: change.block_writes ?? database.blockWrites,
          deleteProtection: change.delete_protection ?? database.deleteProtection,
          allowedIps: listOr(database.allowedIps, change.allowed_ips),
          allowedAwsVpcIds: listOr(database.allowedAwsVpcIds, change.allowed_aws_vpc_ids),
        });
        return c.json(configurationBody(databaseOf(c, control)));
      })
      // As of a group; turso-cli and @tursodatabase/api call it.
      .post("/:database/update", (c) => {
        databaseOf(c, control);
        return c.json({});
      })
      .post("/:database/auth/tokens", (c) =>
        mintToken(c, () => {
          const { id, signingKey } = databaseOf(c, control);
          const key = signingKey ?? newKey();
          if (!signingKey) control.databases.setKey(id, key);
          return { claims: { id }, key };
        }),
      )
      .post("/:database/auth/rotate", (c) => {
        control.databases.setKey(databaseOf(c, control).id, undefined);
        return c.body(null, 200);
      })
  );
}

// turso-cli: an explicit null clears the list, as an empty one does.
function listOr(present: readonly string[], asked: readonly string[] | null | undefined): readonly string[] {
  return asked === undefined ? present : (asked ?? []);
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
