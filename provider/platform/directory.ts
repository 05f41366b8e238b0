/**
 * What a platform knows of an organization beside its databases: who belongs to it, what may call its API, what was done,
 * and what its plan allows. There where `capabilities.directory` says so.
 */

/** Whom an organization has as members. "owner" can be read, and neither given nor taken. */
export type Role = "owner" | GivenRole;
export type GivenRole = "admin" | "member" | "viewer";

export interface OrganizationMember {
  readonly username: string;
  /** Undefined where the platform does not tell. */
  readonly email: string | undefined;
  /** One of `Role`, or a word that is not known here. */
  readonly role: string;
}

export interface OpenInvite {
  readonly email: string;
  readonly role: string;
  /** ISO 8601; undefined where the platform does not tell. */
  readonly createdAt: string | undefined;
}

/** Whom to invite: by one of the two. */
export type Invitee = { readonly email: string } | { readonly username: string };

export interface ApiTokenSpec {
  readonly name: string;
  /** What it is limited to; undefined: the whole organization. */
  readonly limit: { readonly group: string; readonly scopes: readonly string[] } | undefined;
}

export interface OrganizationApiToken {
  readonly id: string;
  readonly name: string;
  /** Undefined: the whole organization. */
  readonly group: string | undefined;
  /** Undefined: no limit. */
  readonly scopes: readonly string[] | undefined;
  /** Whose it is, where the platform tells. */
  readonly owner: string | undefined;
  readonly createdAt: string | undefined;
}

export interface AuditEntry {
  /** ISO 8601. */
  readonly at: string;
  /** The platform's word for what was done, such as "db-create". */
  readonly code: string;
  readonly author: string;
  readonly origin: string;
  readonly message: string;
  /** Of what, as the platform has it. */
  readonly data: Readonly<Record<string, unknown>>;
}

/** A plan that the platform offers. */
export interface OfferedPlan {
  readonly name: string;
  /** The one that the organization has. */
  readonly isPresent: boolean;
  readonly limits: readonly PlanLimit[];
}

export interface PlanLimit {
  /** In words, such as "rows read". */
  readonly what: string;
  /** Undefined where the platform does not tell. */
  readonly limit: number | "unlimited" | undefined;
  /** In the present period of billing, by the whole organization; undefined where that is not counted. */
  readonly used: number | undefined;
  readonly unit?: "bytes";
}

export interface OrganizationPlan {
  /** Undefined where the platform does not tell. */
  readonly name: string | undefined;
  /** What is beyond the limits is paid for, and not refused. */
  readonly overages: boolean | undefined;
  readonly limits: readonly PlanLimit[];
  readonly offered: readonly OfferedPlan[];
}

export interface Directory {
  listMembers(): Promise<OrganizationMember[]>;
  getMember(username: string): Promise<OrganizationMember | undefined>;
  /** Fails with "already-exists" for who is a member, with "user-not-found" for who has no account. */
  addMember(username: string, role: GivenRole): Promise<void>;
  setRole(username: string, role: GivenRole): Promise<void>;
  /** Absence is success. */
  removeMember(username: string): Promise<void>;

  listInvites(): Promise<OpenInvite[]>;
  /** Replaces an open one of the same person. Answers the address that it went to. */
  invite(invitee: Invitee, role: GivenRole): Promise<{ readonly email: string }>;
  /** Absence is success. */
  revokeInvite(email: string): Promise<void>;

  /** Those that are limited to this organization, of all its members. */
  listApiTokens(): Promise<OrganizationApiToken[]>;
  /**
   * The token is told this once. Fails with "already-exists" when the name is taken, also by an attempt of this call whose
   * reply was lost: nobody has that token then.
   */
  createApiToken(spec: ApiTokenSpec): Promise<{ readonly id: string; readonly token: string }>;
  /** By id: names are each member's own. It is refused from then on. Absence is success. */
  revokeApiToken(id: string): Promise<void>;

  /** The newest first; pages by itself. */
  auditLog(): AsyncIterable<AuditEntry>;
  /** What the plan allows and what of it is used. */
  plan(): Promise<OrganizationPlan>;
}
