import type { Context } from "../../provider/context";
import type { LocalPlatform } from "../../provider/local";
import { hasCode } from "../../provider/platform/errors";
import { apiToken } from "../../provider/resources/api-token";
import { invite } from "../../provider/resources/invite";
import { type MemberInputs, member } from "../../provider/resources/member";
import { peopleOf } from "./people";

/** What happens to an organization's people and tokens where nothing is said. */
export function directoryDefaults(context: Context, local: LocalPlatform, self: (name: string) => string) {
  const directory = context.platform.directory!;
  const around = { olds: undefined, capabilities: context.platform.capabilities, platform: "local" };
  const declared = async (username: string, more: Partial<MemberInputs> = {}) => {
    const { inputs } = member.check({ news: { self: self(username), username, ...more }, ...around });
    return member.create({ inputs: inputs as MemberInputs, context });
  };
  const account = (username: string) => peopleOf(local).signUp(username, `${username}@example.com`);
  const afterRemoval = async (username: string) => {
    await member.delete({ ...(await declared(username)), context });
    return (await directory.getMember(username)) ? "retain" : "delete";
  };
  return {
    "Member.role": async () => {
      await account("ada");
      await declared("ada");
      return (await directory.getMember("ada"))?.role;
    },
    "Member.adopt": async () => {
      await account("alan");
      await directory.addMember("alan", "viewer");
      const refusal: unknown = await declared("alan").catch((error: unknown) => error);
      await declared("alan", { adopt: "unowned" });
      return hasCode(refusal, "already-exists") ? "never" : String(refusal);
    },
    "Member.deletionPolicy": async () => {
      await account("grace");
      return afterRemoval("grace");
    },
    "Member.deletionPolicy, a member before": async () => {
      await account("linus");
      await directory.addMember("linus", "member");
      return afterRemoval("linus");
    },
    "Invite.role": async () => {
      const news = { self: self("edsger"), email: "edsger@example.com" };
      await invite.create({ inputs: invite.check({ news, ...around }).inputs as typeof news, context });
      return (await directory.listInvites()).find(({ email }) => email === news.email)?.role;
    },
    "ApiToken.group": async () => {
      const { outputs } = await apiToken.create({ inputs: { self: self("wide"), name: "wide" }, context });
      const listed = (await directory.listApiTokens()).find(({ id }) => id === outputs.tokenId);
      return listed?.group ?? "none";
    },
    "ApiToken.scopes": async () => {
      const inputs = { self: self("narrow"), name: "narrow", group: "eu" };
      const { outputs } = await apiToken.create({ inputs, context });
      return JSON.stringify((await directory.listApiTokens()).find(({ id }) => id === outputs.tokenId)?.scopes);
    },
  };
}
