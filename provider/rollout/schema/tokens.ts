/** A piece of SQL that means something; space and comments are none. */
export interface Token {
  /** As written. */
  readonly text: string;
  /** Words and quoted names in lower case and without quotes, so that equal names are equal; the rest as written. */
  readonly bare: string;
  readonly kind: "word" | "name" | "string" | "symbol";
  /** Where it begins and ends in the text. */
  readonly start: number;
  readonly end: number;
}

const piece =
  /--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|'(?:[^']|'')*'?|"(?:[^"]|"")*"?|`(?:[^`]|``)*`?|\[[^\]]*\]?|[\w$\u0080-\uffff]+|\s+|[\s\S]/g;

export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  for (const match of sql.matchAll(piece)) {
    const [text] = match;
    if (/^(?:\s|--|\/\*)/.test(text)) continue;
    const kind = kindOf(text);
    tokens.push({ text, bare: bareText(text, kind), kind, start: match.index, end: match.index + text.length });
  }
  return tokens;
}

function kindOf(text: string): Token["kind"] {
  if (text.startsWith("'")) return "string";
  if (/^["`[]/.test(text) && text.length > 1) return "name";
  return /^[\w$\u0080-\uffff]/.test(text) ? "word" : "symbol";
}

function bareText(text: string, kind: Token["kind"]): string {
  if (kind === "word") return lowerCase(text);
  if (kind !== "name") return text;
  const quote = text[0] === "[" ? "]" : text[0]!;
  return lowerCase(text.slice(1, -1).replaceAll(quote + quote, quote));
}

/** As SQLite compares names: regardless of the case of A to Z only. */
export const lowerCase = (name: string): string => name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());

/** One text for all that mean the same: no comments, one space, lower case, quotes only where a name needs them. */
export const normalSql = (sql: string): string => normalTokens(tokensOf(sql));

export const normalTokens = (tokens: readonly Token[]): string =>
  tokens
    .map(({ kind, bare }) => (kind === "name" && !/^[\w$\u0080-\uffff]+$/.test(bare) ? JSON.stringify(bare) : bare))
    .join(" ");

/** True where the token is this keyword or symbol, and not a name in quotes. */
export const isWord = (token: Token | undefined, ...words: string[]): boolean =>
  token !== undefined && (token.kind === "word" || token.kind === "symbol") && words.includes(token.bare);

/** The index of the parenthesis that closes the one at `open`; the end where none does. */
export function closing(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at++) {
    if (isWord(tokens[at], "(")) depth += 1;
    else if (isWord(tokens[at], ")") && --depth === 0) return at;
  }
  return tokens.length;
}

/** The first of these words outside of parentheses, from `from` on; -1 where there is none. */
export function findWord(tokens: readonly Token[], words: readonly string[], from = 0): number {
  for (let at = from; at < tokens.length; at++) {
    if (isWord(tokens[at], ...words)) return at;
    if (isWord(tokens[at], "(")) at = closing(tokens, at);
  }
  return -1;
}

/** What lies between separators outside of parentheses. */
export function splitAt(tokens: readonly Token[], ...separators: string[]): Token[][] {
  const parts: Token[][] = [];
  let begin = 0;
  for (;;) {
    const at = findWord(tokens, separators, begin);
    parts.push(tokens.slice(begin, at < 0 ? tokens.length : at));
    if (at < 0) return parts;
    begin = at + 1;
  }
}
