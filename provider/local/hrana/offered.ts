import { StatementError } from "./fault";

// Turso refuses ATTACH and VACUUM; here they would also reach files that are not the database's own.
const refusedVerbs = new Set(["ATTACH", "DETACH", "VACUUM"]);

// The engine's package is built with SQLite's shell extensions, which read and write files of the host, and with
// functions that run SQL given as text. Nothing in the binding switches them off.
const refusedFunctions = new Set(
  "READFILE WRITEFILE SHA3_QUERY LOAD_EXTENSION FTS3_TOKENIZER SQLITE_LOG SQLITE3MC_CONFIG SQLITE3MC_CODEC_DATA".split(
    " ",
  ),
);
// The last one tells where the file lies on this machine, as does the pragma of its name.
const refusedTables = new Set(["FSDIR", "SQLITE_DBPAGE", "SQLITE_STMT", "PRAGMA_DATABASE_LIST"]);

// A list of what is allowed, as on a libSQL server: other pragmas change files or, like writable_schema, would let SQL
// be assembled out of pieces that no check has seen. Turso: user_version and application_id are read-only.
const settings = new Set(
  "FOREIGN_KEYS DEFER_FOREIGN_KEYS RECURSIVE_TRIGGERS LEGACY_ALTER_TABLE CASE_SENSITIVE_LIKE QUERY_ONLY".split(" "),
);
const calls = new Set(
  (
    "TABLE_INFO TABLE_XINFO TABLE_LIST INDEX_INFO INDEX_XINFO INDEX_LIST FOREIGN_KEY_LIST FOREIGN_KEY_CHECK " +
    "INTEGRITY_CHECK QUICK_CHECK OPTIMIZE"
  ).split(" "),
);
const questions = new Set(
  (
    "USER_VERSION APPLICATION_ID SCHEMA_VERSION DATA_VERSION ENCODING PAGE_SIZE PAGE_COUNT FREELIST_COUNT AUTO_VACUUM " +
    "MAX_PAGE_COUNT CACHE_SIZE COLLATION_LIST COMPILE_OPTIONS FUNCTION_LIST MODULE_LIST PRAGMA_LIST"
  ).split(" "),
);

/**
 * Refuses a statement that the platform does not offer.
 * @param tokens The statement's tokens in SQLite's own division, without comments and space.
 */
export function refuseUnoffered(tokens: readonly string[]): void {
  const words = tokens.map(bareName);
  const start = words[0] !== "EXPLAIN" ? 0 : words[1] === "QUERY" ? 3 : 1;
  const verb = words[start] ?? "";
  if (refusedVerbs.has(verb)) throw unsupported(verb);
  if (verb === "PRAGMA") {
    // Some pragmas act while they are prepared, even behind EXPLAIN.
    const parts = words[start + 2] === "." ? words.slice(start + 3) : words.slice(start + 1);
    if (!isOfferedPragma(parts))
      throw unsupported(`PRAGMA ${parts[0] ?? ""}${parts.length > 1 ? " with a value" : ""}`);
  }
  // A full-text table makes SQL of its own out of names that it is given: of functions (fts4), of tables.
  const isVirtual = verb === "CREATE" && words[start + 1] === "VIRTUAL";
  const hasTables = isVirtual || words.some((word) => beforeTables.has(word));
  words.forEach((word, at) => {
    const isRefused = word.startsWith("'")
      ? isTable(words[at - 1], { isVirtual, hasTables }) && refuses(word.slice(1, -1), isVirtual)
      : refuses(word, isVirtual || words[at + 1] === "(");
    if (isRefused) throw new StatementError("SQLITE_AUTH", `SQLite error: not authorized to use ${word.toLowerCase()}`);
  });
}

// SQLite takes a string for a name where only a name can be. Which place that is takes SQLite's grammar to tell, so that
// here a few texts too many are taken for names; as arguments they never are.
const beforeTables = new Set(["FROM", "JOIN", "UPDATE", "IN"]);

/** Whether a string may be a table's name, or that of a full-text table's function, by the word before it. */
function isTable(before: string | undefined, { isVirtual, hasTables }: { isVirtual: boolean; hasTables: boolean }) {
  return isVirtual || before === "INTO" || before === "." || (hasTables && before !== "=");
}

function refuses(word: string, isCalled: boolean): boolean {
  return refusedTables.has(word) || (isCalled && refusedFunctions.has(word));
}

function isOfferedPragma([name = "", next]: readonly string[]): boolean {
  if (settings.has(name)) return true;
  return next === undefined ? questions.has(name) || calls.has(name) : calls.has(name);
}

/** A name as SQLite compares it: without quotes and regardless of case. */
function bareName(token: string): string {
  return token.replace(/^(["`])([\s\S]*)\1$|^\[([\s\S]*)\]$/, "$2$3").toUpperCase();
}

function unsupported(what: string): StatementError {
  return new StatementError("SQL_PARSE_ERROR", `SQL string could not be parsed: unsupported statement: ${what}`);
}
