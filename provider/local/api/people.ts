import { Hono } from "hono";
import { z } from "zod";
import { ApiProblem, readBody } from "../problem";
import type { Control } from "../store/control";
import { same } from "./invites";
import { memberOf, owner } from "./members";
import { organizationOf } from "./organizations";

const account = z.looseObject({ email: z.string("an email is required") });
const acceptance = z.looseObject({ username: z.string().optional() });
const validName = /^[\w.-]{1,64}$/;

/**
 * What people do for themselves at a hosted platform, and no API is documented for: here with the Platform API token.
 * Below `/tenantry`, where only the embedded platform has anything.
 */
export function peopleApi(control: Control): Hono {
  const putUser = (username: string, email: string): void => {
    if (!validName.test(username))
      throw new ApiProblem(400, "a username has 1 to 64 letters, digits, dots, dashes or underscores");
    if (same(username, owner.username)) throw new ApiProblem(409, `the account ${owner.username} is the folder's own`);
    control.people.putUser({ username, email });
  };
  return (
    new Hono()
      // Signs up: an account that can be made a member.
      .put("/users/:username", async (c) => {
        const { email } = await readBody(c, account);
        putUser(c.req.param("username"), email);
        return c.json({ user: control.people.user(c.req.param("username")) });
      })
      // Accepts an invite, with the account given, which is made where there is none.
      .post("/organizations/:organization/invites/:email/accept", async (c) => {
        const organization = organizationOf(c, control);
        const email = c.req.param("email");
        const invite = control.people.invites(organization).find((one) => same(one.email, email));
        if (!invite) throw new ApiProblem(404, "invite not found");
        const { username = email.split("@")[0]! } = await readBody(c, acceptance);
        control.transaction(() => {
          if (!control.people.user(username)) putUser(username, invite.email);
          if (!memberOf(control, organization, username)) control.people.putMember(organization, username, invite.role);
          control.people.removeInvite(organization, invite.email);
        });
        return c.json({ member: memberOf(control, organization, username) });
      })
  );
}
