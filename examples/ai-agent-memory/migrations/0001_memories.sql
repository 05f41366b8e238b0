CREATE TABLE memories (
  id INTEGER PRIMARY KEY,
  text TEXT NOT NULL,
  embedding F32_BLOB(64) NOT NULL
);

CREATE INDEX memories_by_meaning ON memories (libsql_vector_idx(embedding, 'metric=cosine'));
