import { CsvError, parse } from "csv-parse/sync";
import { didYouMean } from "../../provider/platform/did-you-mean";
import type { Place, Problems } from "./problems";
import { quoted } from "./problems";

/** A tenant as a row says it; its values are still to be held against the definition. */
export interface Row {
  /** Of a property, such as ["labels", "ring"]; of the row where it has no cell for it. */
  readonly placeOf: (property: readonly (string | number)[]) => Place;
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
  if (!isHead(head, problems)) return [];
  if (records.length === 0) {
    problems.add({ file }, [], "it has no rows. Where no tenants are meant, write `tenants: {}` in the manifest.");
  }
  return records.flatMap(({ cells, placeOf }) => {
    if (cells.length > head.cells.length) {
      const text = `it has ${cells.length} cells, and there are ${head.cells.length} columns.`;
      problems.add(placeOf(head.cells.length), [], text);
      return [];
    }
    const columnOf = ([first, ...more]: readonly (string | number)[]): number =>
      head.cells.indexOf(first === "labels" ? `${ofALabel}${more.join(".")}` : String(first));
    return [{ placeOf: (property) => placeOf(Math.max(0, columnOf(property))), value: valueOf(head.cells, cells) }];
  });
}

interface CsvRecord {
  readonly cells: readonly string[];
  /** Of a cell, counted from 0. */
  readonly placeOf: (cell: number) => Place;
}

function recordsOf(file: string, text: string, problems: Problems): CsvRecord[] {
  const bytes = Buffer.from(text);
  let [read, line] = [0, 1];
  try {
    const parsed = parse(text, {
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
      trim: true,
    }) as unknown as { record: string[]; info: { bytes: number } }[];
    if (parsed.length === 0)
      problems.add({ file }, [], "it is empty; its first row names the columns, `id` among them.");
    return parsed.map(({ record, info }) => {
      const [written, begins] = [bytes.toString("utf8", read, info.bytes), line];
      read = info.bytes;
      line += breaksIn(written);
      return { cells: record, placeOf: (cell) => placeIn(file, written, begins, cell) };
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { bytes_records: before, index } = error as CsvError & { bytes_records: number; index: number };
    const begins = 1 + breaksIn(bytes.toString("utf8", 0, before));
    problems.add(placeIn(file, bytes.toString("utf8", before), begins, index), [], csvProblem(error));
    return [];
  }
}

const breaksIn = (text: string): number => text.match(/\r\n|\r|\n/g)?.length ?? 0;

/** Where a cell begins in a record, which may have had line breaks before it, and in its cells. */
function placeIn(file: string, record: string, line: number, cell: number): Place {
  let [at, rest, isQuoted] = [0, cell, false];
  for (let i = 0; rest > 0 && i < record.length; i++) {
    if (record[i] === '"') isQuoted = !isQuoted;
    else if (record[i] === "," && !isQuoted) [at, rest] = [i + 1, rest - 1];
  }
  at += record.slice(at).search(cell === 0 ? /\S|$/ : /[^ \t]|$/);
  const before = record.slice(0, at);
  const lineBegins = Math.max(before.lastIndexOf("\n"), before.lastIndexOf("\r")) + 1;
  return { file, line: line + breaksIn(before), column: at - lineBegins + 1 };
}

const csvProblem = ({ code }: CsvError): string =>
  code === "CSV_QUOTE_NOT_CLOSED"
    ? "a quote is opened and not closed."
    : "a quote stands in the middle of a cell; put the whole cell in quotes, and double those in it.";

function isHead({ cells, placeOf }: CsvRecord, problems: Problems): boolean {
  const before = problems.all.length;
  cells.forEach((cell, i) => {
    if (cells.indexOf(cell) !== i) problems.add(placeOf(i), [], `the column ${quoted(cell)} is there twice.`);
    else if (!columns.includes(cell) && !(cell.startsWith(ofALabel) && cell.length > ofALabel.length)) {
      const guess = didYouMean(cell, columns);
      problems.add(
        placeOf(i),
        [],
        `there is no column ${quoted(cell)}${guess ? `; did you mean "${guess}"?` : `: use ${columns.join(", ")}, or label:<key>.`}`,
      );
    }
  });
  if (!cells.includes("id")) problems.add(placeOf(0), [], "there is no column `id`.");
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
