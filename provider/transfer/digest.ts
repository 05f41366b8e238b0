import { createHash } from "node:crypto";
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
        const hash = hashOf(row);
        for (let i = 0; i < 8; i++) sum[i]! += hash.readUInt32LE(i * 4);
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
  const hash = createHash("sha256");
  for (const { as, value } of row) {
    if (value instanceof Uint8Array) {
      hash.update(`${as === "text" ? "text" : "blob"} ${value.byteLength}:`).update(value);
    } else if (as === "real") {
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value);
      hash.update("real:").update(bytes);
    } else {
      hash.update(value === null ? "null;" : `integer ${value};`);
    }
  }
  return hash.digest();
}
