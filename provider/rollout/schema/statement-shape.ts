import { type Token, closing, findWord, isWord, lowerCase, splitAt, tokensOf } from "./tokens";

/** What a statement does to tables and their rows, as far as its text tells. Names are in lower case. */
export type StatementShape =
  | { readonly does: "create table"; readonly table: string; readonly temporary: boolean; readonly select?: Selection }
  | { readonly does: "drop table" | "alter table"; readonly table: string }
  | { readonly does: "create index"; readonly index: string; readonly table: string; readonly unique: boolean }
  /** Of views, triggers and indexes: no rows are concerned. */
  | { readonly does: "change schema" }
  | { readonly does: "rename table"; readonly table: string; readonly to: string }
  | { readonly does: "rename column"; readonly table: string; readonly column: string; readonly to: string }
  | { readonly does: "drop column"; readonly table: string; readonly column: string }
  | {
      readonly does: "insert";
      readonly table: string;
      readonly columns?: readonly string[];
      readonly select?: Selection;
    }
  | { readonly does: "update"; readonly table: string; readonly sets: readonly Assignment[]; readonly where?: string }
  | { readonly does: "delete"; readonly table: string; readonly where?: string }
  /** Changes how later statements work: to be run. */
  | { readonly does: "set" }
  /** Reads, or something else that changes no table: to be compiled only. */
  | { readonly does: "read" }
  /** Of no consequence for a schema, or impossible in a transaction: to be left out. */
  | { readonly does: "nothing" };

export interface Assignment {
  readonly column: string;
  readonly value: readonly Token[];
}

/** The query of INSERT ... SELECT and CREATE TABLE ... AS. */
export interface Selection {
  /** Where its text begins, for CREATE TABLE ... AS. */
  readonly start: number;
  /** Those that UNION and the like join, each as a statement of its own. */
  readonly parts: readonly SelectionPart[];
  /** False where some rows of what it reads may be left out. */
  readonly whole: boolean;
  /** The condition that leaves rows out. */
  readonly where?: string;
}

export interface SelectionPart {
  readonly sql: string;
  /** What it selects. */
  readonly items: readonly (readonly Token[])[];
  readonly tokens: readonly Token[];
  /** True where values may come by way of another query inside of it. */
  readonly indirect: boolean;
}

const settings = ["legacy_alter_table"];
const without = [
  ...["begin", "commit", "end", "rollback", "savepoint", "release"],
  ...["vacuum", "attach", "detach", "analyze", "reindex", "explain"],
];

export function shapeOf(sql: string): StatementShape {
  const tokens = tokensOf(sql);
  const [first, second] = tokens;
  if (!first || isWord(first, ...without)) return { does: "nothing" };
  if (isWord(first, "pragma")) return { does: settings.includes(nameAt(tokens, 1).name) ? "set" : "nothing" };
  if (isWord(first, "create")) return createShape(sql, tokens);
  if (isWord(first, "drop")) {
    if (!isWord(second, "table")) return { does: "change schema" };
    return { does: "drop table", table: nameAt(tokens, isWord(tokens[2], "if") ? 4 : 2).name };
  }
  if (isWord(first, "alter")) return alterShape(tokens);
  const verb = findWord(tokens, ["insert", "replace", "update", "delete"]);
  if (verb < 0 || (verb > 0 && !isWord(first, "with"))) return { does: "read" };
  if (isWord(tokens[verb], "delete")) return deleteShape(sql, tokens, verb);
  if (isWord(tokens[verb], "update")) return updateShape(sql, tokens, verb);
  return insertShape(sql, tokens, verb);
}

function createShape(sql: string, tokens: readonly Token[]): StatementShape {
  const temporary = isWord(tokens[1], "temp", "temporary");
  const at = temporary ? 2 : 1;
  const isVirtual = isWord(tokens[at], "virtual");
  if (isWord(tokens[at], "index", "unique")) return indexShape(tokens);
  if (!isVirtual && !isWord(tokens[at], "table")) return { does: "change schema" };
  const name = isVirtual ? at + 2 : at + 1;
  const { name: table, next } = nameAt(tokens, isWord(tokens[name], "if") ? name + 3 : name);
  const select = isWord(tokens[next], "as") ? selectionOf(sql, tokens, next + 1) : undefined;
  return { does: "create table", table, temporary, ...(select && { select }) };
}

function indexShape(tokens: readonly Token[]): StatementShape {
  const unique = isWord(tokens[1], "unique");
  const at = unique ? 3 : 2;
  const { name: index, next } = nameAt(tokens, isWord(tokens[at], "if") ? at + 3 : at);
  return { does: "create index", index, table: nameAt(tokens, next + 1).name, unique };
}

function alterShape(tokens: readonly Token[]): StatementShape {
  const { name: table, next } = nameAt(tokens, 2);
  if (isWord(tokens[next], "rename")) {
    if (isWord(tokens[next + 1], "to") && tokens.length === next + 3) {
      return { does: "rename table", table, to: nameOf(tokens[next + 2]) };
    }
    const at = isWord(tokens[next + 1], "column") && !isWord(tokens[next + 2], "to") ? next + 2 : next + 1;
    return { does: "rename column", table, column: nameOf(tokens[at]), to: nameOf(tokens[at + 2]) };
  }
  if (isWord(tokens[next], "drop")) return { does: "drop column", table, column: nameOf(tokens.at(-1)) };
  return { does: "alter table", table };
}

function deleteShape(sql: string, tokens: readonly Token[], verb: number): StatementShape {
  const { name: table, next } = nameAt(tokens, verb + 2);
  return { does: "delete", table, ...conditionOf(sql, tokens, next) };
}

