import { createHash } from "node:crypto";
import type { Statement } from "../statements";
import { executionOf } from "./execution";
import type { Folder, SqlText } from "./folder";
import { invalid } from "./invalid";

/** A migration as state keeps it: what it is called, and a hash of its text. */
export interface MigrationRef {
  /** The file's name without `.sql`; the folder's name where each migration has one of its own. */
  readonly id: string;
  /** SHA-256 of the text with LF line ends (so that every checkout agrees), as 16 hex digits. */
  readonly hash: string;
}

export interface Migration extends MigrationRef {
  /** As the user wrote the folder, with the file's name. */
  readonly file: string;
  /** With LF line ends. */
  readonly sql: string;
  /** What is run, in order. */
  readonly statements: readonly Statement[];
  /** False: the file asks to be run statement by statement, outside of a transaction. */
  readonly transaction: boolean;
  /** "off": it rebuilds tables, so that no foreign key may act while it runs. "kept": as the connection has it. */
  readonly foreignKeys: "kept" | "off";
  /** How the tool that wrote the folder would have written this one down in a database; undefined for plain SQL. */
  readonly recorded?: Recorded;
}

/** `checksums`: SHA-256 of the file as hex, as it is here and with each kind of line end. `when`: of its journal, in ms. */
export type Recorded =
  | { readonly tool: "drizzle"; readonly checksums: readonly string[]; readonly when?: number }
  | { readonly tool: "prisma"; readonly name: string; readonly checksums: readonly string[] }
  | { readonly tool: "dbmate"; readonly version: string };

/** One hash over the whole history: the same digest is the same list of migrations. */
export function digestOf(migrations: readonly MigrationRef[]): string {
  return shortHash(migrations.map(({ id, hash }) => `${id} ${hash}\n`).join(""));
}

export interface MigrationParts {
  readonly id: string;
  /** Relative to the folder. */
  readonly name: string;
  readonly statements: readonly Statement[];
  readonly transaction: boolean;
  readonly recorded?: Recorded;
}

/** Refuses an id that a template's ref or a person could not tell apart. `text`: what the hash is of. */
export function makeMigration(
  folder: Folder,
  text: string,
  { id, name, statements, transaction, recorded }: MigrationParts,
): Migration {
  const file = `${folder.shown}/${name}`;
  if (!/^[\w.-]+$/.test(id)) {
    throw invalid(
      `"${file}" has a name with other characters than letters, digits, ".", "_" and "-".`,
      "Rename it; the name is the migration's id.",
    );
  }
  return { id, hash: shortHash(text), file, sql: text, ...executionOf(statements, transaction), recorded };
}

const mark = /^--\s*tenantry:\s*(.*?)\s*$/;

/** A file's first line may ask to be run outside of a transaction. Fails with any other wish, which would go unheard. */
export function asksForTransaction(text: string, file: string): boolean {
  const wish = mark.exec(text.trimStart().split("\n", 1)[0]!)?.[1];
  if (wish === undefined) return true;
  if (wish === "no-transaction") return false;
  throw invalid(
    `"${file}" begins with a mark that does not exist, "${wish}".`,
    'Write "-- tenantry: no-transaction", or leave it out.',
  );
}

/** The file's own hashes, as drizzle-kit and Prisma write them down. */
export function checksumsOf({ bytes, text }: SqlText): string[] {
  const all = [bytes, text, text.replaceAll("\n", "\r\n")].map((one) => createHash("sha256").update(one).digest("hex"));
  return [...new Set(all)];
}

export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

/** Names that begin with a number each, in their numbers' order. Fails where one has none, or two have the same. */
export function inOrderOfNumbers(folder: Folder, names: readonly string[]): string[] {
  const numbered = names.map((name) => ({ name, number: /^\d+/.exec(name)?.[0] }));
  const nameless = numbered.find(({ number }) => number === undefined);
  if (nameless) {
    throw invalid(
      `"${folder.shown}/${nameless.name}" does not begin with a number.`,
      'Numbers give the order: "0001_init.sql", "0002_add_notes.sql".',
    );
  }
  numbered.sort((a, b) => Number(a.number) - Number(b.number) || (a.name < b.name ? -1 : 1));
  numbered.forEach(({ name, number }, i) => {
    const before = numbered[i - 1];
    if (before && Number(before.number) === Number(number)) {
      throw invalid(
        `"${folder.shown}/${before.name}" and "${name}" have the same number ${Number(number)}.`,
        "Give the newer one the next free number.",
      );
    }
  });
  return numbered.map(({ name }) => name);
}
