import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import { z } from "zod";
import type { Fleet } from "../fleet";
import { newKey } from "../jwt";
import { createQuotaGate, type Plan } from "../plan";
import { ApiProblem, readBody } from "../problem";
import type { Control } from "../store/control";
import type { GroupRow } from "../store/groups";
import type { Usage } from "../store/usage";
import { groupOf } from "./addressed";
import { onlyGroup } from "./authorize";
import { locations } from "./locations";
import { name } from "./names";
import { organizationOf } from "./organizations";
import { mintToken } from "./tokens";

// Turso docs: "all" or a list of these. libSQL here has what it was built with; the choice changes nothing.
const extensions = ["vector", "crypto", "fuzzy", "math", "stats", "text", "unicode", "uuid", "regexp", "vec"];
const creation = z.object({
  name,
  location: z.string("a location is required"),
  extensions: z.union([z.literal("all"), z.array(z.enum(extensions))]).optional(),
});
const configuration = z.object({ delete_protection: z.boolean().optional() });

export interface GroupsOptions {
  readonly control: Control;
  readonly fleet: Fleet;
  readonly usage: Usage;
  readonly plan: Plan;
}

export function groupsApi({ control, fleet, usage, plan }: GroupsOptions): Hono {
  const quota = createQuotaGate(plan, "groups");
  return (
    new Hono()
      .get("/", (c) => {
        const only = onlyGroup(c);
        const groups = control.groups.list(organizationOf(c, control));
        return c.json({ groups: groups.filter(({ id }) => only === undefined || id === only).map(groupBody) });
      })
      .post("/", async (c) => {
        const organization = organizationOf(c, control);
        const body = await readBody(c, creation);
        if (!Object.hasOwn(locations, body.location)) throw new ApiProblem(400, `invalid location: ${body.location}`);
        if (control.groups.get(organization, body.name))
          throw new ApiProblem(409, `group with name ${body.name} already exists`);
        const group = { id: randomUUID(), organization, name: body.name, location: body.location };
        const count = (): number => control.groups.list(organization).length;
        await quota.room(organization, count, async () => control.groups.insert(group));
        return c.json({ group: groupBody({ ...group, deleteProtection: false, signingKey: undefined }) });
      })
      .get("/:group", (c) => c.json({ group: groupBody(groupOf(c, control)) }))
      .delete("/:group", async (c) => {
        const group = groupOf(c, control);
        const databases = control.databases.ofGroup(group.id);
        await fleet.deleteGroup(group);
        for (const database of databases) usage.forget(database.id);
        return c.json({ group: groupBody(group) });
      })
      .get("/:group/configuration", (c) => c.json({ delete_protection: groupOf(c, control).deleteProtection }))
      .patch("/:group/configuration", async (c) => {
        const { delete_protection } = await readBody(c, configuration);
        const group = groupOf(c, control);
        if (delete_protection !== undefined) control.groups.protect(group.id, delete_protection);
        return c.json({ delete_protection: delete_protection ?? group.deleteProtection });
      })
      .post("/:group/unarchive", (c) => c.json({ group: groupBody(groupOf(c, control)) }))
      // Turso docs: brings the servers up to date (200, without a body; clients read JSON). There is one version here.
      .post("/:group/update", (c) => {
        groupOf(c, control);
        return c.json({});
      })
      .on(["POST", "DELETE"], "/:group/locations/:location", (c) => {
        groupOf(c, control);
        // What groups on AWS answer.
        throw new ApiProblem(400, "replication is not supported");
      })
      .post("/:group/auth/tokens", (c) =>
        mintToken(c, () => {
          const { id, signingKey } = groupOf(c, control);
          const key = signingKey ?? newKey();
          if (!signingKey) control.groups.setKey(id, key);
          return { claims: { gid: id }, key };
        }),
      )
      .post("/:group/auth/rotate", (c) => {
        const { id } = groupOf(c, control);
        // Turso docs: a group's rotation invalidates its own tokens and those of its databases.
        control.transaction(() => {
          control.groups.setKey(id, undefined);
          control.databases.forgetKeysOfGroup(id);
        });
        return c.body(null, 200);
      })
  );
}

function groupBody(group: GroupRow): object {
  return {
    name: group.name,
    uuid: group.id,
    primary: group.location,
    locations: [group.location],
    delete_protection: group.deleteProtection,
    archived: false,
    version: "tenantry-local",
    status: { locations: [{ name: group.location, status: "ready" }] },
  };
}
