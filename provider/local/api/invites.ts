import { Hono } from "hono";
import { z } from "zod";
import type { Plan } from "../plan";
import { ApiProblem, readBody } from "../problem";
import type { Control } from "../store/control";
import type { InviteRow } from "../store/people";
import { memberOf, role } from "./members";
import { organizationOf } from "./organizations";

const address = z
  .string()
  .max(254)
  .regex(/^[\w.!#$%&'*+=?^`{|}~-]+@[\w.-]+$/, "must be an address such as ada@example.com");
const creation = z.looseObject({ email: address.optional(), username: z.string().optional(), role: role.optional() });

/** Invites to an organization (Turso docs: version 2 of the API). No mail leaves this machine: see `peopleApi`. */
export function invitesApi(control: Control, plan: Plan): Hono {
  return new Hono()
    .get("/", (c) => c.json({ invites: control.people.invites(organizationOf(c, control)).map(inviteBody) }))
    .post("/", async (c) => {
      const organization = organizationOf(c, control);
      // What turso-cli reads as "not in your plan".
      if (!plan.paid)
        throw new ApiProblem(
          400,
          `invites are not available on the ${plan.name} plan`,
          "feature_not_available_for_starter_plan",
        );
      const { email, username, role: given = "member" } = await readBody(c, creation);
      if ((email === undefined) === (username === undefined))
        throw new ApiProblem(400, "give an email or a username, one of them");
      const user = username === undefined ? undefined : control.people.user(username);
      if (username !== undefined && !user)
        throw new ApiProblem(404, `user not found: nobody here has the account ${username}`);
      const to = email ?? user!.email;
      const known = username ?? control.people.members(organization).find((one) => same(one.email, to))?.username;
      // Unverified: what Turso answers of somebody who is a member.
      if (known !== undefined && memberOf(control, organization, known))
        throw new ApiProblem(409, `user ${known} is already a member`);
      const made = control.people.invite(organization, to, given);
      return c.json({ invited: { email: made.email, role: made.role, organization } });
    })
    .delete("/:email", (c) => {
      if (!control.people.removeInvite(organizationOf(c, control), c.req.param("email")))
        throw new ApiProblem(404, "invite not found");
      return c.body(null, 200);
    });
}

export const same = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

const inviteBody = ({ id, email, role: given, createdAt }: InviteRow): object => ({
  ...{ id, email, role: given, created_at: createdAt },
});
