import { createHmac, randomBytes } from "node:crypto";
import type { SqlValue } from "../../platform/sql-values";
import type { Carried } from "../../transfer/carry";
import type { Table } from "../../transfer/definition";
import type { Cell } from "../../transfer/rows";
import type { MaskPlan, Treatment } from "./plan";

/** Of all tables of one branch: a value is hashed alike wherever it stands, by a key that nobody keeps. */
export function masking({ columns }: MaskPlan): (table: Table) => Carried {
  const hash = createHasher(randomBytes(32));
  return (table) => {
    const treatments = columns.get(table.name.toLowerCase());
    if (!treatments || table.kind === "hidden") return "none";
    const each = table.columns.map((column, i): ((cell: Cell) => Cell) => {
      const given = treatments.get(unquoted(column)) ?? "null";
      const treatment = given === "null" && isRowNumber(table, i) ? "keep" : given;
      return (cell) => treated(cell, treatment, hash);
    });
    return (row) => row.map((cell, i) => each[i]!(cell));
  };
}

/** A row's number that is no column of its table, and the id of a shape in a tree: what a virtual table's rows go by. */
const isRowNumber = ({ columns, key, kind }: Table, at: number): boolean =>
  key.some(({ column }) => column === at) && (kind === "virtual" || !columns[at]!.startsWith('"'));

const unquoted = (column: string): string =>
  (column.startsWith('"') ? column.slice(1, -1).replaceAll('""', '"') : column).toLowerCase();

type Hash = (kind: string, value: Uint8Array | string) => Buffer;

const createHasher =
  (key: Uint8Array): Hash =>
  (kind, value) =>
    createHmac("sha256", key).update(`${kind}:`).update(value).digest();

function treated(cell: Cell, treatment: Treatment, hash: Hash): Cell {
  if (cell.value === null || treatment === "keep") return cell;
  if (treatment === "null") return { as: "value", value: null };
  if (treatment === "blank") return blank(cell);
  const isWhole = cell.as === "value" && !(cell.value instanceof Uint8Array);
  if (treatment === "key" && isWhole) return cell;
  return hashed(cell, hash);
}

function blank({ as, value }: Cell): Cell {
  if (as === "text") return { as, value: new Uint8Array() };
  if (as === "real") return { as, value: 0 };
  return { as, value: value instanceof Uint8Array ? new Uint8Array() : 0 };
}

/** Of the value's own type, which a STRICT table asks for: 24 letters, 12 bytes, or a whole number of 48 bits. */
function hashed({ as, value }: Cell, hash: Hash): Cell {
  if (as === "text") return { as, value: Buffer.from(hash("text", value).toString("hex").slice(0, 24)) };
  if (value instanceof Uint8Array) return { as: "value", value: hash("blob", value).subarray(0, 12) };
  const number = hash("number", String(value as SqlValue)).readUIntBE(0, 6);
  return as === "real" ? { as, value: number } : { as, value: number };
}
