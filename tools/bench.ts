// `npm run bench`: what Tenantry costs, beside the least that the same work could cost on the same machine.
//   npm run bench -- [--only NAME...] [--json FILE] [--repetitions N] [--profile FOLDER]
// Ours and the reference take turns (ours, reference, ours, ...) and the medians are compared, so that a busy machine
// slows both. A goal that is missed fails nothing: these are measurements, not tests.
import { writeFile } from "node:fs/promises";
import { readArguments } from "./bench/arguments";
import { measure } from "./bench/measure";
import { json, table } from "./bench/report";
import { ROWS } from "./bench/rows";
import type { Result } from "./bench/row";

async function main(): Promise<void> {
  const { rows, file, repetitions, profile } = readArguments(process.argv.slice(2), ROWS);
  const results: Result[] = [];
  for (const row of rows) {
    const say = (text: string) => process.stderr.write(`${row.name}: ${text}\n`);
    say(row.what);
    results.push(await measure(row, { repetitions, say, profile }));
    // After each row: a run of all of them takes many minutes, and may be ended early.
    if (file) await writeFile(file, json(results));
  }
  process.stdout.write(table(results));
}

main().catch((error: Error) => {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
});
