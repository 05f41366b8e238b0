/** Turso docs, "Create API token": what a token that is limited to a group can be allowed. */
export const scopes = [
  "read",
  "db:create",
  "db:delete",
  "db:configure",
  "db:mint-token",
  "db:rotate-creds",
  "group:configure",
  "group:mint-token",
  "group:rotate-creds",
] as const;
export type Scope = (typeof scopes)[number];

/** Turso docs: presets are stored and shown as the scopes that they stand for. */
export const presets: Readonly<Record<string, readonly Scope[]>> = { "read-only": ["read"], "full-access": scopes };

/**
 * What a call asks of a token: a scope; "organization", which no token of a group has; or "none", which is open to
 * every valid token, the call itself showing only what is the token's own.
 */
export type Demand = Scope | "organization" | "none";

const organization = "/v1/organizations/:organization";
const invites = "/v2/organizations/:organization/invites";
const group = `${organization}/groups/:group`;
const database = `${organization}/databases/:database`;

/**
 * Every call of the Platform API that takes a token. Turso documents the scopes' meaning and that a group's token can
 * neither create, delete nor transfer groups. Unverified: which scope `locations`, `unarchive` and `update` ask, and that
 * plans are readable with `read` while usage, which names every database, is the organization's.
 */
export const demands: Readonly<Record<string, Demand>> = {
  "GET /v1/auth/validate": "none",
  "GET /v1/auth/api-tokens": "none",
  "GET /v1/auth/api-tokens/validate": "none",
  "POST /v1/auth/api-tokens/:name": "organization",
  "DELETE /v1/auth/api-tokens/:name": "organization",
  "GET /v1/organizations": "none",
  [`GET ${organization}`]: "read",
  [`PATCH ${organization}`]: "organization",
  [`DELETE ${organization}`]: "organization",
  [`GET ${organization}/members`]: "organization",
  [`POST ${organization}/members`]: "organization",
  [`GET ${organization}/members/:username`]: "organization",
  [`POST ${organization}/members/:username`]: "organization",
  [`PATCH ${organization}/members/:username`]: "organization",
  [`DELETE ${organization}/members/:username`]: "organization",
  [`GET ${invites}`]: "organization",
  [`POST ${invites}`]: "organization",
  [`DELETE ${invites}/:email`]: "organization",
  [`GET ${organization}/api-tokens`]: "organization",
  [`DELETE ${organization}/api-tokens/:id`]: "organization",
  [`GET ${organization}/plans`]: "read",
  [`GET ${organization}/subscription`]: "read",
  [`GET ${organization}/usage`]: "organization",
  [`GET ${organization}/invoices`]: "organization",
  [`GET ${organization}/audit-logs`]: "organization",
  [`GET ${organization}/groups`]: "read",
  [`POST ${organization}/groups`]: "organization",
  [`GET ${group}`]: "read",
  [`DELETE ${group}`]: "organization",
  [`GET ${group}/configuration`]: "read",
  [`PATCH ${group}/configuration`]: "group:configure",
  [`POST ${group}/unarchive`]: "group:configure",
  [`POST ${group}/update`]: "group:configure",
  [`POST ${group}/locations/:location`]: "group:configure",
  [`DELETE ${group}/locations/:location`]: "group:configure",
  [`POST ${group}/auth/tokens`]: "group:mint-token",
  [`POST ${group}/auth/rotate`]: "group:rotate-creds",
  [`GET ${organization}/databases`]: "read",
  [`POST ${organization}/databases`]: "db:create",
  [`GET ${database}`]: "read",
  [`DELETE ${database}`]: "db:delete",
  [`GET ${database}/configuration`]: "read",
  [`PATCH ${database}/configuration`]: "db:configure",
  [`POST ${database}/update`]: "db:configure",
  [`GET ${database}/instances`]: "read",
  [`GET ${database}/instances/:instance`]: "read",
  [`GET ${database}/stats`]: "read",
  [`GET ${database}/usage`]: "read",
  [`POST ${database}/auth/tokens`]: "db:mint-token",
  [`POST ${database}/auth/rotate`]: "db:rotate-creds",
};
