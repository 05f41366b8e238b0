/**
 * A database's schema, as it means and not as it was written: equal models behave alike. Keys are names in lower case.
 * Left out are the tables behind virtual tables and vector indexes, SQLite's and libSQL's own, and the ledgers of
 * Tenantry and of other tools.
 */
export interface SchemaModel {
  readonly tables: ReadonlyMap<string, Table>;
  readonly indexes: ReadonlyMap<string, Index>;
  readonly triggers: ReadonlyMap<string, Text>;
  readonly views: ReadonlyMap<string, Text>;
  readonly virtualTables: ReadonlyMap<string, VirtualTable>;
}

export interface Table {
  readonly name: string;
  /** In the table's order. */
  readonly columns: ReadonlyMap<string, Column>;
  /** Names in lower case, in the key's order. */
  readonly primaryKey: readonly string[];
  readonly autoincrement: boolean;
  /** Columns of UNIQUE constraints, each as "a, b collate nocase", sorted. */
  readonly uniques: readonly string[];
  readonly checks: readonly string[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly conflicts: readonly string[];
  readonly withoutRowid: boolean;
  readonly strict: boolean;
}

export interface Column {
  readonly name: string;
  /** As declared, in lower case; "" where none is. */
  readonly type: string;
  readonly notNull: boolean;
  /** An SQL expression. */
  readonly default: string | undefined;
  readonly collation: string | undefined;
  /** "stored" or "virtual", then its expression. */
  readonly generated: string | undefined;
}

export interface ForeignKey {
  readonly columns: readonly string[];
  readonly table: string;
  readonly to: readonly string[];
  readonly onDelete: string;
  readonly onUpdate: string;
  readonly deferred: boolean;
}

export interface Index {
  readonly name: string;
  readonly table: string;
  /** Each as "a", "a desc", "a collate nocase" or an expression. */
  readonly columns: readonly string[];
  readonly unique: boolean;
  /** The condition of a partial index. */
  readonly where: string | undefined;
}

/** A view or a trigger: what it does is its text, normalised. */
export interface Text {
  readonly name: string;
  readonly sql: string;
}

export interface VirtualTable extends Text {
  /** Names in lower case; not compared, since the text gives them. */
  readonly columns: readonly string[];
  /** False for a full-text index over another table's rows, or over none. */
  readonly keepsRows: boolean;
}

export const emptySchema: SchemaModel = {
  tables: new Map(),
  indexes: new Map(),
  triggers: new Map(),
  views: new Map(),
  virtualTables: new Map(),
};
