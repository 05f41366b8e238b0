import { StatementError } from "./fault";

/** What a statement does, as far as its first words tell; what it may do is for the engine to decide. */
export type StatementKind = "read" | "insert" | "change" | "begin" | "end" | "explain" | "other";

/** One statement cut out of an SQL text. */
export interface SqlStatement {
  readonly sql: string;
  readonly kind: StatementKind;
  /** The parameters, by index from 0, under their names in the text (`:a`, `?3`); null for a bare `?`. */
  readonly parameters: readonly (string | null)[];
  /** Its tokens in SQLite's own division, without comments and space. */
  readonly tokens: readonly string[];
}

// SQLite's own tokens: comments, strings and quoted names are one token each, so that nothing inside them counts. Only
// these six characters are space to SQLite, and a vertical tab behind one of them; everything beyond ASCII is a letter.
const token = new RegExp(
  [
    String.raw`\uFEFF|[ \t\n\f\r][ \t\n\v\f\r]*|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)`,
    String.raw`'(?:[^']|'')*'?|"(?:[^"]|"")*"?|${"`(?:[^`]|``)*`?"}|\[[^\]]*\]?`,
    String.raw`\?\d*|[:@#$](?:[\w$\u0080-\uffff]|::)+(?:\([^) \t\n\v\f\r]*\))?`,
    String.raw`[\w$\u0080-\uffff]+|[\s\S]`,
  ].join("|"),
  "g",
);

const space = /^[ \t\n\f\r\uFEFF]/;
const comment = /^(?:--|\/\*)/;
const parameter = /^(?:\?|[:@#$].)/;

/**
 * Splits SQL at semicolons as SQLite's `sqlite3_complete` does: a CREATE TRIGGER goes on until `; END ;`. A text of
 * comments alone holds no statement.
 */
export function parseSql(text: string): readonly SqlStatement[] {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  const statements = split(text);
  if (text.length > longestKept) return statements;
  if (parsed.size >= mostKept) parsed.clear();
  parsed.set(text, statements);
  return statements;
}

// An application says the same few texts again and again; reading one costs as much as a point read.
const parsed = new Map<string, readonly SqlStatement[]>();
const mostKept = 500;
const longestKept = 4096;

function split(text: string): SqlStatement[] {
  // The engine would stop reading there, and so read another text than this.
  if (text.includes("\0")) {
    throw new StatementError("SQL_PARSE_ERROR", "SQL string could not be parsed: it contains a NUL character");
  }
  const statements: SqlStatement[] = [];
  let sql = "";
  // Space around a statement is left out as SQLite sees it: what else `trim` takes for space belongs to the first token,
  // and without it the engine would read another statement than this.
  let end = 0;
  let tokens: string[] = [];
  const finish = (): void => {
    if (tokens.length > 0) statements.push(describe(sql.slice(0, end), tokens));
    sql = "";
    end = 0;
    tokens = [];
  };
  for (const [part] of text.matchAll(token)) {
    if (part === ";" && !insideTrigger(tokens)) {
      finish();
      continue;
    }
    if (space.test(part)) {
      if (sql !== "") sql += part;
      continue;
    }
    sql += part;
    end = sql.length;
    if (!comment.test(part)) tokens.push(part);
  }
  finish();
  return statements;
}

function describe(sql: string, tokens: readonly string[]): SqlStatement {
  return { sql, kind: kindOf(tokens[0]?.toUpperCase() ?? "", tokens), parameters: parametersOf(tokens), tokens };
}

function kindOf(verb: string, tokens: readonly string[]): StatementKind {
  switch (verb) {
    case "SELECT":
    case "VALUES":
      return "read";
    case "INSERT":
    case "REPLACE":
      return "insert";
    case "UPDATE":
    case "DELETE":
      return "change";
    case "BEGIN":
      return "begin";
    case "COMMIT":
    case "END":
    case "ROLLBACK":
    case "SAVEPOINT":
    case "RELEASE":
      return "end";
    case "EXPLAIN":
      return "explain";
    case "WITH":
      return kindOf(verbAfterWith(tokens), []);
    default:
      return "other";
  }
}

/** The verb behind the common table expressions: the first one outside of every parenthesis. */
function verbAfterWith(tokens: readonly string[]): string {
  let depth = 0;
  for (const part of tokens) {
    if (part === "(") depth++;
    if (part === ")") depth--;
    const word = part.toUpperCase();
    if (depth === 0 && /^(?:SELECT|VALUES|INSERT|REPLACE|UPDATE|DELETE)$/.test(word)) return word;
  }
  return "";
}

/** Numbers the parameters as SQLite does: `?` takes the next index, `?7` the seventh, a name its own, once. */
function parametersOf(tokens: readonly string[]): (string | null)[] {
  const names: (string | null)[] = [];
  for (const part of tokens) {
    if (!parameter.test(part)) continue;
    if (part === "?") {
      names.push(null);
    } else if (part.startsWith("?")) {
      const index = Number(part.slice(1)) - 1;
      // SQLite's own limit is 32,766 parameters: beyond it the engine refuses the statement when it is prepared.
      if (index >= 0 && index < 32_766) {
        while (names.length <= index) names.push(null);
        names[index] = part;
      }
    } else if (!names.includes(part)) {
      names.push(part);
    }
  }
  return names;
}

/** True until the tokens read so far end a trigger's body with `; END`. */
function insideTrigger(tokens: readonly string[]): boolean {
  const head = tokens.slice(0, 6).map((part) => part.toUpperCase());
  const words = head[0] === "EXPLAIN" ? head.slice(head[1] === "QUERY" ? 3 : 1) : head;
  const isTemporary = words[1] === "TEMP" || words[1] === "TEMPORARY";
  if (words[0] !== "CREATE" || words[isTemporary ? 2 : 1] !== "TRIGGER") return false;
  return !(tokens.at(-1)?.toUpperCase() === "END" && tokens.at(-2) === ";");
}
