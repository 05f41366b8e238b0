import { createBatcher } from "../batch";
import { TenantryError } from "../platform/errors";
import type { Secured } from "../platform/life";
import type { Platform } from "../platform/platform";
import type { Row, Sql, SqlResult, SqlStatement } from "../platform/sql";
import {
  type Claim,
  type ClaimKind,
  type ClaimRequest,
  claimStatement,
  claimedStatement,
  grantedClaim,
  readClaim,
} from "./claim";
import { letGoOrTakeBack } from "./commands";
import { type Holding, claimFreeStatements, freeClaim, holdStatement } from "./many";
import { findMoves, movesTo } from "./move";
import { isBeingReaped, reapedMeanwhile } from "./reaping";
import { registrySchema } from "./schema";
import { missingRows, secureStatement, securedTable } from "./secured";
import { type Trash, findTrash, rememberStatement, spareStatement, spareUntil, trashTable } from "./trash";

/**
 * One group's registry, written ahead: an intent before a create, an id after it. Requests that arrive together travel
 * in one SQL batch, so a fleet pays a few calls. Every write first checks the fencing number: when a newer run of the
 * same stack has begun, nothing is written and the caller gets "superseded".
 */
export interface Registry {
  /** Records the intent to have a name and tells the claim as it now stands; it is ours if the incarnation is. */
  claim(request: ClaimRequest): Promise<Claim>;
  /** The same where nobody has the name and the request's addresses have none; undefined: nothing was written. */
  claimIfFree(request: ClaimRequest): Promise<Claim | undefined>;
  /** Records that the thing exists, and whether it did before we came. The claim's incarnation is from now on the one. */
  hold(claim: ClaimKey, databaseId: string, adopted: boolean): Promise<void>;
  /** Records which database an intent has become, where it is not held yet: whatever else has the name is not ours. */
  made(claim: ClaimKey, databaseId: string): Promise<void>;
  /** Makes an intent again of a claim whose database is gone and is about to be made anew. */
  reopen(claim: ClaimKey): Promise<void>;
  /** Follows a change of address, template or expiry. */
  amend(claim: ClaimKey, to: Amendment): Promise<void>;
  /** Records that a delete is about to begin. */
  deleting(claim: ClaimKey): Promise<void>;
  /** Records that a soft delete is about to begin, and what is to be put back when it is undone. */
  trashing(claim: ClaimKey, trash: Trash): Promise<void>;
  /** Records what is known of its rows, before it is deleted. */
  secured(databaseId: string, secured: Secured): Promise<void>;
  /** See secured.ts. */
  missingRows(platform: Platform, of: { readonly name: string; readonly databaseId: string }): MissingRows;
  /** Records that the database is in the trash. */
  trashed(claim: ClaimKey): Promise<void>;
  /** What there is to know of a database in the trash. */
  trash(name: string): Promise<Trash | undefined>;
  /** Keeps it from reapers for an hour. Fails with "not-ready" where one has begun. */
  spare(claim: ClaimKey): Promise<void>;
  /** Forgets a claim, if it is still this incarnation's. */
  release(claim: ClaimKey): Promise<void>;
  /**
   * Records that a database is not there any more. Not fenced: a refresh may only be looking while another run writes,
   * and must not overtake it.
   */
  gone(name: string, databaseId: string): Promise<void>;
  find(kind: ClaimKind, name: string): Promise<Claim | undefined>;
  /** Whether a reaper is deleting the database of a claim that is `reaping`, or was killed over it. */
  isBeingReaped(name: string): Promise<boolean>;
  /** The address to which this owner's claim was handed over on purpose; undefined where it was not, or is his again. */
  handedOver(of: Pick<Claim, "kind" | "name" | "owner">): Promise<string | undefined>;
  /** What was handed over to an address on purpose, unless it was taken there since: then it has another incarnation. */
  handedTo(kind: ClaimKind, address: string): Promise<Claim[]>;
  /** Every claim whose address begins with `organization/project/stack/`. */
  ofStack(stack: string): Promise<Claim[]>;
  all(): Promise<Claim[]>;
  /** This run's fencing number: higher than that of any run that began before. */
  run(): Promise<number>;
}

type MissingRows = ReturnType<typeof missingRows>;

/** Which row, and in which incarnation: a write of an older one meets none. */
export type ClaimKey = Pick<Claim, "kind" | "name" | "incarnation" | "standing">;

export interface Amendment {
  readonly address: string;
  readonly template: string | undefined;
  readonly tenant: string | undefined;
  readonly expiresAt: string | undefined;
}

/** False where a run died between making the registry's database and its tables: nothing was claimed there yet. */
export async function isLaidOut(sql: Sql): Promise<boolean> {
  const tables = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'claims'";
  return (await sql.execute({ sql: tables, args: [] }, { idempotent: true })).rows.length > 0;
}

/**
 * `stack` is `organization/project/stack`, whose runs are numbered. `begun`: this run's number, where it has one already;
 * default: it gets one with its first write.
 */
