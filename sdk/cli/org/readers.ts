import { Option } from "commander";
import type { AuditEntry, Directory } from "../../../provider/platform/directory";
import { TenantryError, hasCode } from "../../../provider/platform/errors";
import type { Platform } from "../../../provider/platform/platform";
import { oneLine } from "../one-line";
import type { GroundFlags } from "../schema/ground";
import { counted, table } from "../schema/table";
import { type Read, wholeFlag } from "../tenant/reader";
import { planLines, planOf, usageLines } from "./figures";

export type OrgFlags = GroundFlags & { readonly json?: boolean; readonly limit?: string; readonly code?: string };

export interface OrgReader {
  readonly verb: string;
  readonly description: string;
  readonly options?: readonly Option[];
  readonly read: (platform: Platform, flags: OrgFlags) => Promise<Read>;
}

export const orgReaders: readonly OrgReader[] = [
  {
    verb: "members",
    description: "List who belongs to the organization, and in which role.",
    async read(platform) {
      const members = await directoryOf(platform).listMembers();
      const rows = members.map(({ username, role, email }) => [username, role, email ?? "-"]);
      return { document: { members }, lines: shown(["USERNAME", "ROLE", "EMAIL"], rows) };
    },
  },
  {
    verb: "invites",
    description: "List invitations that nobody has accepted yet.",
    async read(platform) {
      const invites = await directoryOf(platform).listInvites();
      const rows = invites.map(({ email, role, createdAt }) => [email, role, createdAt ?? "-"]);
      return { document: { invites }, lines: shown(["EMAIL", "ROLE", "SENT"], rows) };
    },
  },
  {
    verb: "tokens",
    description: "List the API tokens that are limited to the organization, of all its members.",
    async read(platform) {
      const tokens = await directoryOf(platform).listApiTokens();
      const rows = tokens.map(({ name, owner, group, scopes, createdAt }) => [
        ...[name, owner ?? "-", group === undefined ? "all of it" : `group ${group}`],
        ...[scopes?.join(", ") ?? "everything", createdAt ?? "-"],
      ]);
      return { document: { tokens }, lines: shown(["NAME", "OWNER", "LIMITED TO", "SCOPES", "MADE"], rows) };
    },
  },
  {
    verb: "audit",
    description: "Show what was done in the organization and by whom, the newest first, where its plan has that.",
    options: [
      new Option("--code <code>", 'only these, in the platform\'s words, such as "db-create"'),
      new Option("--limit <count>", "at most so many").default("100"),
    ],
    read: readAudit,
  },
  {
    verb: "usage",
    description: "Show what the organization uses of what its plan allows.",
    async read(platform) {
      const plan = await planOf(platform);
      const { name, overages, limits } = plan;
      return { document: { plan: name ?? null, overages: overages ?? null, usage: limits }, lines: usageLines(plan) };
    },
  },
  {
    verb: "plan",
    description: "Show the limits of the organization's plan beside those of the others on offer.",
    async read(platform) {
      const plan = await planOf(platform);
      const offered = plan.offered.map(({ limits, ...rest }) => ({
        ...rest,
        limits: limits.map(({ what, limit, unit }) => ({ what, limit: limit ?? null, unit })),
      }));
      return { document: { plan: plan.name ?? null, plans: offered }, lines: planLines(plan) };
    },
  },
  {
    verb: "locations",
    description: "List where a group can be put.",
    async read(platform) {
      const locations = [...(await platform.listLocations())].sort((a, b) => (a.code < b.code ? -1 : 1));
      const rows = locations.map(({ code, description }) => [code, description]);
      return { document: { locations }, lines: shown(["LOCATION", ""], rows) };
    },
  },
];

/** `tenantry org` alone. */
export async function readSummary(platform: Platform): Promise<Read> {
  const plan = await planOf(platform);
  if (!platform.directory)
    return { document: { plan: plan.name ?? null, usage: plan.limits }, lines: usageLines(plan) };
  const [members, invites, tokens] = await Promise.all([
    allowed(platform.directory.listMembers()),
    allowed(platform.directory.listInvites()),
    allowed(platform.directory.listApiTokens()),
  ]);
  const byRole = new Map<string, number>();
  for (const { role } of members ?? []) byRole.set(role, (byRole.get(role) ?? 0) + 1);
  const roles = [...byRole].map(([role, count]) => `${count} ${oneLine(role)}`).join(", ");
  const parts = [
    members && `${counted(members.length, "member")} (${roles})`,
    invites && counted(invites.length, "open invite"),
    tokens && counted(tokens.length, "API token"),
  ].filter((part) => part !== undefined);
  return {
    document: {
      ...{ plan: plan.name ?? null, overages: plan.overages ?? null, usage: plan.limits },
      ...{ members: members?.length ?? null, invites: invites?.length ?? null, tokens: tokens?.length ?? null },
    },
    lines: [
      parts.length > 0 ? `${parts.join(", ")}.` : "Who belongs to it, this token may not read.",
      ...usageLines(plan),
    ],
  };
}

/** What this token or the plan keeps to itself is left out of the summary; by its own verb it is an error that says so. */
async function allowed<Answer>(asking: Promise<Answer>): Promise<Answer | undefined> {
  return asking.catch((error: unknown) => {
    if (hasCode(error, "forbidden", "plan-refused")) return undefined;
    throw error;
  });
}

async function readAudit(platform: Platform, { code, limit = "100" }: OrgFlags): Promise<Read> {
  const most = wholeFlag(limit, "--limit");
  const audit: AuditEntry[] = [];
  for await (const entry of directoryOf(platform).auditLog()) {
    if (code !== undefined && entry.code !== code) continue;
    audit.push(entry);
    if (audit.length === most) break;
  }
  const rows = audit.map(({ at, code: done, author, origin, message, data }) => [
    ...[at, done, author, origin],
    oneLine([message, Object.keys(data).length > 0 ? JSON.stringify(data) : ""].filter(Boolean).join(" ")),
  ]);
  return { document: { audit }, lines: shown(["AT", "WHAT", "WHO", "FROM", ""], rows) };
}

function directoryOf({ name, directory }: Platform): Directory {
  if (directory) return directory;
  throw new TenantryError("unsupported", `${name} has no directory that could be read.`, {
    fix: "See its console; `npx tenantry org usage` and `npx tenantry org locations` show what it tells.",
  });
}

function shown(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return ["There are none."];
  return table([head, ...rows.map((row) => row.map((cell) => oneLine(cell)))]);
}
