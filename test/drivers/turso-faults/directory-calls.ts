import type { Directory } from "../../../provider/platform/directory";
import type { Call, Driver } from "./calls";

const on = ({ platform }: Driver): Directory => platform.directory!;
const reads = { kind: "read", requests: 1 } as const;
const one = { requests: 1, takesEmpty: true, takesAny: true } as const;

/** Every method of the directory. */
export const directoryCalls: Record<keyof Directory, readonly Call[]> = {
  listMembers: [{ ...reads, run: (driver) => on(driver).listMembers(), subject: "list members" }],
  getMember: [{ ...reads, run: (driver) => on(driver).getMember("ada"), subject: 'member "ada"' }],
  addMember: [
    {
      kind: "create",
      ...one,
      run: (driver) => on(driver).addMember("new", "viewer"),
      effect: "add member new",
      subject: 'member "new"',
    },
  ],
  setRole: [
    {
      kind: "set",
      ...one,
      run: (driver) => on(driver).setRole("ada", "admin"),
      effect: "set role of ada",
      subject: 'member "ada"',
    },
  ],
  removeMember: [
    {
      kind: "delete",
      ...one,
      run: (driver) => on(driver).removeMember("ada"),
      effect: "remove member ada",
      subject: 'member "ada"',
    },
  ],
  listInvites: [{ ...reads, run: (driver) => on(driver).listInvites(), subject: "list invites" }],
  invite: [
    {
      kind: "set",
      ...one,
      run: (driver) => on(driver).invite({ email: "new@example.com" }, "member"),
      effect: "invite new@example.com",
      subject: 'invite "new@example.com"',
    },
    {
      kind: "set",
      requests: 1,
      run: (driver) => on(driver).invite({ username: "new" }, "member"),
      effect: "invite new",
      subject: 'invite "new"',
    },
  ],
  revokeInvite: [
    {
      kind: "delete",
      ...one,
      run: (driver) => on(driver).revokeInvite("grace@example.com"),
      effect: "revoke invite of grace@example.com",
      subject: 'invite of "grace@example.com"',
    },
  ],
  listApiTokens: [{ ...reads, run: (driver) => on(driver).listApiTokens(), subject: "list API tokens" }],
  createApiToken: [
    {
      kind: "create",
      requests: 1,
      run: (driver) => on(driver).createApiToken({ name: "new", limit: undefined }),
      effect: "create API token new",
      subject: 'API token "new"',
    },
  ],
  revokeApiToken: [
    {
      kind: "delete",
      ...one,
      // The second one where the first finds nothing any more.
      requests: 2,
      run: (driver) => on(driver).revokeApiToken("t-1"),
      effect: "revoke API token t-1",
      subject: 'API token "t-1"',
    },
  ],
  auditLog: [
    {
      ...reads,
      requests: 2,
      run: async (driver) => {
        for await (const entry of on(driver).auditLog()) void entry;
      },
      subject: "audit log",
    },
  ],
  plan: [{ ...reads, requests: 3, run: (driver) => on(driver).plan(), subject: "the organization" }],
};
