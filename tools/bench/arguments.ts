import { parseArgs } from "node:util";
import type { Row } from "./row";

export interface Arguments {
  readonly rows: Row[];
  /** Where the results go as JSON. */
  readonly file: string | undefined;
  readonly repetitions: number;
  readonly profile: string | undefined;
}

const USAGE = "npm run bench -- [--only NAME...] [--json FILE] [--repetitions N] [--profile FOLDER]";

/** Fails with one line that says what is wrong and what there is. */
export function readArguments(args: string[], all: readonly Row[]): Arguments {
  const options = {
    only: { type: "string", multiple: true },
    json: { type: "string" },
    repetitions: { type: "string", default: "3" },
    profile: { type: "string" },
  } as const;
  let parsed;
  try {
    parsed = parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    throw new Error(`${(error as Error).message.split(". ")[0]}. Usage: ${USAGE}`);
  }
  const { values, positionals } = parsed;
  // `--only a b`: what follows the first name belongs to it.
  if (positionals.length > 0 && !values.only) {
    throw new Error(`Unexpected "${positionals[0]}". Usage: ${USAGE}`);
  }
  const names = values.only && [...values.only, ...positionals];
  const unknown = names?.find((name) => !all.some((row) => row.name === name));
  if (unknown !== undefined) {
    throw new Error(`There is no row "${unknown}". Rows: ${all.map((row) => row.name).join(", ")}.`);
  }
  const repetitions = Number(values.repetitions);
  if (!Number.isInteger(repetitions) || repetitions < 1) {
    throw new Error(`--repetitions: "${values.repetitions}" is not a whole number from 1 on.`);
  }
  const rows = all.filter((row) => !names || names.includes(row.name));
  return { rows, file: values.json, repetitions, profile: values.profile };
}
