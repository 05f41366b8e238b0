import type { HttpClient } from "../../http/client";
import type { Directory, Invitee, OrganizationApiToken } from "../../platform/directory";
import { createApi } from "./api";
import {
  allApiTokens,
  allInvites,
  allMembers,
  auditPage,
  createdApiToken,
  invitedPerson,
  oneMember,
} from "./directory-wire";
import { tursoPlan } from "./plan";
import { named, read } from "./wire";

export interface DirectoryOptions {
  readonly client: HttpClient;
  readonly organization: string;
}

/** The tokens of the user whose token is in use. */
const ofUser = "/v1/auth/api-tokens";
/** The most that a page of the audit log is asked for (Turso docs: 100 is the default). */
const pageSize = 100;

/** Turso docs: members, invites (version 2), API tokens, audit logs. */
export function tursoDirectory({ client, organization }: DirectoryOptions): Directory {
  const api = createApi(client, organization);
  const invites = createApi(client, organization, "/v2/organizations");
  // Tokens are made by and for the user whose token is in use, and limited to the organization.
  const auth = createApi(client, organization, "");
  const look = (doing: string) => ({ doing, kind: "directory" }) as const;
  /** Unverified: whether personal organizations have the administrators' view. Its user's own tokens everybody can see. */
  const ownTokens = async (): Promise<OrganizationApiToken[]> =>
    read(allApiTokens, await auth.call(look("list API tokens"), { method: "GET", path: ofUser }));
  const member = (username: string): string => `/members/${encodeURIComponent(username)}`;

  return {
    async listMembers() {
      return read(allMembers, await api.call(look("list members"), { method: "GET", path: "/members" }));
    },
    async getMember(username) {
      const answer = await api.find(look(`look up member "${username}"`), { method: "GET", path: member(username) });
      if (!answer) return undefined;
      const found = read(oneMember, answer);
      named(username, { name: found.username }, answer);
      return found;
    },
    async addMember(username, role) {
      const body = { username, role };
      await api.call(look(`add member "${username}"`), { method: "POST", path: "/members", body });
    },
    async setRole(username, role) {
      const doing = look(`change the role of member "${username}"`);
      await api.call(doing, { method: "PATCH", path: member(username), body: { role } });
    },
    async removeMember(username) {
      await api.find(look(`remove member "${username}"`), { method: "DELETE", path: member(username) });
    },

    async listInvites() {
      return read(allInvites, await invites.call(look("list invites"), { method: "GET", path: "/invites" }));
    },
    async invite(invitee, role) {
      const doing = look(`invite "${nameOf(invitee)}"`);
      const answer = await invites.call(doing, { method: "POST", path: "/invites", body: { ...invitee, role } });
      const email = "email" in invitee ? invitee.email : read(invitedPerson, answer).email;
      return { email };
    },
    async revokeInvite(email) {
      const path = `/invites/${encodeURIComponent(email)}`;
      await invites.find(look(`revoke the invite of "${email}"`), { method: "DELETE", path });
    },

    async listApiTokens() {
      const answer = await api.find(look("list API tokens"), { method: "GET", path: "/api-tokens" });
      return answer ? read(allApiTokens, answer) : ownTokens();
    },
    async createApiToken({ name, limit }) {
      const answer = await auth.call(look(`create API token "${name}"`), {
        method: "POST",
        path: `${ofUser}/${encodeURIComponent(name)}`,
        body: { organization, ...limit },
      });
      const { name: made = name, ...token } = read(createdApiToken, answer);
      named(name, { name: made }, answer);
      return token;
    },
    async revokeApiToken(id) {
      const doing = look(`revoke API token "${id}"`);
      const path = `/api-tokens/${encodeURIComponent(id)}`;
      if (await api.find(doing, { method: "DELETE", path })) return;
      // Gone, or of an organization that has no such call: a token that is to be refused must not live on for that.
      const left = (await ownTokens()).find((token) => token.id === id);
      if (left) await auth.find(doing, { method: "DELETE", path: `${ofUser}/${encodeURIComponent(left.name)}` });
    },

    async *auditLog() {
      for (let page = 1; ; page += 1) {
        const query = { page: String(page), page_size: String(pageSize) };
        const answer = await api.call(look("read the audit log"), { method: "GET", path: "/audit-logs", query });
        const { entries, pages } = read(auditPage, answer);
        yield* entries;
        if (entries.length === 0 || page >= (pages ?? (entries.length < pageSize ? page : Infinity))) return;
      }
    },
    plan: tursoPlan(api),
  };
}

const nameOf = (invitee: Invitee): string => ("email" in invitee ? invitee.email : invitee.username);