export function openRegistry(sql: Sql, stack: string, begun?: number): Registry {
  let number = begun === undefined ? undefined : Promise.resolve(begun);
  const run = (): Promise<number> => {
    number ??= beginRun(sql, stack);
    number.catch(() => (number = undefined));
    return number;
  };

  /** `each` statements for a request, in one transaction behind the fence; each request's last statement answers it. */
  const inBatches = <Request, Reply>(
    each: number,
    statements: (request: Request, run: number) => SqlStatement[],
    answer: (result: SqlResult, request: Request) => Reply | Error,
  ) =>
    createBatcher<Request, Reply>(
      async (requests) => {
        const mine = await run();
        const results = await fenced(
          sql,
          stack,
          mine,
          requests.flatMap((request) => statements(request, mine)),
        );
        return requests.map((request, i) => answer(results[(i + 1) * each - 1]!, request));
      },
      maxRequests(sql, each),
    );

  const find = inBatchesOfReads(sql);
  type Change = { claim: ClaimKey; sql: string; args: SqlStatement["args"]; must?: string };
  const change = inBatches<Change, void>(
    1,
    ({ claim, sql: text, args, must }) => [
      {
        sql: `${text} WHERE kind = ? AND name = ? AND incarnation = ?${must === undefined ? "" : " AND state <> 'reaping'"}`,
        args: [...args, claim.kind, claim.name, claim.standing ?? claim.incarnation],
      },
    ],
    ({ rowsAffected }, { claim, must }) =>
      must !== undefined && rowsAffected === 0 ? lostClaim(claim, must) : undefined,
  );

  const trashing = inBatches<{ claim: ClaimKey; trash: Trash }, void>(
    3,
    ({ claim: { kind, name, incarnation, standing }, trash }) => [
      { sql: trashTable, args: [] },
      rememberStatement(trash, standing ?? incarnation),
      {
        sql: "UPDATE claims SET state = 'deleting' WHERE kind = ? AND name = ? AND incarnation = ?",
        args: [kind, name, standing ?? incarnation],
      },
    ],
    () => undefined,
  );
  const secured = inBatches<{ databaseId: string; secured: Secured }, void>(
    2,
    ({ databaseId, secured: known }) => [{ sql: securedTable, args: [] }, secureStatement(databaseId, known)],
    () => undefined,
  );
  const spare = inBatches<ClaimKey, void>(
    1,
    ({ name, incarnation, standing }) => [spareStatement({ name, incarnation: standing ?? incarnation }, spareUntil())],
    ({ rowsAffected }, { name }) => (rowsAffected === 0 ? reapedMeanwhile(name) : undefined),
  );

  /** All requests of a batch by the same few statements. */
  const together = <Request, Reply>(
    statements: (requests: Request[], run: number) => SqlStatement[],
    answers: (result: SqlResult, requests: Request[]) => Reply[],
  ) =>
    createBatcher<Request, Reply>(async (requests) => {
      const mine = await run();
      const results = await fenced(sql, stack, mine, statements(requests, mine));
      return answers(results.at(-1)!, requests);
    });
  const claimFree = together<ClaimRequest, Claim | undefined>(claimFreeStatements, ({ rows }, requests) => {
    const keyOf = (of: Row): string => [of["kind"], of["name"], of["owner"], of["incarnation"]].join("\n");
    const open = new Set(rows.filter(({ state }) => state === "open").map(keyOf));
    return requests.map((request) => (open.has(keyOf({ ...request })) ? freeClaim(request) : undefined));
  });
  const holdAll = together<Holding, void>(
    (holdings) => [holdStatement(holdings)],
    (_, holdings) => holdings.map(() => undefined),
  );

  // Both ways to claim travel together.
  const claim = inBatches<ClaimRequest, { readonly stands: Claim | undefined }>(
    2,
    (request, mine) => [claimStatement(request, mine), claimedStatement(request)],
    ({ rows: [row] }, request) => ({ stands: row && grantedClaim(row, request) }),
  );

  return {
    run,
    async claim(request) {
      // What is on the platform already has a claim, as a rule; and so may the address of who keeps a name.
      const isLikelyFree = sql.jsonTables && !request.existed && !request.keepsName && !request.spared?.length;
      return (isLikelyFree && (await claimFree(request))) || (await claim(request)).stands!;
    },
    async claimIfFree(request) {
      if (sql.jsonTables) return claimFree(request);
      const { stands } = await claim({ ...request, keepsName: false, onlyIfFree: true });
      return stands?.state === "open" && stands.owner === request.owner ? stands : undefined;
    },
    hold: (claim, databaseId, adopted) =>
      sql.jsonTables
        ? holdAll({ claim, databaseId, adopted })
        : change({
            claim,
            sql: "UPDATE claims SET state = 'held', incarnation = ?, database_id = ?, adopted = ?",
            args: [claim.incarnation, databaseId, Number(adopted)],
          }),
    made: (claim, databaseId) => change({ claim, sql: "UPDATE claims SET database_id = ?", args: [databaseId] }),
    reopen: (claim) =>
      change({
        claim,
        sql: "UPDATE claims SET state = 'open', database_id = NULL, existed = 0, adopted = 0",
        args: [],
      }),
    amend: (claim, to) =>
      change({
        claim,
        sql: "UPDATE claims SET address = ?, template = ?, tenant = ?, expires_at = ?",
        args: [to.address, to.template ?? null, to.tenant ?? null, to.expiresAt ?? null],
        must: to.address,
      }),
    deleting: (claim) => change({ claim, sql: "UPDATE claims SET state = 'deleting'", args: [] }),
    trashing: (claim, trash) => trashing({ claim, trash }),
    trashed: (claim) => change({ claim, sql: "UPDATE claims SET state = 'trashed'", args: [] }),
    trash: (name) => findTrash(sql, name),
    secured: (databaseId, known) => secured({ databaseId, secured: known }),
    missingRows: (platform, of) => missingRows(platform, sql, of),
    spare,
    release: (claim) => change({ claim, sql: "DELETE FROM claims", args: [] }),
    gone: async (name, databaseId) => {
      const sqlText = `UPDATE claims SET state = 'gone'
        WHERE kind = 'database' AND name = ? AND database_id = ? AND state = 'held'`;
      await sql.execute({ sql: sqlText, args: [name, databaseId] }, { idempotent: true });
    },
    find: (kind, name) => find({ sql: "SELECT * FROM claims WHERE kind = ? AND name = ?", args: [kind, name] }),
    isBeingReaped: (name) => isBeingReaped(sql, name),
    handedOver: createBatcher<Pick<Claim, "kind" | "name" | "owner">, string | undefined>((of) => findMoves(sql, of)),
    handedTo: async (kind, address) => (await movesTo(sql, address)).filter((claim) => claim.kind === kind),
    ofStack: async (of) =>
      (
        await sql.execute(
          { sql: "SELECT * FROM claims WHERE substr(address, 1, ?) = ?", args: [of.length + 1, `${of}/`] },
          { idempotent: true },
        )
      ).rows.map(readClaim),
    all: async () =>
      (await sql.execute({ sql: "SELECT * FROM claims ORDER BY kind, name", args: [] }, { idempotent: true })).rows.map(
        readClaim,
      ),
  };
}

