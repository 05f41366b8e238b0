import { Hono } from "hono";
import type { Context } from "hono";
import { z } from "zod";
import { ApiProblem, readBody } from "../problem";
import type { Control } from "../store/control";
import type { MemberRow } from "../store/people";
import { organizationOf } from "./organizations";

/** The folder's own user, who owns every organization. */
export const owner = { username: "local", email: "" };

/** Turso docs: what can be given; "owner" can only be read. */
export const role = z.enum(["admin", "member", "viewer"], "a role is admin, member or viewer");
const addition = z.looseObject({ username: z.string("a username is required"), role: role.optional() });
const change = z.looseObject({ role });

/** Members of an organization (Turso docs): its owner, and who was added or has accepted an invite. */
export function membersApi(control: Control): Hono {
  const add = (c: Context, organization: string, username: string, given: z.output<typeof role> = "member") => {
    if (memberOf(control, organization, username)) throw new ApiProblem(409, `user ${username} is already a member`);
    // Turso docs: 404 for a user that is not there.
    const user = control.people.user(username);
    if (!user) throw new ApiProblem(404, `user not found: nobody here has the account ${username}`);
    control.people.putMember(organization, user.username, given);
    return c.json({ member: user.username, role: given });
  };
  const found = (c: Context): { readonly organization: string; readonly member: MemberRow } => {
    const organization = organizationOf(c, control);
    const member = memberOf(control, organization, c.req.param("username") ?? "");
    if (!member) throw new ApiProblem(404, "user not found");
    return { organization, member };
  };
  const changeable = (c: Context): ReturnType<typeof found> => {
    const one = found(c);
    if (one.member.role === "owner")
      throw new ApiProblem(403, "forbidden: the owner of an organization stays what they are");
    return one;
  };
  return (
    new Hono()
      .get("/", (c) => {
        const organization = organizationOf(c, control);
        return c.json({ members: [{ ...owner, role: "owner" }, ...control.people.members(organization)] });
      })
      .post("/", async (c) => {
        const organization = organizationOf(c, control);
        const { username, role: given } = await readBody(c, addition);
        return add(c, organization, username, given);
      })
      .get("/:username", (c) => c.json({ member: found(c).member }))
      // Where @tursodatabase/api sends what the docs have without a name in the path.
      .post("/:username", async (c) => {
        const organization = organizationOf(c, control);
        const { role: given } = await readBody(c, addition.partial());
        return add(c, organization, c.req.param("username"), given);
      })
      .patch("/:username", async (c) => {
        const { organization, member } = changeable(c);
        const { role: given } = await readBody(c, change);
        control.people.putMember(organization, member.username, given);
        return c.json({ member: { ...member, role: given } });
      })
      .delete("/:username", (c) => {
        const { organization, member } = changeable(c);
        control.people.removeMember(organization, member.username);
        return c.json({ member: member.username });
      })
  );
}

export function memberOf(control: Control, organization: string, username: string): MemberRow | undefined {
  if (username.toLowerCase() === owner.username) return { ...owner, role: "owner" };
  return control.people.member(organization, username);
}
