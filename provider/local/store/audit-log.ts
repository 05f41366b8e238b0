import type Database from "libsql";

export interface AuditEntry {
  /** As Turso names it, such as "db-create". */
  readonly code: string;
  readonly message: string;
  /** "cli" or "web". */
  readonly origin: string;
  readonly author: string;
  /** ISO 8601. */
  readonly createdAt: string;
  readonly data: object;
}

export interface AuditLog {
  add(organization: string, entry: Omit<AuditEntry, "createdAt">): void;
  count(organization: string): number;
  /** The newest first. */
  page(organization: string, skipped: number, size: number): AuditEntry[];
}

/** So many are kept of all organizations together; looked at now and then. */
const kept = 10_000;
const between = 500;

const schema = `
  CREATE TABLE IF NOT EXISTS audit_log (
    id INTEGER PRIMARY KEY AUTOINCREMENT, organization TEXT NOT NULL, code TEXT NOT NULL, message TEXT NOT NULL,
    origin TEXT NOT NULL, author TEXT NOT NULL, created_at TEXT NOT NULL, data TEXT NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS audit_log_by_organization ON audit_log (organization, id);
`;

export function createAuditLog(sql: Database.Database): AuditLog {
  sql.exec(schema);
  const add = sql.prepare(`
    INSERT INTO audit_log (organization, code, message, origin, author, created_at, data) VALUES (?, ?, ?, ?, ?, ?, ?)`);
  const forget = sql.prepare("DELETE FROM audit_log WHERE id <= ?");
  const count = sql.prepare("SELECT count(*) AS rows FROM audit_log WHERE organization = ?");
  const page = sql.prepare(`
    SELECT code, message, origin, author, created_at AS createdAt, data FROM audit_log
    WHERE organization = ? ORDER BY id DESC LIMIT ? OFFSET ?`);

  return {
    add(organization, { code, message, origin, author, data }) {
      const now = new Date().toISOString();
      const id = Number(
        add.run([organization, code, message, origin, author, now, JSON.stringify(data)]).lastInsertRowid,
      );
      if (id > kept && id % between === 0) forget.run([id - kept]);
    },
    count: (organization) => (count.get([organization]) as { rows: number }).rows,
    page: (organization, skipped, size) =>
      (page.all([organization, size, skipped]) as (AuditEntry & { data: string })[]).map((row) => ({
        ...row,
        data: JSON.parse(row.data) as object,
      })),
  };
}
