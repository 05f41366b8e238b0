import type { Statement } from "../statements";

/** What a migration destroys, or may fail on, where a database has rows. */
export interface Finding {
  /** The migration's id. */
  readonly migration: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly kind: FindingKind;
  /** In words, with the names of what is concerned. */
  readonly what: string;
  /** The statement that does it. */
  readonly sql: string;
  /** Read from the statement alone, because the migration, or one before it, does not run on an empty database. */
  readonly guessed?: true;
}

/**
 * The first three lose data:
 * - "drop-table": a table that was there before goes, and its rows are in no other;
 * - "drop-column": the same of a column, by ALTER TABLE or because a table made anew does not take it over;
 * - "delete-rows": rows are deleted, left out of a copy, or deleted through a foreign key; or a column is overwritten in
 *   every row.
 *
 * The others fail where rows do not fit, or change them:
 * - "narrowing": a column's type takes less, or a CHECK, a foreign key or STRICT is new;
 * - "not-null": a column becomes NOT NULL, or is new, NOT NULL and without a value for rows that are there;
 * - "unique": rows that were there before must now be different.
 */
export type FindingKind = "drop-table" | "drop-column" | "delete-rows" | "narrowing" | "not-null" | "unique";

/** A finding before it is known in which file. */
export interface Observation {
  readonly kind: FindingKind;
  readonly what: string;
  readonly statement: Statement;
}
