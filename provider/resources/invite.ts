import { z } from "zod";
import type { Context } from "../context";
import type { GivenRole, Invitee, OpenInvite, OrganizationMember } from "../platform/directory";
import { randomId } from "../random-id";
import type { CommonInputs, Failure, Handler } from "./handler";
import { commonShape, judge } from "./inputs";
import { defaultRole, directoryOf, isElsewhere, judgeRole, lacksDirectory, roleShape, sameName } from "./organization";
import { requireKnownScope, requireScope } from "./scope";
import { hasUnknown } from "./unknown";

export interface InviteInputs extends CommonInputs {
  readonly email?: string;
  readonly username?: string;
  /** The default is filled in by check. */
  readonly role?: GivenRole;
}

export interface InviteOutputs extends InviteInputs {
  readonly scope: string;
  /** Where it went to. */
  readonly address: string;
  readonly status: "open" | "accepted";
}

const schema = z.strictObject({
  ...commonShape,
  email: z
    .string("must be an address")
    .regex(/^[^\s@]+@[^\s@]+$/, 'must be an address such as "ada@example.com"')
    .optional(),
  username: z.string("must be the username of an account").min(1).optional(),
  role: roleShape,
});
const known = ["email", "username", "role", "connection"];

/**
 * An invitation, until it is accepted: then the person is a member, the invite is gone from the platform, and nothing is
 * sent again.
 */
export const invite: Handler<InviteInputs, InviteOutputs> = {
  check({ news, capabilities, platform }) {
    const inputs = { ...news, role: news.role ?? defaultRole };
    const path = news.username === undefined ? "email" : "username";
    const lacking = lacksDirectory(path, "invites", capabilities, platform);
    if (lacking) return { inputs, failures: lacking };
    const failures: Failure[] = [...judge(schema, news, known), ...judgeRole(news.role)];
    if ((news.email === undefined) === (news.username === undefined))
      failures.push("email: give an email or a username, one of them.");
    return { inputs, failures };
  },

  diff({ olds, news, context }) {
    if (isElsewhere(olds, news, context)) return { changes: true, replaces: ["connection"], deleteBeforeReplace: true };
    requireKnownScope(context, olds.scope);
    for (const key of ["email", "username"] as const) {
      if (!hasUnknown(news[key]) && !sameName(olds[key], news[key]))
        return { changes: true, replaces: [key], deleteBeforeReplace: true };
    }
    return {
      changes: (["email", "username", "role", "connection"] as const).some(
        (key) => hasUnknown(news[key]) || olds[key] !== news[key],
      ),
      note:
        olds.status === "accepted" && olds.role !== news.role
          ? `${olds.address} has accepted: a Member resource is what changes their role now`
          : undefined,
    };
  },

  async create({ inputs, context }) {
    const scope = await context.scope();
    return { id: randomId(), outputs: { ...inputs, scope, ...(await send(inputs, context)) } };
  },

  async read({ outputs, context }) {
    await requireScope(context, outputs.scope);
    const { open, member } = await standing(outputs, context);
    if (open) return { ...outputs, role: open.role as GivenRole, status: "open" };
    // Whoever was a member once has had this invite: what became of them since is a Member's matter.
    return member || outputs.status === "accepted" ? { ...outputs, status: "accepted" } : undefined;
  },

  async update({ olds, news, context }) {
    const scope = await requireScope(context, olds.scope);
    if (olds.status === "accepted") return { ...olds, ...news, scope };
    return { ...news, scope, ...(await send({ ...news, address: olds.address }, context)) };
  },

  async delete({ outputs, context }) {
    await requireScope(context, outputs.scope);
    const directory = directoryOf(context);
    const { open, member } = await standing(outputs, context);
    if (open) await directory.revokeInvite(open.email);
    if (member) return `${member.username} has accepted, and stays a member of ${outputs.scope}`;
    return undefined;
  },
};

type Person = Pick<InviteInputs, "email" | "username"> & { readonly address?: string };

/** Sends none where there is one already with that role, or where the person is a member. */
async function send(
  person: Person & Pick<InviteInputs, "role">,
  context: Context,
): Promise<Pick<InviteOutputs, "address" | "status">> {
  const { role = defaultRole } = person;
  const { open, member } = await standing(person, context);
  const address = open?.email ?? person.address ?? person.email ?? member?.email ?? person.username!;
  if (!open && member) return { address, status: "accepted" };
  if (open?.role === role) return { address, status: "open" };
  const invitee: Invitee = person.email === undefined ? { username: person.username! } : { email: person.email };
  const { email } = await directoryOf(context).invite(invitee, role);
  return { address: email, status: "open" };
}

async function standing(
  { email, username, address = email }: Person,
  context: Context,
): Promise<{ readonly open?: OpenInvite; readonly member?: OrganizationMember }> {
  const directory = directoryOf(context);
  // In this order: who accepts in between is seen in both, or in the later one.
  const invites = await directory.listInvites();
  const members = await directory.listMembers();
  return {
    open: invites.find((one) => address !== undefined && sameName(one.email, address)),
    member: members.find(
      (one) =>
        (username !== undefined && sameName(one.username, username)) ||
        (address !== undefined && sameName(one.email, address)),
    ),
  };
}
