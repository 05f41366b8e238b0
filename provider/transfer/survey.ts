import type { Sql } from "../platform/sql";
import { type Table, readDefinition } from "./definition";
import { quoted } from "./quoted-name";
import { readRows } from "./rows";

/** What there is to carry, without carrying it. */
export interface Survey {
  readonly rows: number;
  readonly tables: number;
  /** The database's size, its indexes and free pages among it. */
  readonly bytes: number;
  /** How long its rows take to be read from here, about, in seconds: told by one answer and by a sample of its largest table. */
  readonly reading: number;
  /** Names of full-text and vector indexes that are built anew. */
  readonly rebuilt: readonly string[];
  /** Settings that most platforms let be read only, such as "user_version (42)". */
  readonly settings: readonly string[];
}

/** Counts every table's rows, which reads them on the server, and reads a sample. Writes nothing. */
export async function survey(sql: Sql): Promise<Survey> {
  const definition = await readDefinition(sql);
  const counts: number[] = [];
  for (let at = 0; at < definition.tables.length; at += 20) {
    const some = definition.tables.slice(at, at + 20).map(({ name }) => `SELECT count(*) AS n FROM ${quoted(name)}`);
    const results = await sql.batch(some, "read", { idempotent: true });
    counts.push(...results.map(({ rows }) => Number(rows[0]!["n"])));
  }
  const text = "SELECT page_count * page_size AS bytes FROM pragma_page_count, pragma_page_size";
  const asked = performance.now();
  const { rows } = await sql.execute({ sql: text, args: [] }, { idempotent: true });
  const answer = (performance.now() - asked) / 1000;
  const bytes = Number(rows[0]!["bytes"]);
  const { userVersion, applicationId } = definition;
  const largest = definition.tables[counts.indexOf(Math.max(...counts))];
  return {
    rows: counts.reduce((sum, count) => sum + count, 0),
    tables: definition.tables.length,
    bytes,
    reading: answer * definition.tables.length + (largest ? (await secondsPerByte(sql, largest)) * bytes : 0),
    rebuilt: [...definition.rebuilt, ...definition.vectors.map((name) => name.replace(/_shadow$/, ""))],
    settings: [
      ...(userVersion === 0 ? [] : [`user_version (${userVersion})`]),
      ...(applicationId === 0 ? [] : [`application_id (${applicationId})`]),
    ],
  };
}

/** What a sample has at least, in bytes. */
const telling = 1 << 18;

async function secondsPerByte(sql: Sql, table: Table): Promise<number> {
  const began = performance.now();
  let pages = 0;
  let bytes = 0;
  for await (const page of readRows(sql, table)) {
    bytes += page.bytes;
    if (++pages === 3) break;
  }
  // Of a few rows only the answer's time would be seen.
  return bytes < telling ? 0 : (performance.now() - began) / 1000 / bytes;
}
