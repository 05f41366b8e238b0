import { isDeepStrictEqual } from "node:util";
import type { Context } from "../../context";
import { TenantryError } from "../../platform/errors";
import { type MigrationRef, digestOf } from "../../rollout/source";
import { templateMigrations } from "../../rollout/template-source";
import type { Diff } from "../handler";
import { requireKnownScope } from "../scope";
import { hasMoved } from "../self";
import { hasUnknown } from "../unknown";
import { configurationChange, declaredConfiguration, desiredConfiguration } from "./configuration";
import { type TenantDatabaseInputs, schemaOf } from "./inputs";
import type { TenantDatabaseOutputs } from "./outputs";
import { changesParts, otherParts, partsOf, placingNote, placingOf } from "./parts";
import { pendingRestore, restoreNote } from "./restore-from";

/** Inputs that only have to be in state to be in force: a change of them costs no call to the platform. */
const recorded = [
  "tenant",
  "deletionPolicy",
  "gracePeriod",
  "onReplace",
  "expiresIn",
  "expiresAt",
  "timeouts",
  "connection",
] as const;

/** Observed against desired, without I/O. */
export function diffTenantDatabase(olds: TenantDatabaseOutputs, news: TenantDatabaseInputs, context: Context): Diff {
  if (!changesConnection(olds, news)) requireKnownScope(context, olds.scope);
  context.incarnations.add(olds.incarnation);
  if (hasMoved(olds, news)) context.moves.set(olds.self, { to: news.self, incarnation: olds.incarnation });
  if (olds.status === "expired" && !differs(desiredRecord(news, olds).expiresAt, olds.expiresAt)) {
    return { changes: false, note: `${olds.name}: expired at ${olds.expiresAt}; it is gone, and is not made anew` };
  }
  // A token's diff compares: its own state may be of a database that was replaced when the run broke off.
  if (olds.status === "ready") context.identities.set(olds.name, olds.databaseId);
  const move = whatMoves(olds, news, context);
  if (move) {
    const decided = decide(olds, news, move);
    if (decided) return decided;
    requireMovable(olds, news, context);
  }
  const known = !(["databases", "isolation", "region", "schema"] as const).some((key) => hasUnknown(news[key]));
  const several = known && context.platform.capabilities.severalDatabases;
  if (several && changesParts(olds, news)) {
    if (news.onReplace !== "destroy") throw otherParts(olds, news);
    return { changes: true, replaces: ["databases"], deleteBeforeReplace: true };
  }
  const placing = several ? placingNote(olds.name, placingOf(olds, news)) : undefined;
  const isDeployed = context.platform.capabilities.schemas === "deployments";
  const pending = pendingRestore(olds, news);
  const restoring = pending && restoreNote(pending, olds.name);
  const note = restoring ?? placing ?? (isDeployed ? undefined : migrationNote(olds, news));
  const changes =
    pending !== undefined ||
    move !== undefined ||
    (several && !isDeepStrictEqual(partsOf(news), partsOf(olds))) ||
    Object.values(news).some(hasUnknown) ||
    note !== undefined ||
    !sameSchema(olds, news) ||
    configurationChange(declaredConfiguration(olds), desiredConfiguration(news, olds)) !== undefined ||
    (news.suspended !== undefined && news.suspended !== olds.suspended) ||
    recorded.some((key) => differs(desiredRecord(news, olds)[key], olds[key])) ||
    // On the way through the engine, their order is lost.
    !isDeepStrictEqual(news.labels ?? {}, olds.labels ?? {}) ||
    hasMoved(olds, news) ||
    (olds.status === "ready" && olds.url !== context.platform.databaseUrl(olds));
  return { changes, note };
}

export type Moved = "name" | "group" | "connection";

/** Name, group or connection, if it changes; the platform can do none in place. */
export function whatMoves(
  olds: TenantDatabaseOutputs,
  news: TenantDatabaseInputs,
  { knownScope }: Pick<Context, "knownScope">,
): Moved | undefined {
  if (changesConnection(olds, news) && knownScope !== olds.scope) return "connection";
  // A default name that was kept from an earlier resource name is no change.
  const bothDefault = news.nameIsDefault === true && olds.nameIsDefault === true;
  if (!hasUnknown(news.group) && news.group !== olds.group) return "group";
  if (!bothDefault && !hasUnknown(news.name) && news.name !== olds.name) return "name";
  return undefined;
}

/** Two connections may lead to one place: whether they do, only the platforms tell. */
const changesConnection = (olds: TenantDatabaseOutputs, news: TenantDatabaseInputs): boolean =>
  !hasUnknown(news.connection) && differs(news.connection, olds.connection);

