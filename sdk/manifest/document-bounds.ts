import { CST, Lexer } from "yaml";

/**
 * Of one document, spaces not counted: 20,000 tenants with six settings each have 900,000. What is made of a token takes
 * a few hundred bytes, and of some texts much more than of others.
 */
const mostTokens = 1_200_000;
export const deepest = 64;
const mostDirectives = 10;

export interface OutOfBounds {
  readonly offset: number;
  readonly message: string;
}

/**
 * Looks at a YAML text before it is parsed: the parser itself takes minutes and gigabytes for 5 MB of brackets. A few
 * hundred milliseconds, whatever the text is.
 */
export function outOfBounds(text: string): OutOfBounds | undefined {
  let [offset, tokens, open, onLine, directives, documents] = [0, 0, 0, 0, 0, 0];
  for (const token of new Lexer().lex(text)) {
    const type = CST.tokenType(token);
    const refuse = (message: string): OutOfBounds => ({ offset, message });
    if (type !== "space" && ++tokens > mostTokens) return refuse("there is too much in it to be a manifest.");
    if (type === "flow-seq-start" || type === "flow-map-start") open++;
    else if (type === "flow-seq-end" || type === "flow-map-end") open--;
    else if (type === "newline") onLine = 0;
    else if (type === "seq-item-ind" || type === "explicit-key-ind") onLine++;
    else if (type === "directive-line") directives++;
    else if (type === "doc-start") documents++;
    if (open < 0) return refuse("a bracket is closed that was not opened.");
    if (open > deepest || onLine > deepest) return refuse("it is nested too deeply.");
    if (type === "tag") return refuse("a tag such as !text has no meaning here; leave it out.");
    if (directives > mostDirectives) return refuse("it has too many lines that begin with %.");
    if (documents > 1) return refuse("it holds several documents; write one a file.");
    if (!isMark(type)) offset += token.length;
  }
  return undefined;
}

/** Tokens that the lexer puts in, and that are not in the text. */
const isMark = (type: CST.TokenType | null): boolean =>
  type === "doc-mode" || type === "flow-error-end" || type === "scalar";
