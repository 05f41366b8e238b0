import type Database from "libsql";

/** What can be set of an organization (Turso docs: "Update Organization"); all of it is off at first. */
export interface OrganizationSettings {
  readonly overages: boolean;
  readonly requireMfa: boolean;
  readonly restoreEnabled: boolean;
}

export interface OrganizationRows {
  settings(slug: string): OrganizationSettings;
  configure(slug: string, settings: OrganizationSettings): void;
}

const initial: OrganizationSettings = { overages: false, requireMfa: false, restoreEnabled: false };

export function createOrganizationRows(sql: Database.Database): OrganizationRows {
  sql.exec("CREATE TABLE IF NOT EXISTS organizations (slug TEXT PRIMARY KEY, settings TEXT NOT NULL) STRICT");
  const get = sql.prepare("SELECT settings FROM organizations WHERE slug = ?");
  const set = sql.prepare(
    "INSERT INTO organizations (slug, settings) VALUES (?, ?) ON CONFLICT (slug) DO UPDATE SET settings = excluded.settings",
  );
  return {
    settings(slug) {
      const row = get.get([slug]) as { settings: string } | undefined;
      return row === undefined ? initial : { ...initial, ...(JSON.parse(row.settings) as OrganizationSettings) };
    },
    configure: (slug, settings) => void set.run([slug, JSON.stringify(settings)]),
  };
}
