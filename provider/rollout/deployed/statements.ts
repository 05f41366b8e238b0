import { TenantryError } from "../../platform/errors";
import { type Statement, wordsOf } from "../statements";
import type { Migration } from "../source";

// As PostgreSQL reads it: comments nest, and a text may stand between dollars.
const token =
  /--[^\n]*|\/\*(?:[^*]|\*(?!\/))*(?:\*\/|$)|[eE]'(?:[^'\\]|\\[\s\S]|'')*'?|'(?:[^']|'')*'?|"(?:[^"]|"")*"?|\$([A-Za-z_]\w*|)\$[\s\S]*?(?:\$\1\$|$)|[\w\u0080-\uffff]+|\s+|[\s\S]/g;

/** Splits SQL of PostgreSQL at semicolons; a text of comments alone has no statements. */
export function splitPostgres(text: string): Statement[] {
  const statements: Statement[] = [];
  let sql = "";
  let line = 1;
  let startLine = 1;
  let blank = true;
  const finish = (): void => {
    if (!blank) statements.push({ sql: sql.trim(), line: startLine });
    [sql, blank] = ["", true];
  };
  for (const [part] of text.matchAll(token)) {
    if (part === ";") finish();
    else {
      if (blank && !/^(?:\s|--|\/\*)/.test(part)) [blank, startLine] = [false, line];
      sql += part;
    }
    line += part.split("\n").length - 1;
  }
  finish();
  return statements;
}

/** What makes a schema. Rows that a migration writes stay in the workspace: a blueprint has none. */
const verbs = new Set(["CREATE", "ALTER", "DROP", "COMMENT"]);

/** The statements of a migration that a platform deploys. Fails with file and line where one of them is no DDL. */
export function deployable(migration: Migration): Statement[] {
  if (migration.recorded?.tool === "dbmate") {
    throw new TenantryError(
      "migration-invalid",
      `${migration.file}: dbmate's files are not read for a platform that deploys.`,
      { fix: "Write it as plain SQL." },
    );
  }
  const statements = splitPostgres(migration.sql);
  for (const { sql, line } of statements) {
    const [verb = ""] = wordsOf(sql, 1);
    if (verbs.has(verb)) continue;
    throw new TenantryError(
      "migration-invalid",
      `${migration.file}:${line}: ${verb} is no change of a schema, and the platform deploys nothing else to tenants.`,
      { fix: "Leave it to the application, or write it as DDL (CREATE, ALTER, DROP, COMMENT)." },
    );
  }
  return statements;
}