/** How many requests of so many statements fit into one transaction, behind its fence. */
const maxRequests = ({ maxStatements }: Sql, each: number): { readonly maxSize?: number } =>
  maxStatements === undefined ? {} : { maxSize: Math.min(200, Math.floor((maxStatements - 1) / each)) };

const lostClaim = (claim: ClaimKey, self: string): TenantryError =>
  new TenantryError(
    "not-owner",
    `${claim.name}: the registry has another owner, or another incarnation, for this ${claim.kind}.`,
    { fix: letGoOrTakeBack(claim, self) },
  );

const inBatchesOfReads = (sql: Sql) =>
  createBatcher<SqlStatement, Claim | undefined>(async (statements) => {
    const results = await sql.batch(statements, "read", { idempotent: true });
    return results.map((result) => (result.rows[0] ? readClaim(result.rows[0]) : undefined));
  });

/** Numbers follow the clock, so that those of a registry that was made anew, or of another group's, go on upwards. */
const secondsNow = "CAST(strftime('%s', 'now') AS INTEGER)";

/** Numbers a run, in the same trip that makes the tables of a new registry where `isNew`. Default: they are there. */
export async function beginRun(sql: Sql, stack: string, isNew = false): Promise<number> {
  const results = await sql.batch(
    [
      ...(isNew ? registrySchema : []),
      {
        sql: `INSERT INTO runs (stack, number) VALUES (?, (SELECT max(coalesce(max(number), 0) + 1, ${secondsNow}) FROM runs))
              ON CONFLICT (stack) DO UPDATE SET number = excluded.number`,
        args: [stack],
      },
      { sql: "SELECT number FROM runs WHERE stack = ?", args: [stack] },
    ],
    "write",
    { idempotent: true },
  );
  return Number(results.at(-1)!.rows[0]!["number"]);
}

/** Runs the statements in one transaction that fails as a whole when `mine` is no longer the stack's newest run. */
async function fenced(sql: Sql, stack: string, mine: number, statements: SqlStatement[]) {
  // NOT NULL does the refusing: a transaction cannot be made to fail by a SELECT.
  const fence = {
    sql: "UPDATE runs SET number = CASE WHEN number = ? THEN number END WHERE stack = ?",
    args: [mine, stack],
  };
  try {
    return (await sql.batch([fence, ...statements], "write", { idempotent: true })).slice(1);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes("runs.number")) throw error;
    throw new TenantryError("superseded", `A newer run on ${stack} has begun, so this one stopped writing.`, {
      fix: "Wait for the other run to end, then run `pulumi up` again.",
      cause: error,
    });
  }
}
