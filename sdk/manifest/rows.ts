import { CsvError, parse } from "csv-parse/sync";
import { didYouMean } from "../../provider/platform/did-you-mean";
import type { Place, Problems } from "./problems";
import { quoted } from "./problems";

/** A tenant as a row says it; its values are still to be held against the definition. */
export interface Row {
  readonly place: Place;
  readonly value: Readonly<Record<string, unknown>>;
}

const texts = ["id", "name", "plan", "group", "geo", "schema", "sizeLimit"];
const choices = ["adopt", "onReplace", "deletionPolicy", "gracePeriod", "expiresIn", "expiresAt"];
const switches = ["blockReads", "blockWrites", "suspended", "deleteProtection"];
const columns = [...texts, ...choices, ...switches];
const ofALabel = "label:";

/**
 * Reads the rows of a CSV file (RFC 4180, commas): the first one names the columns. An empty cell says nothing. A file
 * without rows is a problem: no tenants at all has to be said.
 */
export function readRows(file: string, text: string, problems: Problems): Row[] {
  const [head, ...records] = recordsOf(file, text, problems);
  if (!head) return [];
  if (!isHead(file, head, problems)) return [];
  if (records.length === 0) {
    problems.add({ file }, [], "it has no rows. Where no tenants are meant, write `tenants: {}` in the manifest.");
  }
  return records.flatMap(({ cells, line }) => {
    const place = { file, line };
    if (cells.length > head.cells.length) {
      problems.add(place, [], `it has ${cells.length} cells, and there are ${head.cells.length} columns.`);
      return [];
    }
    return [{ place, value: valueOf(head.cells, cells) }];
  });
}

interface CsvRecord {
  readonly cells: readonly string[];
  readonly line: number;
}

function recordsOf(file: string, text: string, problems: Problems): CsvRecord[] {
  try {
    let before = 1;
    const parsed = parse(text, {
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    const records = parsed.map(({ record, info }) => ({
      cells: record,
      line: (before = Math.max(before, info.lines)),
    }));
    if (records.length === 0)
      problems.add({ file }, [], "it is empty; its first row names the columns, `id` among them.");
    return records;
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { lines } = error as CsvError & { lines?: number };
    problems.add({ file, ...(lines === undefined ? {} : { line: lines }) }, [], csvProblem(error));
    return [];
  }
}

const csvProblem = ({ code }: CsvError): string =>
  code === "CSV_QUOTE_NOT_CLOSED"
    ? "a quote is opened and not closed."
    : "a quote stands in the middle of a cell; put the whole cell in quotes, and double those in it.";

function isHead(file: string, { cells, line }: CsvRecord, problems: Problems): boolean {
  const place = { file, line };
  const before = problems.all.length;
  cells.forEach((cell, i) => {
    if (cells.indexOf(cell) !== i) problems.add(place, [], `the column ${quoted(cell)} is there twice.`);
    else if (!columns.includes(cell) && !(cell.startsWith(ofALabel) && cell.length > ofALabel.length)) {
      const guess = didYouMean(cell, columns);
      problems.add(
        place,
        [],
        `there is no column ${quoted(cell)}${guess ? `; did you mean "${guess}"?` : `: use ${columns.join(", ")}, or label:<key>.`}`,
      );
    }
  });
  if (!cells.includes("id")) problems.add(place, [], "there is no column `id`.");
  return problems.all.length === before;
}

function valueOf(head: readonly string[], cells: readonly string[]): Record<string, unknown> {
  const labels: Record<string, string> = {};
  const value: Record<string, unknown> = {};
  head.forEach((column, i) => {
    const cell = cells[i] ?? "";
    if (cell === "") return;
    if (column.startsWith(ofALabel)) labels[column.slice(ofALabel.length)] = cell;
    else value[column] = switches.includes(column) && /^(?:true|false)$/i.test(cell) ? /^true$/i.test(cell) : cell;
  });
  return Object.keys(labels).length > 0 ? { ...value, labels } : value;
}
