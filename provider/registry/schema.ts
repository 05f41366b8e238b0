/**
 * The registry's tables. `runs` numbers the runs of each stack (the fencing number); `claims` says who has, or is about
 * to have, each name in the group. Rows are an index, never the truth about data.
 */
export const registrySchema = [
  `CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID`,
  `INSERT INTO meta (key, value) VALUES ('format', '1') ON CONFLICT DO NOTHING`,
  `CREATE TABLE IF NOT EXISTS runs (stack TEXT PRIMARY KEY, number INTEGER NOT NULL) WITHOUT ROWID`,
  `CREATE TABLE IF NOT EXISTS claims (
     kind TEXT NOT NULL,               -- database | group
     name TEXT NOT NULL,
     address TEXT NOT NULL,            -- organization/project/stack/resource
     state TEXT NOT NULL,              -- open (intent) | held | deleting | gone (found missing) | trashed | reaping
     owner TEXT NOT NULL,              -- random, also the resource's id in state
     incarnation TEXT NOT NULL,        -- random, new with every create
     database_id TEXT,                 -- null while the intent is open
     existed INTEGER NOT NULL,         -- whether the name was taken in the listing before the intent
     default_name INTEGER NOT NULL,
     adopted INTEGER NOT NULL DEFAULT 0, -- it was somebody's before
     template TEXT,                    -- the SchemaTemplate it follows
     tenant TEXT,
     expires_at TEXT,
     run INTEGER NOT NULL,             -- the fencing number of the last writer
     PRIMARY KEY (kind, name)) WITHOUT ROWID`,
  `CREATE INDEX IF NOT EXISTS claims_by_address ON claims (address)`,
];
