import type { Context } from "../../context";
import type { Deployments } from "../../platform/deployments";
import { SqlError, TenantryError } from "../../platform/errors";
import { randomId } from "../../random-id";
import { pendingMigrations } from "../plan";
import type { Migration } from "../source";
import type { Statement } from "../statements";
import { type Records, openRecords } from "./records";
import { deployable } from "./statements";

/** A line for the reader; a status is replaced by the next one. */
export type Say = (text: string, isStatus?: boolean) => void;

/** Another run may be at it for so long, in seconds; what was begun before that was killed. */
const patience = 120;

const opened = new WeakMap<Deployments, Promise<Records>>();

/** The records of what workspaces have had; made at first use. */
export function recordsOf(deployments: Deployments): Promise<Records> {
  const known = opened.get(deployments);
  if (known) return known;
  const opening = deployments.records().then(openRecords);
  opening.catch(() => opened.delete(deployments));
  opened.set(deployments, opening);
  return opening;
}

/**
 * Brings a blueprint to the last of the migrations, statement by statement, and deploys it to every tenant that has it.
 * Safe to repeat after a death at any line: what was begun and never known to end is looked up in the blueprint.
 *
 * Fails with "migration-failed" (file and line; what stands before it in the file is there, and the next run goes on
 * from it), "migration-invalid" or "already-exists" (a workspace of that name that is not ours).
 */
export async function deployTemplate(
  { platform }: Context,
  template: string,
  migrations: readonly Migration[],
  say: Say,
): Promise<void> {
  const deployments = platform.deployments!;
  // Before anything is written: a file that cannot be deployed leaves nothing half-done.
  const statements = new Map(migrations.map((one) => [one.id, deployable(one)]));
  const records = await recordsOf(deployments);
  await ensureSource(deployments, records, template);
  const applied = await records.migrations(template);
  const pending = pendingMigrations(applied, migrations, `template "${template}"`);
  for (const [i, migration] of pending.entries()) {
    for (const [seq, statement] of statements.get(migration.id)!.entries()) {
      await apply({ deployments, records, template, migration }, seq, statement);
    }
    const version = (await deployments.findSource(template))?.version;
    await records.applied(template, applied.length + i, migration, version);
    say(`${template}: ${migration.id} is in the workspace`);
  }
  const last = (await records.migrations(template)).at(-1)?.id;
  if (last !== undefined && (await records.deployed(template)) !== last) {
    await deployToAll(deployments, template, say);
    await records.setDeployed(template, last);
  }
}

/** Deploys what the workspace has; fails where it did not come to every tenant. */
export async function deployToAll(deployments: Deployments, template: string, say: Say): Promise<void> {
  let told = "";
  const onProgress = (completed: number, total: number | undefined): void => {
    const text = `${template}: deployed to ${completed} of ${total ?? "its"} tenants`;
    if (text !== told) say((told = text), true);
  };
  const { id, failures, failed } = await deployments.deploy(template, { onProgress });
  if (failures === 0) return;
  const named = failed.slice(0, 5).map(({ tenant, error }) => (error ? `${tenant} (${error})` : tenant));
  const more = failures > named.length ? `, and ${failures - named.length} more` : "";
  throw new TenantryError(
    "migration-failed",
    `schema: deployment "${id}" of blueprint "${template}" failed for ${failures} tenants: ${named.join(", ")}${named.length > 0 ? more : `deployment ${id} tells which`}.`,
    { fix: "Correct what stands in the way there, then run `pulumi up` again: it deploys to those that lack it." },
  );
}

/** The workspace, written down before it is made: afterwards it is ours, whatever became of the reply. */
async function ensureSource(deployments: Deployments, records: Records, template: string): Promise<void> {
  const isOurs = await records.isOurs(template);
  const found = await deployments.findSource(template);
  if (found && isOurs) return;
  if (found) {
    throw new TenantryError(
      "already-exists",
      `name: a workspace "${template}" exists already, and Tenantry did not make it.`,
      {
        fix: `Choose another name, or leave the SchemaTemplate out and refer to the blueprint: databases: [{ blueprint: "${template}" }].`,
      },
    );
  }
  if (isOurs && (await records.migrations(template)).length > 0) {
    throw new TenantryError(
      "needs-decision",
      `name: the workspace "${template}" was deleted, with the blueprint of its tenants.`,
      {
        fix: "Choose another name for the SchemaTemplate: a blueprint of the same name begins anew, and its tenants would not fit.",
      },
    );
  }
  await records.intend(template);
  try {
    await deployments.createSource(template);
  } catch (error) {
    const isThere = error instanceof TenantryError && error.code === "already-exists";
    if (isThere && error.afterLostReply) return;
    if (!(error instanceof TenantryError) || error.whose === "platform") throw error;
    await records.forget(template);
    throw error;
  }
}

interface Place {
  readonly deployments: Deployments;
  readonly records: Records;
  readonly template: string;
  readonly migration: Migration;
}

async function apply(place: Place, seq: number, { sql, line }: Statement): Promise<void> {
  const { deployments, records, template, migration } = place;
  const before = await records.statement(template, migration.id, seq);
  if (before && before.sql !== sql) throw rewritten(migration, line);
  if (before?.done) return;
  if (before) {
    if (before.age < patience) throw underWay(migration, line);
    // Killed, or its reply was lost: the blueprint says whether it took effect. An earlier one may have said the same.
    const [source, done] = await Promise.all([deployments.findSource(template), records.allDone(template)]);
    const count = (all: readonly string[] = []): number => all.filter((one) => plain(one) === plain(sql)).length;
    if (count(source?.statements) > count(done)) return records.done(template, migration.id, seq);
    await records.takeBack(template, migration.id, seq);
  }
  if (!(await records.begin(template, migration.id, seq, sql, randomId()))) throw underWay(migration, line);
  try {
    await deployments.apply(template, sql);
  } catch (error) {
    const known = error instanceof SqlError || (error instanceof TenantryError && !error.afterLostReply);
    // What was refused, or never left, is not in the workspace.
    if (known) await records.takeBack(template, migration.id, seq);
    throw error instanceof SqlError ? failed(migration, line, error) : error;
  }
  await records.done(template, migration.id, seq);
}

const plain = (sql: string): string =>
  sql
    .replace(/\s+/g, " ")
    .replace(/[;\s]+$/, "")
    .trim();

const failed = ({ file }: Migration, line: number, error: SqlError): TenantryError =>
  new TenantryError("migration-failed", `${file}:${line}: ${error.message.replace(/[.\s]+$/, "")}.`, {
    fix: "Correct it from there on (what stands before it in the file is done), then run `pulumi up` again.",
    cause: error,
  });

const rewritten = ({ file }: Migration, line: number): TenantryError =>
  new TenantryError("migration-invalid", `${file}:${line}: this statement was run already, and was another one then.`, {
    fix: "Put it back as it was, and write the change as a new migration.",
  });

const underWay = ({ file }: Migration, line: number): TenantryError =>
  new TenantryError("superseded", `${file}:${line}: another run is applying it.`, {
    fix: "Wait for it to end; if it was killed, run `pulumi up` again in two minutes.",
  });
