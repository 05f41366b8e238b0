import { hash } from "node:crypto";
import type { Sql } from "../platform/sql";
import type { Table } from "./definition";
import { type Cell, readRows } from "./rows";

/** Of a table's rows. Two tables with the same rows have the same, in whatever order they are read. */
export interface TableDigest {
  readonly rows: number;
  /** Hexadecimal: the sum of the rows' SHA-256. */
  readonly checksum: string;
}

/** Takes rows as they come by. */
export function createDigest(): { add(rows: readonly (readonly Cell[])[]): void; result(): TableDigest } {
  const sum = new Uint32Array(8);
  let count = 0;
  return {
    add(rows) {
      for (const row of rows) {
        const digest = hashOf(row);
        for (let i = 0; i < 8; i++) sum[i]! += digest.readUInt32LE(i * 4);
        count++;
      }
    },
    result: () => ({ rows: count, checksum: Buffer.from(sum.buffer).toString("hex") }),
  };
}

/** Reads the whole table. */
export async function digestOf(sql: Sql, table: Table): Promise<TableDigest> {
  const digest = createDigest();
  for await (const { rows } of readRows(sql, table)) digest.add(rows);
  return digest.result();
}

/** Each value with its storage class and its length, so that no two rows look the same. */
function hashOf(row: readonly Cell[]): Buffer {
  const parts: Uint8Array[] = [];
  for (const { as, value } of row) {
    if (value instanceof Uint8Array) {
      parts.push(Buffer.from(`${as === "text" ? "text" : "blob"} ${value.byteLength}:`), value);
    } else if (as === "real") {
      const bytes = Buffer.allocUnsafe(8);
      bytes.writeDoubleLE(value);
      parts.push(realMark, bytes);
    } else {
      parts.push(Buffer.from(value === null ? "null;" : `integer ${value};`));
    }
  }
  // At once: a hash object for each row would be freed long after it.
  return hash("sha256", Buffer.concat(parts), "buffer");
}

const realMark = Buffer.from("real:");
