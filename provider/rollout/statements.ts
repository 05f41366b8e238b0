/** One statement of an SQL text, with the line (from 1) on which it begins. */
export interface Statement {
  readonly sql: string;
  readonly line: number;
}

// Comments, strings and quoted names are one token each, so that a semicolon inside them ends nothing.
const token =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'?|"(?:[^"]|"")*"?|`(?:[^`]|``)*`?|\[[^\]]*\]?|[\w$\u0080-\uffff]+|\s+|[\s\S]/g;

/**
 * Splits SQL as SQLite's own `sqlite3_complete` does: at semicolons, except that a CREATE TRIGGER goes on until
 * `; END ;`. Comments stay with the statement they precede; a text of comments alone has no statements.
 * `firstLine`: on which line of its file the text begins.
 */
export function splitStatements(text: string, firstLine = 1): Statement[] {
  const statements: Statement[] = [];
  let sql = "";
  let words: string[] = [];
  let line = firstLine;
  let startLine = firstLine;
  let blank = true;

  const finish = (): void => {
    if (!blank) statements.push({ sql: sql.trim(), line: startLine });
    sql = "";
    words = [];
    blank = true;
  };

  for (const [part] of text.matchAll(token)) {
    const isSpace = /^(?:\s|--|\/\*)/.test(part);
    if (part === ";" && !insideTrigger(words)) {
      finish();
    } else {
      if (!isSpace) {
        if (blank) startLine = line;
        blank = false;
        words.push(part.toUpperCase());
      }
      sql += part;
    }
    line += part.split("\n").length - 1;
  }
  finish();
  return statements;
}

/** True until the words read so far end a trigger's body with `; END`. */
function insideTrigger(words: readonly string[]): boolean {
  const [first, second, third] = words[0] === "EXPLAIN" ? words.slice(1) : words;
  const temporary = second === "TEMP" || second === "TEMPORARY";
  if (first !== "CREATE" || (temporary ? third : second) !== "TRIGGER") return false;
  return !(words.at(-1) === "END" && words.at(-2) === ";");
}

/** A statement's first words and signs, in upper case and without quotes, comments and space. */
export function wordsOf(sql: string, count: number): string[] {
  const words: string[] = [];
  for (const [part] of sql.matchAll(token)) {
    if (words.length === count) break;
    if (!/^(?:\s|--|\/\*)/.test(part)) words.push(part.replace(/^(["'`[])([\s\S]*)["'`\]]$/, "$2").toUpperCase());
  }
  return words;
}
