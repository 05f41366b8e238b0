import assert from "node:assert/strict";
import Database from "libsql";
import { compareSchemas } from "../../../provider/rollout/schema/compare";
import type { SchemaModel } from "../../../provider/rollout/schema/model";
import { readSchema } from "../../../provider/rollout/schema/read-schema";

/** The schema that statements make of an empty database; each is said to be read in one go. */
async function schemaOf(...statements: string[]): Promise<SchemaModel> {
  const database = new Database(":memory:");
  try {
    for (const statement of statements) database.exec(statement);
    let reads = 0;
    const model = await readSchema((queries) => {
      reads += 1;
      return Promise.resolve(queries.map((query) => database.prepare(query).all() as Record<string, unknown>[]));
    });
    assert.equal(reads, 1);
    return model;
  } finally {
    database.close();
  }
}

const shown = async (expected: string[], actual: string[]): Promise<string[]> =>
  compareSchemas(await schemaOf(...expected), await schemaOf(...actual)).map(
    ({ kind, object, name, change }) => `${kind} ${object} ${name}${change ? `: ${change}` : ""}`,
  );

describe("compareSchemas", () => {
  const equal: Record<string, [string[], string[]]> = {
    "spaces, comments, quotes and case": [
      [
        "CREATE TABLE Users (Id integer primary key, [e] text default 'A' check (e <> 'x')) ; CREATE VIEW v AS SELECT id FROM users",
      ],
      [
        `create table "users"(\n  id INTEGER PRIMARY KEY, -- who\n  \`E\` TEXT DEFAULT 'A' CHECK(e<>'x'))`,
        'CREATE VIEW IF NOT EXISTS v as /* all */ select "id" from Users',
      ],
    ],
    "ALTER TABLE and CREATE TABLE": [
      [
        "CREATE TABLE a (x); CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE o (a, p REFERENCES p)",
        "CREATE INDEX i ON a (x); CREATE VIEW v AS SELECT x FROM a; CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM a WHERE x = 1; END",
        "ALTER TABLE a ADD COLUMN y TEXT NOT NULL DEFAULT (1 + 2); ALTER TABLE a RENAME TO b; ALTER TABLE b RENAME x TO z",
        "ALTER TABLE p RENAME TO parents; ALTER TABLE o DROP COLUMN a",
      ],
      [
        "CREATE TABLE parents (id INTEGER PRIMARY KEY); CREATE TABLE o (p REFERENCES parents(id))",
        "CREATE TABLE b (z, y TEXT NOT NULL DEFAULT (1+2)); CREATE INDEX i ON b (z ASC)",
        "CREATE VIEW v AS SELECT z FROM b; CREATE TRIGGER t AFTER INSERT ON b BEGIN DELETE FROM b WHERE z = 1; END",
      ],
    ],
    "constraints of a column and of its table": [
      ["CREATE TABLE t (a INT CONSTRAINT k CHECK (a > 0) UNIQUE REFERENCES p (id), b PRIMARY KEY, c DEFAULT NULL)"],
      ["CREATE TABLE t (a INT, b, c, PRIMARY KEY (b), UNIQUE (a), CHECK (a > 0), FOREIGN KEY (a) REFERENCES p (id))"],
    ],
    "ledgers, statistics and shadow tables": [
      [
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v F32_BLOB(3)); CREATE INDEX i ON t (libsql_vector_idx(v)); CREATE VIRTUAL TABLE f USING fts5(a)",
      ],
      [
        "CREATE TABLE _tenantry_migrations (x UNIQUE); CREATE INDEX own ON _tenantry_migrations (x)",
        "CREATE TABLE __drizzle_migrations (x); CREATE TABLE _prisma_migrations (x); CREATE TABLE schema_migrations (x); CREATE TABLE _litestream_seq (x)",
        "CREATE VIRTUAL TABLE f USING FTS5 (a); INSERT INTO f VALUES ('x')",
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v F32_BLOB(3)); INSERT INTO t VALUES (1, vector('[1,2,3]'))",
        "CREATE INDEX i ON t (libsql_vector_idx(v)); ANALYZE",
      ],
    ],
  };
  for (const [name, [expected, actual]] of Object.entries(equal)) {
    it(`does not mind ${name}`, async () => assert.deepEqual(await shown(expected, actual), []));
  }

  const different: Record<string, [string, string, string[]]> = {
    "a table": ["CREATE TABLE a (x)", "CREATE TABLE b (x)", ["missing table a", "added table b"]],
    "a column": ["CREATE TABLE a (x, y)", "CREATE TABLE a (x, z)", ["missing column a.y", "added column a.z"]],
    "a type": ["CREATE TABLE a (x)", "CREATE TABLE a (x INT)", ["changed column a.x: type: int instead of none"]],
    "NOT NULL and DEFAULT": [
      "CREATE TABLE a (x DEFAULT 'A')",
      "CREATE TABLE a (x NOT NULL DEFAULT 'a')",
      ["changed column a.x: NOT NULL: yes instead of no; DEFAULT: 'a' instead of 'A'"],
    ],
    "a collation": [
      "CREATE TABLE a (x)",
      "CREATE TABLE a (x COLLATE NOCASE)",
      ["changed column a.x: COLLATE: nocase instead of binary"],
    ],
    "a generated column": [
      "CREATE TABLE a (x, y AS (x + 1))",
      "CREATE TABLE a (x, y AS (x + 2) STORED)",
      ["changed column a.y: generated as: stored x + 2 instead of virtual x + 1"],
    ],
    "the order of columns": [
      "CREATE TABLE a (x, y)",
      "CREATE TABLE a (y, x)",
      ["changed table a: order of columns: y, x instead of x, y"],
    ],
    "a table's options": [
      "CREATE TABLE a (x TEXT PRIMARY KEY) STRICT",
      "CREATE TABLE a (x TEXT PRIMARY KEY) WITHOUT ROWID",
      ["changed table a: WITHOUT ROWID: yes instead of no; STRICT: no instead of yes"],
    ],
    keys: [
      "CREATE TABLE a (x INTEGER PRIMARY KEY AUTOINCREMENT, y UNIQUE)",
      "CREATE TABLE a (x INTEGER PRIMARY KEY, y, UNIQUE (y, x))",
      ["changed table a: AUTOINCREMENT: no instead of yes; UNIQUE: (y, x) instead of (y)"],
    ],
    conflicts: [
      "CREATE TABLE a (x UNIQUE ON CONFLICT REPLACE)",
      "CREATE TABLE a (x UNIQUE)",
      ["changed table a: ON CONFLICT: none instead of (x replace)"],
    ],
    "foreign keys": [
      "CREATE TABLE p (id PRIMARY KEY); CREATE TABLE a (x REFERENCES p)",
      "CREATE TABLE p (id PRIMARY KEY); CREATE TABLE a (x REFERENCES p ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED)",
      ["changed table a: foreign keys: (x -> p (id) on delete cascade deferred) instead of (x -> p (id))"],
    ],
    "a CHECK": [
      "CREATE TABLE a (x)",
      "CREATE TABLE a (x CHECK (x>1))",
      ["changed table a: CHECK: (x > 1) instead of none"],
    ],
    "an index": [
      "CREATE TABLE a (x, y); CREATE INDEX i ON a (x)",
      "CREATE TABLE a (x, y); CREATE UNIQUE INDEX i ON a (lower(x), y DESC) WHERE y > 0",
      [
        "changed index i: columns: lower ( x ), y desc instead of x; UNIQUE: yes instead of no; WHERE: y > 0 instead of none",
      ],
    ],
    "an index's collation": [
      "CREATE TABLE a (x); CREATE INDEX i ON a (x)",
      "CREATE TABLE a (x); CREATE INDEX i ON a (x COLLATE NOCASE)",
      ["changed index i: columns: x collate nocase instead of x"],
    ],
    "a vector index": [
      "CREATE TABLE a (v F32_BLOB(2)); CREATE INDEX i ON a (libsql_vector_idx(v))",
      "CREATE TABLE a (v F32_BLOB(2)); CREATE INDEX i ON a (libsql_vector_idx(v, 'metric=l2'))",
      ["changed index i: columns: libsql_vector_idx ( v , 'metric=l2' ) instead of libsql_vector_idx ( v )"],
    ],
    texts: [
      "CREATE TABLE a (x); CREATE VIRTUAL TABLE f USING fts5(x); CREATE VIEW v AS SELECT 1; CREATE TRIGGER t DELETE ON a BEGIN SELECT 1; END",
      "CREATE TABLE a (x); CREATE VIRTUAL TABLE f USING fts5(y); CREATE VIEW v AS SELECT 2; CREATE TRIGGER t DELETE ON a BEGIN SELECT 2; END",
      ["virtual table f", "view v", "trigger t"].map((one) => `changed ${one}: its definition is another`),
    ],
  };
  for (const [name, [expected, actual, differences]] of Object.entries(different)) {
    it(`tells ${name}`, async () => assert.deepEqual(await shown([expected], [actual]), differences));
  }

  it("reads a database in which a view is broken", async () => {
    const { views } = await schemaOf("CREATE VIEW v AS SELECT x FROM gone; CREATE VIEW w AS SELECT * FROM v");
    assert.deepEqual([...views.keys()], ["v", "w"]);
  });

  it("takes names that JavaScript has uses for", async () => {
    const { tables } = await schemaOf('CREATE TABLE "__proto__" ("constructor", "a b" UNIQUE)');
    assert.deepEqual([...tables.get("__proto__")!.columns.keys()], ["constructor", "a b"]);
  });
});
