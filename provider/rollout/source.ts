import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { TenantryError } from "../platform/errors";

/** A migration as state keeps it: what it is called, and a hash of its text. */
export interface MigrationRef {
  /** The file's name without `.sql`. */
  readonly id: string;
  /** SHA-256 of the text with LF line ends (so that every checkout agrees), as 16 hex digits. */
  readonly hash: string;
}

export interface Migration extends MigrationRef {
  readonly file: string;
  readonly sql: string;
}

const invalid = (what: string, fix: string): TenantryError => new TenantryError("migration-invalid", what, { fix });

/**
 * Reads a folder of ordered `.sql` files: each name begins with a number, and the numbers give the order.
 * `shown` is the folder as the user wrote it, for errors: missing, empty, no number, a number twice, not UTF-8.
 */
export function readMigrations(folder: string, shown = folder): Migration[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith(".sql"));
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code === "ENOTDIR" ? "is not a folder" : "does not exist";
    throw invalid(`migrations: the folder "${shown}" ${why}.`, "It is looked up from the program's folder.");
  }
  if (names.length === 0) {
    throw invalid(`migrations: "${shown}" holds no .sql file.`, 'Add a first one, such as "0001_init.sql".');
  }
  const numbered = names.map((name) => ({ name, number: /^\d+/.exec(name)?.[0] }));
  const nameless = numbered.find(({ number }) => number === undefined);
  if (nameless) {
    throw invalid(
      `migrations: "${shown}/${nameless.name}" does not begin with a number.`,
      'Numbers give the order: "0001_init.sql", "0002_add_notes.sql".',
    );
  }
  const odd = names.find((name) => !/^[\w.-]+$/.test(name));
  if (odd) {
    throw invalid(
      `migrations: "${shown}/${odd}" has a name with other characters than letters, digits, ".", "_" and "-".`,
      "Rename it; the name is the migration's id.",
    );
  }
  numbered.sort((a, b) => Number(a.number) - Number(b.number) || (a.name < b.name ? -1 : 1));
  numbered.forEach(({ name, number }, i) => {
    const before = numbered[i - 1];
    if (before && Number(before.number) === Number(number)) {
      throw invalid(
        `migrations: "${shown}/${before.name}" and "${name}" have the same number ${Number(number)}.`,
        "Give the newer one the next free number.",
      );
    }
  });
  return numbered.map(({ name }) => readMigration(join(folder, name), `${shown}/${name}`, name.slice(0, -4)));
}

function readMigration(path: string, file: string, id: string): Migration {
  let sql: string;
  try {
    sql = new TextDecoder("utf-8", { fatal: true }).decode(readFileSync(path)).replace(/\r\n/g, "\n");
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw invalid(`migrations: "${file}" is not UTF-8 text.`, "Save it as UTF-8.");
  }
  return { id, file, sql, hash: shortHash(sql) };
}

/** One hash over the whole history: the same digest is the same list of migrations. */
export function digestOf(migrations: readonly MigrationRef[]): string {
  return shortHash(migrations.map(({ id, hash }) => `${id} ${hash}\n`).join(""));
}

const shortHash = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 16);
