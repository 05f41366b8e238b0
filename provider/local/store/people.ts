import type Database from "libsql";

export interface UserRow {
  readonly username: string;
  readonly email: string;
}

export interface MemberRow extends UserRow {
  readonly role: string;
}

export interface InviteRow {
  readonly id: number;
  readonly email: string;
  readonly role: string;
  /** ISO 8601. */
  readonly createdAt: string;
}

/** Who has an account beside the folder's owner, who is a member of which organization, and who was invited. */
export interface PeopleRows {
  user(username: string): UserRow | undefined;
  /** Makes the account, or gives it another address. */
  putUser(user: UserRow): void;
  /** In the order of names. */
  members(organization: string): MemberRow[];
  member(organization: string, username: string): MemberRow | undefined;
  /** Adds them, or gives them another role. */
  putMember(organization: string, username: string, role: string): void;
  removeMember(organization: string, username: string): void;
  /** The oldest first. */
  invites(organization: string): InviteRow[];
  /** Replaces an earlier one of the address. */
  invite(organization: string, email: string, role: string): InviteRow;
  /** Answers whether there was one. */
  removeInvite(organization: string, email: string): boolean;
}

// Names and addresses are the same in whatever case.
const schema = `
  CREATE TABLE IF NOT EXISTS users (username TEXT PRIMARY KEY COLLATE NOCASE, email TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS members (
    organization TEXT NOT NULL, username TEXT NOT NULL COLLATE NOCASE REFERENCES users (username), role TEXT NOT NULL,
    PRIMARY KEY (organization, username)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS invites (
    id INTEGER PRIMARY KEY AUTOINCREMENT, organization TEXT NOT NULL, email TEXT NOT NULL COLLATE NOCASE,
    role TEXT NOT NULL, created_at TEXT NOT NULL, UNIQUE (organization, email)
  ) STRICT;
`;
const selectMember =
  "SELECT u.username, u.email, m.role FROM members m JOIN users u ON u.username = m.username WHERE m.organization = ?";
const selectInvite = "SELECT id, email, role, created_at AS createdAt FROM invites WHERE organization = ?";

export function createPeopleRows(sql: Database.Database): PeopleRows {
  sql.exec(schema);
  const user = sql.prepare("SELECT username, email FROM users WHERE username = ?");
  const putUser = sql.prepare(
    "INSERT INTO users (username, email) VALUES (?, ?) ON CONFLICT (username) DO UPDATE SET email = excluded.email",
  );
  const members = sql.prepare(`${selectMember} ORDER BY u.username`);
  const member = sql.prepare(`${selectMember} AND m.username = ?`);
  const putMember = sql.prepare(`
    INSERT INTO members (organization, username, role) VALUES (?, ?, ?)
    ON CONFLICT (organization, username) DO UPDATE SET role = excluded.role`);
  const removeMember = sql.prepare("DELETE FROM members WHERE organization = ? AND username = ?");
  const invites = sql.prepare(`${selectInvite} ORDER BY id`);
  const invited = sql.prepare(`${selectInvite} AND email = ?`);
  const invite = sql.prepare(
    "INSERT OR REPLACE INTO invites (organization, email, role, created_at) VALUES (?, ?, ?, ?)",
  );
  const removeInvite = sql.prepare("DELETE FROM invites WHERE organization = ? AND email = ?");

  return {
    user: (username) => bare<UserRow>(user.get([username])),
    putUser: ({ username, email }) => void putUser.run([username, email]),
    members: (organization) => members.all([organization]) as MemberRow[],
    member: (organization, username) => bare<MemberRow>(member.get([organization, username])),
    putMember: (organization, username, role) => void putMember.run([organization, username, role]),
    removeMember: (organization, username) => void removeMember.run([organization, username]),
    invites: (organization) => invites.all([organization]) as InviteRow[],
    invite(organization, email, role) {
      invite.run([organization, email, role, new Date().toISOString()]);
      return bare<InviteRow>(invited.get([organization, email]))!;
    },
    removeInvite: (organization, email) => removeInvite.run([organization, email]).changes > 0,
  };
}

/** The binding adds how long a look-up took. */
function bare<Row>(found: unknown): Row | undefined {
  if (found === undefined) return undefined;
  const { _metadata, ...row } = found as Row & { readonly _metadata?: unknown };
  void _metadata;
  return row as Row;
}