/** Undefined: it is copied, in update. */
export function decide(olds: TenantDatabaseOutputs, news: TenantDatabaseInputs, move: Moved): Diff | undefined {
  if (news.onReplace === "destroy") {
    // In the trash it keeps its name, which the new one needs.
    if (move === "group" && news.name === olds.name && olds.deletionPolicy === "soft") {
      throw new TenantryError(
        "needs-decision",
        `group: changing it from "${olds.group}" to "${news.group}" needs the name "${olds.name}", which the database would keep in the trash.`,
        { fix: `Give it another name too, or set deletionPolicy: "delete" and run \`pulumi up\` first.` },
      );
    }
    // Names are unique in an organization, so a database of the same name must go first.
    return { changes: true, replaces: [move], deleteBeforeReplace: move === "group" && news.name === olds.name };
  }
  if (news.onReplace === "copy") return undefined;
  const [from, to] = [olds[move], news[move]].map((one) => (one === undefined ? "the stack's own" : `"${one}"`));
  throw new TenantryError(
    "needs-decision",
    `${move}: changing it from ${from} to ${to} would replace the database and its data.`,
    {
      fix: 'Set it back, or decide with onReplace: "copy" (copy, verify, switch, retire) or onReplace: "destroy" (a new, empty database).',
    },
  );
}

/**
 * Both must be SQLite, and its writes must be blocked while it is copied, or what is written meanwhile would be lost.
 * (PostgreSQL and others have dumps of their own.)
 */
function requireMovable(olds: TenantDatabaseOutputs, news: TenantDatabaseInputs, context: Context): void {
  const { platform } = changesConnection(olds, news) ? context.beside(olds.connection) : context;
  const other = [platform, context.platform].find(({ capabilities }) => !capabilities.dialects.includes("sqlite"));
  if (other) {
    throw new TenantryError(
      "unsupported",
      `onReplace: the tenants of ${other.name} are no SQLite databases, so ${olds.name} cannot be copied.`,
      { fix: "Declare a new tenant beside it, and carry the rows over with the tools of its engine." },
    );
  }
  if (platform.capabilities.block) return;
  throw new TenantryError(
    "unsupported",
    `onReplace: ${platform.name} cannot block a database's writes, so ${olds.name} cannot be copied without losing some.`,
    { fix: "Stop what writes, declare a new tenant beside it, and carry the rows over yourself." },
  );
}

/** Under a rollout, state holds the version of its last refresh: what is behind by then is the rollout's to say. */
function sameSchema(olds: TenantDatabaseOutputs, news: TenantDatabaseInputs): boolean {
  const schema = schemaOf(news);
  return olds.schema === news.schema && (schema?.rollout === true || olds.schemaVersion === schema?.version);
}

/** What `up` would apply to this database, by name. */
function migrationNote(olds: TenantDatabaseOutputs, news: TenantDatabaseInputs): string | undefined {
  const schema = hasUnknown(news.schema) ? undefined : schemaOf(news);
  if (!schema || schema.rollout || olds.schema === news.schema || olds.status === "expired") return undefined;
  const migrations = templateMigrations(schema);
  const had = migrations.findIndex((one) => one.id === olds.schemaVersion) + 1;
  requireSameHistory(olds, migrations.slice(0, had));
  const pending = migrations.slice(had).map((one) => one.id);
  if (pending.length === 0) return undefined;
  return `${olds.name}: ${olds.schemaVersion ?? "no schema"} -> ${schema.version}; to apply: ${pending.join(", ")}`;
}

/**
 * The files that the database has had must be as they were, which the old ref's digest tells without asking it. (Where
 * the old ref was never reached, the ledger tells when it is migrated.)
 */
function requireSameHistory(olds: TenantDatabaseOutputs, declared: readonly MigrationRef[]): void {
  const before = schemaOf(olds);
  if (!before || before.version !== olds.schemaVersion || digestOf(declared) === before.digest) return;
  throw new TenantryError(
    "migration-invalid",
    `schema: ${olds.name} has had the migrations up to ${olds.schemaVersion}, and these were edited, removed or put in ` +
      `another order since (digest then ${before.digest}, now ${digestOf(declared)}).`,
    { fix: "Put the applied files back as they were and write the change as a new migration." },
  );
}

/** An expiry given as a lifetime is fixed when it is first seen; afterwards only a change of the lifetime moves it. */
function desiredRecord(news: TenantDatabaseInputs, olds: TenantDatabaseOutputs): TenantDatabaseInputs {
  return news.expiresIn !== undefined && news.expiresIn === olds.expiresIn
    ? { ...news, expiresAt: olds.expiresAt }
    : news;
}

const differs = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) !== JSON.stringify(b ?? null);
