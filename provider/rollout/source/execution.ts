import { type Statement, wordsOf } from "../statements";
import type { Migration } from "./migration";

type Execution = Pick<Migration, "statements" | "transaction" | "foreignKeys">;

/**
 * How a file's statements are to be run. What a file says about foreign keys is taken out where Tenantry switches them
 * off itself: inside a transaction `PRAGMA foreign_keys` has no effect, and over HTTP its effect ends with the request.
 */
export function executionOf(statements: readonly Statement[], transaction: boolean): Execution {
  const foreignKeys = statements.some(rebuilds) ? "off" : "kept";
  const rest = foreignKeys === "off" ? statements.filter((one) => !setsForeignKeys(one)) : statements;
  if (transaction) return { statements: rest, transaction, foreignKeys };
  // Such a file often only wants foreign keys off, and begins and commits a transaction itself.
  const inner = withoutOwnTransaction(rest);
  return { statements: inner ?? rest, transaction: inner !== undefined, foreignKeys };
}

/** With foreign keys on, dropping a table first deletes its rows, and with them the rows that refer to them. */
function rebuilds({ sql }: Statement): boolean {
  const [first, second, third, fourth] = wordsOf(sql, 4);
  if (first === "DROP") return second === "TABLE";
  const off = ["OFF", "0", "FALSE", "NO"];
  return first === "PRAGMA" && second === "FOREIGN_KEYS" && (third === "=" || third === "(") && off.includes(fourth!);
}

function setsForeignKeys({ sql }: Statement): boolean {
  const [first, second, third] = wordsOf(sql, 3);
  const isSet = third === "=" || third === "(";
  return first === "PRAGMA" && isSet && (second === "FOREIGN_KEYS" || second === "DEFER_FOREIGN_KEYS");
}

function withoutOwnTransaction(statements: readonly Statement[]): readonly Statement[] | undefined {
  const [begin] = wordsOf(statements[0]?.sql ?? "", 1);
  const [end] = wordsOf(statements.at(-1)?.sql ?? "", 1);
  const inner = statements.slice(1, -1);
  const isOne = begin === "BEGIN" && (end === "COMMIT" || end === "END");
  return isOne && !inner.some(({ sql }) => /^(?:BEGIN|COMMIT|END|ROLLBACK)$/.test(wordsOf(sql, 1)[0] ?? ""))
    ? inner
    : undefined;
}
