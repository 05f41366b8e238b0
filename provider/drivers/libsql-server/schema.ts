import { randomUUID } from "node:crypto";
import type { Statement } from "./catalogue-sql";

/** In no group, so that no token but one signed for it alone opens it. Its prefix is refused as a tenant's name. */
export const catalogueName = "tenantry-catalogue";

/**
 * What the server cannot tell: which databases there are, their groups, and the generations of their keys. Written ahead of
 * each effect. Whether a namespace exists is still the server's to say; a row alone proves nothing.
 */
export const catalogueSchema = (): Statement[] =>
  [
    `CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`,
    `CREATE TABLE IF NOT EXISTS groups (
       name TEXT PRIMARY KEY,
       id TEXT NOT NULL,                    -- random
       state TEXT NOT NULL,                 -- there | deleting
       generation INTEGER NOT NULL,         -- of the group's key; goes into its databases' keys too
       kept_from INTEGER,                   -- the oldest generation that is still good,
       kept_until INTEGER,                  -- and until when, in s since 1970, by the server's clock
       protected INTEGER NOT NULL) WITHOUT ROWID`,
    `CREATE TABLE IF NOT EXISTS databases (
       name TEXT PRIMARY KEY,
       id TEXT NOT NULL,                    -- random, new whenever the name is used again
       group_name TEXT NOT NULL,
       state TEXT NOT NULL,                 -- creating (intent) | there | deleting (intent)
       seed TEXT,                           -- the name of what it is copied from
       seed_at TEXT,                        -- as of when; NULL: of the moment
       seed_keys TEXT,                      -- the keys that a copy has until it gets its own
       parent_id TEXT,                      -- the id of what it was copied from
       generation INTEGER NOT NULL,         -- of the database's key
       kept_from INTEGER,                   -- as above
       kept_until INTEGER,
       keys TEXT NOT NULL,                  -- the keys that the server was last given; empty: to be given anew
       others_keys TEXT,                    -- of one that was taken over: those that it came with, which are still good
       others_until INTEGER,                -- until then, as above; NULL: until a rotation
       size_limit TEXT,                     -- as it was asked for
       protected INTEGER NOT NULL,
       busy TEXT,                           -- who is changing its settings
       busy_until INTEGER                   -- in ms since 1970, by the server's clock
       ) WITHOUT ROWID`,
    `CREATE INDEX IF NOT EXISTS databases_by_group ON databases (group_name)`,
  ]
    .map((sql): Statement => ({ sql, args: [] }))
    .concat(
      { sql: "INSERT INTO meta (key, value) VALUES ('format', '1') ON CONFLICT DO NOTHING", args: [] },
      { sql: "INSERT INTO meta (key, value) VALUES ('id', ?) ON CONFLICT DO NOTHING", args: [randomUUID()] },
    );