function updateShape(sql: string, tokens: readonly Token[], verb: number): StatementShape {
  const { name: table, next } = nameAt(tokens, isWord(tokens[verb + 1], "or") ? verb + 3 : verb + 1);
  const set = findWord(tokens, ["set"], next);
  const after = findWord(tokens, ["from", "where", "returning", "order", "limit"], set);
  const sets = splitAt(tokens.slice(set + 1, after < 0 ? tokens.length : after), ",").flatMap((part) => {
    const equals = findWord(part, ["="]);
    const value = part.slice(equals + 1);
    const targets = part.slice(0, equals).filter((token) => token.kind !== "symbol");
    return targets.map((token) => ({ column: nameOf(token), value }));
  });
  return { does: "update", table, sets, ...conditionOf(sql, tokens, next) };
}

function insertShape(sql: string, tokens: readonly Token[], verb: number): StatementShape {
  const into = findWord(tokens, ["into"], verb);
  const { name: table, next: afterName } = nameAt(tokens, into + 1);
  const next = isWord(tokens[afterName], "as") ? afterName + 2 : afterName;
  const hasList = isWord(tokens[next], "(");
  const end = hasList ? closing(tokens, next) : next;
  const columns = hasList
    ? splitAt(tokens.slice(next + 1, end), ",").flatMap((part) => (part[0] ? [nameOf(part[0])] : []))
    : undefined;
  const body = hasList ? end + 1 : next;
  const selects = isWord(tokens[body], "select", "with");
  const leavesOut = isWord(tokens[verb + 1], "or") || tokens.slice(body).some((token) => isWord(token, "nothing"));
  const select = selects ? selectionOf(sql, tokens, body, verb, leavesOut) : undefined;
  return { does: "insert", table, ...(columns && { columns }), ...(select && { select }) };
}

const thinning = ["where", "limit", "distinct", "group", "having", "except", "intersect"];

/** `verb`: tokens before it are a WITH that belongs to the query. `thinned`: rows may be left out for another reason. */
function selectionOf(sql: string, tokens: readonly Token[], from: number, verb = 0, thinned = false): Selection {
  const textOf = (part: readonly Token[]): string =>
    part.length === 0 ? "" : sql.slice(part[0]!.start, part.at(-1)!.end);
  const select = isWord(tokens[from], "with") ? Math.max(findWord(tokens, ["select"], from), from) : from;
  const [outer, inner] = [tokens.slice(0, verb), tokens.slice(from, select)];
  const query = tokens.slice(select, endOfQuery(tokens, from));
  const parts = splitAt(query, "union", "except", "intersect").map((piece): SelectionPart => {
    // The order of all is that of no part.
    const order = findWord(piece, ["order", "limit"]);
    const body = piece.slice(isWord(piece[0], "all") ? 1 : 0, order < 0 ? piece.length : order);
    const start = isWord(body[1], "distinct", "all") ? 2 : 1;
    const end = findWord(body, ["from", "where"], start);
    const rest = end < 0 ? [] : body.slice(end);
    return {
      sql: [outer, inner, body].map(textOf).join(" "),
      items: splitAt(body.slice(start, end < 0 ? body.length : end), ","),
      tokens: [...outer, ...inner, ...body],
      indirect: select > from || verb > 0 || rest.some((token) => isWord(token, "select")),
    };
  });
  const looked = parts.some(({ indirect }) => indirect) ? [...outer, ...inner, ...query] : outermost(query);
  const thins = looked.some((token, at) => {
    if (isWord(token, "where")) return !isWord(looked[at + 1], "true", "1") || looked.length > at + 2;
    return isWord(token, ...thinning) || (isWord(token, "join") && !isOuter(looked, at));
  });
  return { start: tokens[from]?.start ?? 0, parts, whole: !thinned && !thins, ...conditionOf(sql, query, 0) };
}

/** Without what is in parentheses. */
function outermost(tokens: readonly Token[]): Token[] {
  const kept: Token[] = [];
  for (let at = 0; at < tokens.length; at++) {
    kept.push(tokens[at]!);
    if (isWord(tokens[at], "(")) at = closing(tokens, at);
  }
  return kept;
}

const isOuter = (tokens: readonly Token[], join: number): boolean =>
  isWord(tokens[join - 1], "left", "full") ||
  (isWord(tokens[join - 1], "outer") && isWord(tokens[join - 2], "left", "full"));

/** Before ON CONFLICT or RETURNING. */
function endOfQuery(tokens: readonly Token[], from: number): number {
  for (let at = from; ; at++) {
    at = findWord(tokens, ["on", "returning"], at);
    if (at < 0) return tokens.length;
    if (isWord(tokens[at], "returning") || isWord(tokens[at + 1], "conflict")) return at;
  }
}

function conditionOf(sql: string, tokens: readonly Token[], from: number): { where?: string } {
  const where = findWord(tokens, ["where"], from);
  if (where < 0) return {};
  const end = findWord(tokens, ["returning", "order", "limit"], where);
  const condition = tokens.slice(where + 1, end < 0 ? tokens.length : end);
  if (condition.length === 0 || (condition.length === 1 && isWord(condition[0], "true", "1"))) return {};
  return { where: sql.slice(condition[0]!.start, condition.at(-1)!.end) };
}

/** A name, with or without its schema's before it, and what follows. */
function nameAt(tokens: readonly Token[], at: number): { name: string; next: number } {
  const last = isWord(tokens[at + 1], ".") ? at + 2 : at;
  return { name: nameOf(tokens[last]), next: last + 1 };
}

/** SQLite takes a text where it expects a name. */
function nameOf(token: Token | undefined): string {
  return token?.kind === "string" ? lowerCase(token.text.slice(1, -1).replaceAll("''", "'")) : (token?.bare ?? "");
}
