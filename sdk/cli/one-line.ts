/** What a platform tells has line breaks, and control characters that a terminal would obey. */
export function oneLine(text: string): string {
  const line = text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, " ").trim();
  return line.length > 160 ? `${line.slice(0, 159)}…` : line;
}
