import { z } from "zod";
import type { GivenRole, OrganizationMember } from "../platform/directory";
import { TenantryError, hasCode } from "../platform/errors";
import { randomId } from "../random-id";
import type { CommonInputs, Handler } from "./handler";
import { commonShape, judge } from "./inputs";
import { defaultRole, directoryOf, isElsewhere, judgeRole, lacksDirectory, roleShape, sameName } from "./organization";
import { requireKnownScope, requireScope } from "./scope";
import { hasUnknown } from "./unknown";

export interface MemberInputs extends CommonInputs {
  readonly username: string;
  /** The default is filled in by check. */
  readonly role?: GivenRole;
  readonly adopt?: "never" | "unowned";
  readonly deletionPolicy?: "delete" | "retain";
}

export interface MemberOutputs extends MemberInputs {
  readonly scope: string;
  /** They were a member before. */
  readonly adopted?: boolean;
}

const schema = z.strictObject({
  ...commonShape,
  username: z.string("must be the username of an account").min(1, "must be the username of an account"),
  role: roleShape,
  adopt: z.enum(["never", "unowned"]).optional(),
  deletionPolicy: z.enum(["delete", "retain"]).optional(),
});
const known = ["username", "role", "adopt", "deletionPolicy", "connection"];

/** Somebody's membership of the organization. The owner's is neither given, changed nor taken. */
export const member: Handler<MemberInputs, MemberOutputs> = {
  check({ news, capabilities, platform }) {
    const inputs = { ...news, role: news.role ?? defaultRole };
    const lacking = lacksDirectory("username", "members", capabilities, platform);
    return { inputs, failures: lacking ?? [...judge(schema, news, known), ...judgeRole(news.role)] };
  },

  diff({ olds, news, context }) {
    if (isElsewhere(olds, news, context)) return { changes: true, replaces: ["connection"], deleteBeforeReplace: true };
    requireKnownScope(context, olds.scope);
    if (!hasUnknown(news.username) && !sameName(olds.username, news.username))
      return { changes: true, replaces: ["username"], deleteBeforeReplace: true };
    return { changes: (["username", "role", "adopt", "deletionPolicy", "connection"] as const).some(differs) };

    function differs(key: keyof MemberInputs): boolean {
      return hasUnknown(news[key]) || olds[key] !== news[key];
    }
  },

  async create({ inputs, context }) {
    const directory = directoryOf(context);
    const scope = await context.scope();
    const { username, role = defaultRole } = inputs;
    const before = await directory.getMember(username);
    let adopted = before !== undefined;
    if (before) {
      if (await mayTake(before, inputs)) await directory.setRole(username, role);
    } else {
      try {
        await directory.addMember(username, role);
      } catch (error) {
        if (!hasCode(error, "already-exists")) throw error;
        // Our own attempt, whose reply was lost, or somebody else in the same moment.
        const found = await directory.getMember(username);
        if (!found) throw error;
        if (await mayTake(found, inputs)) await directory.setRole(username, role);
        adopted = !error.afterLostReply;
      }
    }
    return { id: randomId(), outputs: { ...inputs, scope, adopted: adopted || undefined } };
  },

  async read({ outputs, context }) {
    await requireScope(context, outputs.scope);
    const found = await directoryOf(context).getMember(outputs.username);
    return found && { ...outputs, role: found.role as GivenRole };
  },

  async update({ olds, news, context }) {
    const scope = await requireScope(context, olds.scope);
    const directory = directoryOf(context);
    const { username, role = defaultRole } = news;
    const found = await directory.getMember(username);
    if (!found) await directory.addMember(username, role);
    else if (found.role === "owner") throw isOwner(username);
    else if (found.role !== role) await directory.setRole(username, role);
    return { ...news, scope, adopted: found ? olds.adopted : undefined };
  },

  async delete({ outputs, context }) {
    await requireScope(context, outputs.scope);
    const { username, adopted, deletionPolicy = adopted ? "retain" : "delete" } = outputs;
    if (deletionPolicy === "retain") return `${username} stays a member of ${outputs.scope}${adopted ? why : ""}`;
    const directory = directoryOf(context);
    const found = await directory.getMember(username);
    if (found?.role === "owner") return `${username} owns ${outputs.scope}, and stays its member`;
    if (found) await directory.removeMember(username);
    return undefined;
  },
};

const why = ', as they were before this stack declared them (deletionPolicy: "delete" would remove them)';

/** Whether the role has to change. Who is as declared is taken as they are: nothing is done to them. */
async function mayTake(found: OrganizationMember, { username, role, adopt }: MemberInputs): Promise<boolean> {
  if (found.role === role) return false;
  if (found.role === "owner") throw isOwner(username);
  if (adopt === "unowned") return true;
  throw new TenantryError("already-exists", `username: "${username}" is a member already, as ${found.role}.`, {
    fix: `Declare them with role: "${found.role}", or let this stack change that with adopt: "unowned".`,
  });
}

const isOwner = (username: string): TenantryError =>
  new TenantryError("protected", `username: "${username}" owns the organization, whose role is no one else's.`, {
    fix: "Take the Member out of the program; the platform's console hands an organization over.",
  });
