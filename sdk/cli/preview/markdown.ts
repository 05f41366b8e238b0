import { redact } from "../../../provider/http/redact";

/**
 * Markdown out of texts that others wrote: names of tenants, words of a database. What they hold is shown and never
 * read: no markup, no link, no mention, no comment, no end of a table's cell. Secrets are taken out first.
 */

/** Controls, and characters that turn the direction of a line round or are not to be seen. */
const unseen = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const instead = "\ufffd";

/** On one line, cut to `longest` characters. */
function plain(text: string, longest: number): string {
  const line = redact(text).replace(/\s+/g, " ").trim().replace(unseen, instead);
  const characters = [...line];
  return characters.length > longest ? `${characters.slice(0, longest).join("")}…` : line;
}

/**
 * As code, in a sentence or in a cell of a table. Backticks, pipes and backslashes have a meaning even there, and not
 * the same one everywhere: then it is HTML in which every sign is a number.
 */
export function code(text: string, longest = 80): string {
  const line = plain(text, longest);
  if (line === "") return "(empty)";
  if (!/[`|\\]/.test(line)) return `\`${line}\``;
  return `<code>${line.replace(/[^\p{L}\p{N} ]/gu, (sign) => `&#${sign.codePointAt(0)};`)}</code>`;
}

/** As a block, with its lines: the fence is longer than any inside. */
export function block(text: string, longest = 500): string[] {
  const lines = redact(text)
    .trim()
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map((line) => line.replaceAll("\t", "  ").replace(unseen, instead));
  const characters = [...lines.join("\n")];
  const shown = characters.length > longest ? `${characters.slice(0, longest).join("")}…` : characters.join("");
  const inside = Math.max(2, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(inside + 1);
  return [`${fence}text`, shown, fence];
}

/** Cells are markdown already, without line breaks. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)];
}
