import { randomUUID } from "node:crypto";
import { Hono } from "hono";
import type { Context } from "hono";
import { z } from "zod";
import type { Fleet } from "../fleet";
import { newKey } from "../jwt";
import { ApiProblem, readBody } from "../problem";
import type { Control } from "../store/control";
import type { GroupRow } from "../store/groups";
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

export function groupsApi(control: Control, fleet: Fleet): Hono {
  const groupOf = (c: Context): GroupRow => {
    const group = control.groups.get(organizationOf(c, control), c.req.param("group") ?? "");
    if (!group) throw new ApiProblem(404, "group not found");
    return group;
  };
  return new Hono()
    .get("/", (c) => c.json({ groups: control.groups.list(organizationOf(c, control)).map(groupBody) }))
    .post("/", async (c) => {
      const organization = organizationOf(c, control);
      const body = await readBody(c, creation);
      if (!Object.hasOwn(locations, body.location)) throw new ApiProblem(400, `invalid location: ${body.location}`);
      if (control.groups.get(organization, body.name))
        throw new ApiProblem(409, `group with name ${body.name} already exists`);
      const group = { id: randomUUID(), organization, name: body.name, location: body.location };
      control.groups.insert(group);
      return c.json({ group: groupBody({ ...group, deleteProtection: false, signingKey: undefined }) });
    })
    .get("/:group", (c) => c.json({ group: groupBody(groupOf(c)) }))
    .delete("/:group", async (c) => {
      const group = groupOf(c);
      await fleet.deleteGroup(group);
      return c.json({ group: groupBody(group) });
    })
    .get("/:group/configuration", (c) => c.json({ delete_protection: groupOf(c).deleteProtection }))
    .patch("/:group/configuration", async (c) => {
      const { delete_protection } = await readBody(c, configuration);
      const group = groupOf(c);
      if (delete_protection !== undefined) control.groups.protect(group.id, delete_protection);
      return c.json({ delete_protection: delete_protection ?? group.deleteProtection });
    })
    .post("/:group/unarchive", (c) => c.json({ group: groupBody(groupOf(c)) }))
    .post("/:group/auth/tokens", (c) =>
      mintToken(c, () => {
        const { id, signingKey } = groupOf(c);
        const key = signingKey ?? newKey();
        if (!signingKey) control.groups.setKey(id, key);
        return { claims: { gid: id }, key };
      }),
    )
    .post("/:group/auth/rotate", (c) => {
      const { id } = groupOf(c);
      // Turso docs: a group's rotation invalidates its own tokens and those of its databases.
      control.transaction(() => {
        control.groups.setKey(id, undefined);
        control.databases.forgetKeysOfGroup(id);
      });
      return c.body(null, 200);
    });
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
