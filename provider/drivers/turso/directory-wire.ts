import { z } from "zod";
import type { AuditEntry, OpenInvite, OrganizationApiToken, OrganizationMember } from "../../platform/directory";
import { noError } from "./wire";

const text = z.string().nullish();
const said = (value: string | null | undefined): string | undefined => value || undefined;

const member = z
  .object({ username: z.string().min(1), role: z.string().min(1), email: text })
  .transform((wire): OrganizationMember => ({ ...wire, email: said(wire.email) }));
export const oneMember = z.object({ member }).transform((wire) => wire.member);
export const allMembers = z.object({ members: z.array(member), error: noError }).transform((wire) => wire.members);

const invite = z
  .object({ email: z.string().min(1), role: z.string().min(1), created_at: text })
  .transform(({ email, role, created_at }): OpenInvite => ({ email, role, createdAt: said(created_at) }));
export const allInvites = z.object({ invites: z.array(invite), error: noError }).transform((wire) => wire.invites);
export const invitedPerson = z
  .object({ invited: z.object({ email: z.string().min(1) }) })
  .transform((wire) => wire.invited);

const apiToken = z
  .object({
    id: z.string().min(1),
    name: z.string().min(1),
    group: text,
    scopes: z.array(z.string()).nullish(),
    owner: z.object({ username: text }).nullish(),
    created_at: text,
  })
  .transform(({ id, name, group, scopes, owner, created_at }): OrganizationApiToken => ({
    ...{ id, name, group: said(group), scopes: scopes?.length ? scopes : undefined },
    ...{ owner: said(owner?.username), createdAt: said(created_at) },
  }));
export const allApiTokens = z.object({ tokens: z.array(apiToken), error: noError }).transform((wire) => wire.tokens);

/** Version 2 of the API wraps it in `token`, with the token itself as `value`. */
export const createdApiToken = z.union([
  z.object({ id: z.string().min(1), token: z.string().min(1), name: z.string().optional() }),
  z
    .object({ token: z.object({ id: z.string().min(1), value: z.string().min(1), name: z.string().optional() }) })
    .transform(({ token: { id, value, name } }) => ({ id, token: value, name })),
]);

const entry = z
  .object({
    code: z.string(),
    message: text,
    origin: text,
    author: text,
    created_at: z.string(),
    data: z.unknown().optional(),
  })
  .transform(({ code, message, origin, author, created_at, data }): AuditEntry => ({
    ...{ at: created_at, code, author: author ?? "", origin: origin ?? "", message: message ?? "" },
    data: typeof data === "object" && data !== null ? { ...data } : {},
  }));
export const auditPage = z
  .object({
    audit_logs: z.array(entry),
    pagination: z.object({ total_pages: z.number().nonnegative().nullish() }).nullish(),
    error: noError,
  })
  .transform((wire) => ({ entries: wire.audit_logs, pages: wire.pagination?.total_pages ?? undefined }));
