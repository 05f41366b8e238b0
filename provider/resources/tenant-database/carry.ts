import type { Sql } from "../../platform/sql";
import { transfer } from "../../transfer/transfer";
import type { Relocation } from "./relocate";

/** Between two lines of progress, in ms. */
const pause = 2_000;

/** Carries all of one database into another one, and tells the reader how far it is and what was found the same. */
export async function carry({ olds, note }: Relocation, source: Sql, target: Sql): Promise<void> {
  await target.ready();
  let told = Date.now();
  const { rows, tables, left } = await transfer(source, target, (progress) => {
    if (Date.now() - told < pause) return;
    told = Date.now();
    const size = `${count(progress.rows, "row")}, ${Math.round(progress.bytes / 1e6).toLocaleString("en-US")} MB`;
    void note(`${olds.name}: copying table "${progress.table}" (${size} so far)`, true);
  });
  const without = left.length > 0 ? `; not taken there: ${left.join(", ")}` : "";
  await note(`${olds.name}: ${count(rows, "row")} in ${count(tables.size, "table")}: the same in the copy${without}`);
}

const count = (number: number, what: string): string =>
  `${number.toLocaleString("en-US")} ${what}${number === 1 ? "" : "s"}`;
