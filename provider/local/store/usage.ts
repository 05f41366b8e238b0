/** What a statement did, over one or several runs. */
export interface StatementActivity {
  readonly sql: string;
  /** Rows returned, rather than rows scanned, which SQLite does not tell. */
  readonly rowsRead: number;
  /** Rows changed. */
  readonly rowsWritten: number;
}

export interface DatabaseUsage {
  readonly rowsRead: number;
  readonly rowsWritten: number;
  /** The ten that read and wrote the most, heaviest first. */
  readonly topQueries: readonly StatementActivity[];
}

/**
 * What each database's SQL has done since the platform's start: rows returned and changed. Kept in memory only, and
 * little of it: 100 texts a database, each cut after 1,000 characters.
 */
export interface Usage {
  /** When counting began: the platform's start. */
  readonly since: Date;
  add(databaseId: string, statements: readonly StatementActivity[]): void;
  of(databaseId: string): DatabaseUsage;
  forget(databaseId: string): void;
}

const shown = 10;
const kept = 100;
const longestText = 1_000;

interface Counter {
  rowsRead: number;
  rowsWritten: number;
}

const weight = ({ rowsRead, rowsWritten }: Counter): number => rowsRead + rowsWritten;

/** @param isKnown What statements cost is told a moment later: of a database deleted meanwhile nothing is kept. */
export function createUsage(isKnown: (databaseId: string) => boolean = () => true): Usage {
  const databases = new Map<string, Counter & { readonly queries: Map<string, Counter> }>();
  return {
    since: new Date(),
    add(databaseId, statements) {
      if (!isKnown(databaseId)) return;
      const found = databases.get(databaseId) ?? { rowsRead: 0, rowsWritten: 0, queries: new Map<string, Counter>() };
      databases.set(databaseId, found);
      for (const statement of statements) {
        found.rowsRead += statement.rowsRead;
        found.rowsWritten += statement.rowsWritten;
        count(found.queries, statement);
      }
    },
    of(databaseId) {
      const { rowsRead = 0, rowsWritten = 0, queries } = databases.get(databaseId) ?? {};
      const topQueries = [...(queries ?? [])]
        .map(([sql, counter]) => ({ sql, ...counter }))
        .sort((one, other) => weight(other) - weight(one))
        .slice(0, shown);
      return { rowsRead, rowsWritten, topQueries };
    },
    forget: (databaseId) => void databases.delete(databaseId),
  };
}

function count(queries: Map<string, Counter>, { sql, rowsRead, rowsWritten }: StatementActivity): void {
  const text = sql.length > longestText ? `${sql.slice(0, longestText)}…` : sql;
  const found = queries.get(text);
  if (found) {
    found.rowsRead += rowsRead;
    found.rowsWritten += rowsWritten;
    return;
  }
  // The lightest makes room; a new one must be let in, or late queries would never show.
  if (queries.size >= kept) {
    const [lightest] = [...queries].reduce((least, one) => (weight(one[1]) < weight(least[1]) ? one : least));
    queries.delete(lightest);
  }
  queries.set(text, { rowsRead, rowsWritten });
}
