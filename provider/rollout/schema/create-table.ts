import { type Token, closing, findWord, isWord, normalTokens, splitAt, tokensOf } from "./tokens";

/** What only the text of a CREATE TABLE tells: no pragma does. */
export interface TableText {
  /** Conditions of CHECK, of columns and of the table alike, sorted. */
  readonly checks: readonly string[];
  readonly autoincrement: boolean;
  readonly columns: ReadonlyMap<string, ColumnText>;
  /** Columns of foreign keys that are checked at the end of a transaction, joined by ",". */
  readonly deferred: ReadonlySet<string>;
  /** Columns of keys with their ON CONFLICT, such as "email replace". */
  readonly conflicts: readonly string[];
}

export interface ColumnText {
  /** Undefined for the default, BINARY. */
  readonly collation: string | undefined;
  /** The expression of a generated column. */
  readonly generated: string | undefined;
}

const tableConstraints = ["constraint", "primary", "unique", "check", "foreign"];

export function readCreateTable(sql: string): TableText {
  const tokens = tokensOf(sql);
  const open = findWord(tokens, ["("]);
  const body = open < 0 ? [] : tokens.slice(open + 1, closing(tokens, open));
  const columns = new Map<string, ColumnText>();
  const deferred = new Set<string>();
  const checks: string[] = [];
  const conflicts: string[] = [];
  for (const item of splitAt(body, ",")) {
    if (item.length === 0) continue;
    const ofTable = isWord(item[0], ...tableConstraints);
    checks.push(...expressionsAfter(item, "check"));
    const about = ofTable ? keyColumns(item) : item[0]!.bare;
    if (findPair(item, "initially", "deferred") >= 0) deferred.add(about);
    const conflict = findPair(item, "on", "conflict");
    if (conflict >= 0) conflicts.push(`${about} ${item[conflict + 2]?.bare ?? ""}`);
    if (!ofTable) columns.set(item[0]!.bare, columnText(item));
  }
  return {
    checks: checks.sort(),
    autoincrement: body.some((token) => isWord(token, "autoincrement")),
    columns,
    deferred,
    conflicts: conflicts.sort(),
  };
}

function columnText(item: readonly Token[]): ColumnText {
  const collate = findWord(item, ["collate"]);
  const collation = collate < 0 ? undefined : item[collate + 1]?.bare;
  return {
    collation: collation === "binary" ? undefined : collation,
    generated: expressionsAfter(item.slice(1), "as")[0],
  };
}

/** The contents of the parentheses that follow a word. */
function expressionsAfter(item: readonly Token[], word: string): string[] {
  const found: string[] = [];
  for (let at = findWord(item, [word]); at >= 0; at = findWord(item, [word], at + 1)) {
    if (isWord(item[at + 1], "(")) found.push(normalTokens(item.slice(at + 2, closing(item, at + 1))));
  }
  return found;
}

function keyColumns(item: readonly Token[]): string {
  const open = findWord(item, ["("]);
  if (open < 0) return "";
  return splitAt(item.slice(open + 1, closing(item, open)), ",")
    .map((part) => part[0]?.bare ?? "")
    .join(",");
}

function findPair(item: readonly Token[], first: string, second: string): number {
  for (let at = findWord(item, [first]); at >= 0; at = findWord(item, [first], at + 1)) {
    if (isWord(item[at + 1], second)) return at;
  }
  return -1;
}
