/** What one statement text has cost a database since the last report. */
export interface StatementUsage {
  readonly sql: string;
  readonly rowsRead: number;
  readonly rowsWritten: number;
}

/** Counts the rows that statements return and change. */
export interface Meter {
  count(sql: string, rowsRead: number, rowsWritten: number): void;
}

export interface Meters {
  of(databaseId: string): Meter;
  /** What was counted since the last call, by database. */
  take(): { databaseId: string; statements: StatementUsage[] }[];
}

// Enough to tell one query from another in a list of the dearest.
const longestText = 500;

/** @param onFirst Called when something was counted for the first time since the last `take`. */
export function createMeters(onFirst: () => void): Meters {
  let counted = new Map<string, Map<string, StatementUsage>>();
  return {
    of: (databaseId) => ({
      count(sql, rowsRead, rowsWritten) {
        if (counted.size === 0) onFirst();
        let statements = counted.get(databaseId);
        if (statements === undefined) counted.set(databaseId, (statements = new Map()));
        const text = sql.length > longestText ? `${sql.slice(0, longestText)}…` : sql;
        const before = statements.get(text);
        statements.set(text, {
          sql: text,
          rowsRead: (before?.rowsRead ?? 0) + rowsRead,
          rowsWritten: (before?.rowsWritten ?? 0) + rowsWritten,
        });
      },
    }),
    take: () => {
      const taken = [...counted].map(([databaseId, byText]) => ({ databaseId, statements: [...byText.values()] }));
      counted = new Map();
      return taken;
    },
  };
}
