import { splitStatements } from "../statements";
import { readUpPart } from "./dbmate";
import { type Folder, readSql } from "./folder";
import { invalid } from "./invalid";
import { type Migration, asksForTransaction, inOrderOfNumbers, makeMigration } from "./migration";

/** Plain `.sql` files: each name begins with a number, and the numbers give the order. */
export function readPlain(folder: Folder): Migration[] {
  return inOrderOfNumbers(folder, folder.files).map((name) => {
    const { text } = readSql(folder, name);
    if (readUpPart(text)) {
      throw invalid(
        `"${folder.shown}/${name}" is one of dbmate's ("-- migrate:up"), and would be undone again by its own down part.`,
        'Read the folder with format: "dbmate".',
      );
    }
    return makeMigration(folder, text, {
      id: name.slice(0, -4),
      name,
      statements: splitStatements(text),
      transaction: asksForTransaction(text, `${folder.shown}/${name}`),
    });
  });
}
