import type { Account, TokenGrant } from "../../platform/account";
import type { Platform } from "../../platform/platform";
import type { Api } from "./api";
import { unsupported } from "./problems";

/** PerSQL docs, "who am I": the token's namespace and role; what the balance holds is shown in the console only. */
export function persqlAccount(api: Api): Pick<Platform, "account" | "usage"> {
  return {
    async account(): Promise<Account> {
      const { namespaceSlug, role } = await api.me();
      const used = (await api.list()).filter(({ branchRef }) => !branchRef).length;
      return {
        tokenExpiry: undefined,
        grant: grantOf(namespaceSlug, role),
        plan: undefined,
        quotas: [
          { what: "databases", used, limit: undefined },
          { what: "groups", used: 1, limit: undefined },
        ],
      };
    },
    usage: async () => {
      throw unsupported("shows what databases use in its console only", "Look there.");
    },
  };
}

/** PerSQL docs, tokens: "admin" may do anything; the owner's role is called so too in its list of members. */
function grantOf(namespace: string, role: string): TokenGrant {
  const enough = role === "admin" || role === "owner";
  return {
    name: undefined,
    scopes: [`role ${role}`],
    missing: enough ? [] : ["role admin"],
    enoughFor: enough ? "every deploy" : "no deploy",
    organization: namespace,
    group: undefined,
  };
}
