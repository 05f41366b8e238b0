import { createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import type { Access } from "./hrana/access";
import { ApiProblem } from "./problem";
import type { SqlProcesses } from "./processes/sql-processes";
import type { DatabaseFiles } from "./store/database-files";
import type { DatabaseRow } from "./store/databases";

export interface UploadOptions {
  /** Asked before the file comes and again before it is put in place; throws where the bearer may not come in. */
  readonly admit: () => { readonly database: DatabaseRow; readonly access: Access };
  readonly files: DatabaseFiles;
  readonly processes: SqlProcesses;
}

/** The largest file taken, bytes. Turso publishes none. */
const largestFile = 20 * 1024 ** 3;

/**
 * `POST /v1/upload`: a whole SQLite file becomes the content of a new, empty database. The file is checked before it
 * takes the place of the empty one, in one rename.
 * Source of what a file must be: turso-docs, "Database upload" (WAL mode, pages of 4096 bytes, no auto-vacuum, UTF-8).
 */
export async function receiveUpload(request: Request, options: UploadOptions): Promise<void> {
  const { admit, files, processes } = options;
  const { database } = admitWriter(admit);
  const length = Number(request.headers.get("content-length") ?? Number.NaN);
  if (!Number.isSafeInteger(length)) throw new ApiProblem(400, "an upload needs a Content-Length");
  if (length > largestFile) throw new ApiProblem(413, `an upload may have ${largestFile} bytes at most`);
  const aside = files.besides(database);
  try {
    await pipeline(
      Readable.fromWeb((request.body ?? new Blob([]).stream()) as ReadableStream),
      createWriteStream(aside, { mode: 0o600 }),
    );
    const fault = (await headerFault(aside, length)) ?? (await contentFault(aside, database, options));
    if (fault !== undefined) throw new ApiProblem(400, `the uploaded file is refused: ${fault}`);
    await processes.exclusively(database.id, () => {
      // Others may have deleted it, blocked it, or written to it, until now.
      if (admitWriter(admit).database.id !== database.id || !files.exists(database))
        throw new ApiProblem(404, "Namespace doesn't exist");
      if (!files.isEmpty(database)) throw new ApiProblem(409, `database ${database.name} is not empty`);
      files.replace(database, aside);
    });
  } finally {
    files.discard(aside);
  }
}

function admitWriter(admit: UploadOptions["admit"]): ReturnType<UploadOptions["admit"]> {
  const admitted = admit();
  const { write, blockWrites } = admitted.access;
  if (!write || blockWrites) throw new ApiProblem(403, "this database cannot be written with this token");
  return admitted;
}

/** What SQLite finds wrong, in a process of its own: nobody knows what such a file holds. */
async function contentFault(file: string, database: DatabaseRow, options: UploadOptions): Promise<string | undefined> {
  const access = { write: true, blockReads: false, blockWrites: false };
  const answer = await options.processes.ask("check", { databaseId: `${database.id}/upload`, file, access, body: "" });
  const found = typeof answer.body === "string" ? answer.body : "unreadable";
  return answer.status === 200 && found === "ok" ? undefined : found;
}

/** What is wrong with a file, by its first bytes. Source: sqlite.org/fileformat.html, "The Database Header". */
async function headerFault(file: string, length: number): Promise<string | undefined> {
  const handle = await open(file);
  try {
    const header = Buffer.alloc(100);
    await handle.read(header, 0, 100, 0);
    if (header.toString("latin1", 0, 16) !== "SQLite format 3\0") return "it is not an SQLite database";
    if (header.readUInt16BE(16) !== 4096) return "its page size is not 4096 bytes";
    if (header[18] !== 2 || header[19] !== 2) return "it is not in WAL mode (PRAGMA journal_mode = WAL)";
    if (header.readUInt32BE(52) !== 0) return "it has auto-vacuum on";
    if (header.readUInt32BE(56) !== 1) return "its text encoding is not UTF-8";
    if (header.readUInt32BE(28) * 4096 > length)
      return "it is not complete: there are fewer pages than its header says";
    return undefined;
  } finally {
    await handle.close();
  }
}
