import { splitStatements } from "../statements";
import { type Folder, readSql } from "./folder";
import { invalid } from "./invalid";
import { type Migration, inOrderOfNumbers, makeMigration } from "./migration";

const section = /^--\s*migrate:(up|down)\b(.*)$/;

interface UpPart {
  /** The file's text, with every line outside of its up parts empty. */
  readonly text: string;
  /** The lines of its up parts alone. */
  readonly own: string;
  readonly options: readonly string[];
  /** The line (from 1) of something that stands before the first part. */
  readonly stray: number | undefined;
}

/** What dbmate would run of a file; undefined: it has no `-- migrate:up`. */
export function readUpPart(text: string): UpPart | undefined {
  let inside: string | undefined;
  let stray: number | undefined;
  let found = false;
  const options: string[] = [];
  const own: string[] = [];
  const lines = text.split("\n").map((line, i) => {
    const [, part, rest = ""] = section.exec(line) ?? [];
    if (part) {
      inside = part;
      if (part === "up") options.push(...rest.trim().split(/\s+/).filter(Boolean));
      found ||= part === "up";
      return "";
    }
    if (!inside && line.trim() && !line.startsWith("--")) stray ??= i + 1;
    if (inside !== "up") return "";
    own.push(line);
    return line;
  });
  return found ? { text: lines.join("\n"), own: own.join("\n").trim(), options, stray } : undefined;
}

/**
 * dbmate's files, `<version>_<name>.sql`: what follows `-- migrate:up` is run, what follows `-- migrate:down` never. The
 * hash is of the up part alone, so that a down part can still be corrected.
 */
export function readDbmate(folder: Folder): Migration[] {
  return inOrderOfNumbers(folder, folder.files).map((name) => {
    const file = `${folder.shown}/${name}`;
    const up = readUpPart(readSql(folder, name).text);
    if (!up) {
      throw invalid(`"${file}" has no "-- migrate:up", which dbmate wants.`, "Write one above its SQL.");
    }
    if (up.stray !== undefined) {
      throw invalid(
        `"${file}", line ${up.stray}: dbmate runs nothing that stands before "-- migrate:up".`,
        "Move it below.",
      );
    }
    const wrong = up.options.find((option) => !/^transaction:(?:true|false)$/.test(option));
    if (wrong) {
      throw invalid(
        `"${file}" gives "-- migrate:up" an option that is not known here, "${wrong}".`,
        'The only one is "transaction:false".',
      );
    }
    const transaction = !up.options.includes("transaction:false");
    return makeMigration(folder, transaction ? up.own : `-- transaction:false\n${up.own}`, {
      id: name.slice(0, -4),
      name,
      statements: splitStatements(up.text),
      transaction,
      recorded: { tool: "dbmate", version: /^\d+/.exec(name)![0] },
    });
  });
}
