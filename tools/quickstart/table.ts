/** Rows of one kind as an indented table with a heading; columns as wide as their longest value. */
export function table<Row extends Record<string, string>>(headings: Row, rows: Row[]): string {
  const all = [headings, ...rows];
  const keys = Object.keys(headings);
  const widths = keys.map((key) => Math.max(...all.map((row) => row[key]?.length ?? 0)));
  const line = (row: Row) => keys.map((key, i) => (row[key] ?? "").padEnd(widths[i] ?? 0)).join("  ");
  return all.map((row) => `    ${line(row).trimEnd()}\n`).join("");
}
