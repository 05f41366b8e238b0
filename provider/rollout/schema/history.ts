import type { Migration } from "../source";
import { observeConstraints } from "./constraints";
import type { Finding, Observation } from "./finding";
import { guessFindings } from "./guess";
import { observeLosses } from "./losses";
import { type SchemaModel, emptySchema } from "./model";
import { trackRows } from "./row-tracker";
import { type Scratch, openScratch } from "./scratch";
import { shapeOf } from "./statement-shape";
import { tokensOf } from "./tokens";

/** What a template's migrations make of an empty database, one after the other. */
export interface History {
  /** The schema after the migration of that index, from 0; -1 for the beginning. Undefined from a problem on. */
  modelAt(index: number): SchemaModel | undefined;
  /** In the order of migrations and lines. */
  readonly findings: readonly Finding[];
  /** Why the rest could not be run. Its findings, and those of all later migrations, are guessed. */
  readonly problem: HistoryProblem | undefined;
}

export interface HistoryProblem {
  readonly migration: string;
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** SQLite's words. */
  readonly message: string;
  /** "unknown-name": it builds on something that no migration makes. It may be there in databases that were not empty. */
  readonly reason: "unknown-name" | "refused";
}

/**
 * Runs the migrations on an empty SQLite in memory and looks at what becomes of each column. Only statements about the
 * schema are run, on tables without rows; what reads or changes rows is compiled, which finds wrong names, and its text
 * tells where the values go. So no query of a migration can take long, or reach anything outside.
 *
 * Findings are judged by a migration's outcome: renaming loses nothing, nor does making a table anew and copying all of
 * it; what a migration makes itself it may drop.
 */
export async function replayHistory(migrations: readonly Migration[]): Promise<History> {
  const scratch = await openScratch();
  try {
    return replay(scratch, migrations);
  } finally {
    scratch.close();
  }
}

function replay(scratch: Scratch, migrations: readonly Migration[]): History {
  const models: SchemaModel[] = [emptySchema];
  const findings: Finding[] = [];
  let problem: HistoryProblem | undefined;
  for (const migration of migrations) {
    const outcome = problem ? undefined : runMigration(scratch, migration, models.at(-1)!);
    if (outcome && "model" in outcome) {
      models.push(outcome.model);
      findings.push(...findingsOf(migration, outcome.observations));
    } else {
      problem ??= outcome;
      const guessed = findingsOf(migration, guessFindings(migration.statements));
      findings.push(...guessed.map((finding): Finding => ({ ...finding, guessed: true })));
    }
  }
  return { modelAt: (index) => models[index + 1], findings, problem };
}

function runMigration(
  scratch: Scratch,
  { id, file, statements, foreignKeys }: Migration,
  before: SchemaModel,
): { model: SchemaModel; observations: Observation[] } | HistoryProblem {
  const enforced = foreignKeys === "kept";
  const tracker = trackRows(scratch, before, enforced);
  scratch.enforceForeignKeys(enforced);
  scratch.run("BEGIN");
  for (const statement of statements) {
    try {
      tracker.apply(statement, shapeOf(statement.sql));
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      const reason = /no such (?:table|column|index|view|trigger)/.test(message) ? "unknown-name" : "refused";
      scratch.run("ROLLBACK");
      return { migration: id, file, line: statement.line, message, reason };
    }
  }
  scratch.run("COMMIT");
  scratch.forget();
  const model = scratch.schema();
  const observations = [...observeLosses(before, tracker), ...observeConstraints(before, model, tracker)];
  return { model, observations };
}

function findingsOf({ id, file }: Migration, observations: readonly Observation[]): Finding[] {
  const seen = new Set<string>();
  return observations
    .map(({ kind, what, statement }): Finding => ({
      migration: id,
      file,
      line: statement.line,
      kind,
      what,
      sql: statement.sql.slice(tokensOf(statement.sql)[0]?.start ?? 0),
    }))
    .filter(({ line, kind, what }) => {
      const key = `${line} ${kind} ${what}`;
      return !seen.has(key) && seen.add(key);
    })
    .sort((a, b) => a.line - b.line);
}
