import { SqlError } from "../platform/errors";
import type { Sql, SqlStatement } from "../platform/sql";
import { randomId } from "../random-id";
import { stackOf } from "./commands";
import { type RecordedClaim, recorded } from "./inspect";

/**
 * Hand-overs on purpose, written before the `pulumi up` that performs them. Each leaves a row that says from whom the
 * claim went, so that this one's delete and updates leave the database alone, in whatever order the engine works and
 * however often they are repeated. Whoever has the claim never needs it; it stays, one for each address that a name had.
 */
const table = `CREATE TABLE IF NOT EXISTS hand_overs (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  address TEXT NOT NULL,            -- who had it
  owner TEXT NOT NULL,              -- as that one's state says
  incarnation TEXT NOT NULL,
  database_id TEXT NOT NULL,
  default_name INTEGER NOT NULL,
  to_address TEXT NOT NULL,
  to_incarnation TEXT NOT NULL,     -- while it is the claim's, nobody has taken it there yet
  returned INTEGER NOT NULL,        -- it went back to who had it before, and may still be in that one's state
  PRIMARY KEY (kind, name, address)) WITHOUT ROWID`;

export interface Move {
  /** As it was read; held. */
  readonly claim: RecordedClaim;
  readonly address: string;
}

/** In one transaction; larger ones would be larger requests for nothing. */
const batch = 2_000;

/**
 * Writes the hand-overs of claims that still stand as they were read, to addresses that have no other; runs at work for
 * the former holders are overtaken. Whoever gets back what he had before has it as before, so that his state fits.
 * Answers the claims that were not handed over, because somebody changed them or took the address meanwhile.
 */
export async function writeMoves(sql: Sql, moves: readonly Move[]): Promise<RecordedClaim[]> {
  const left: RecordedClaim[] = [];
  for (let at = 0; at < moves.length; at += batch) left.push(...(await writeBatch(sql, moves.slice(at, at + batch))));
  return left;
}

async function writeBatch(sql: Sql, moves: readonly Move[]): Promise<RecordedClaim[]> {
  const rows = moves.map(({ claim, address }) => ({
    ...{ kind: claim.kind, name: claim.name, address: claim.address, owner: claim.owner, run: claim.run },
    ...{ incarnation: claim.incarnation, database_id: claim.databaseId, stack: stackOf(claim.address) },
    ...{ to_address: address, to_owner: randomId(), to_incarnation: randomId() },
  }));
  const given = JSON.stringify(rows);
  const statement = (text: string): SqlStatement => ({ sql: `WITH ${due} ${text}`, args: [given] });
  const results = await sql.batch(
    [
      table,
      statement(`UPDATE runs SET number = max(number + 1, CAST(strftime('%s', 'now') AS INTEGER))
                 WHERE stack IN (SELECT stack FROM due)`),
      statement(`INSERT INTO hand_overs (kind, name, address, owner, incarnation, database_id, default_name, to_address,
                     to_incarnation, returned)
                   SELECT kind, name, address, owner, incarnation, database_id, default_name, to_address,
                          coalesce(back_incarnation, to_incarnation), is_back FROM due WHERE NOT is_open
                   ON CONFLICT (kind, name, address) DO UPDATE SET owner = excluded.owner,
                     incarnation = excluded.incarnation, database_id = excluded.database_id,
                     default_name = excluded.default_name, to_address = excluded.to_address,
                     to_incarnation = excluded.to_incarnation, returned = excluded.returned`),
      // Who was to have it and never did is in no state: what goes on from there goes on from the one before.
      statement(`UPDATE hand_overs SET to_address = due.to_address,
                   to_incarnation = coalesce(due.back_incarnation, due.to_incarnation),
                   returned = due.is_back
                 FROM due WHERE due.is_open AND hand_overs.kind = due.kind AND hand_overs.name = due.name
                   AND hand_overs.to_incarnation = due.incarnation`),
      statement(`UPDATE claims SET address = due.to_address,
                   owner = coalesce(due.back_owner, due.to_owner),
                   incarnation = coalesce(due.back_incarnation, due.to_incarnation),
                   default_name = coalesce(due.back_default_name, 1)
                 FROM due WHERE claims.kind = due.kind AND claims.name = due.name`),
      `DELETE FROM hand_overs WHERE EXISTS (SELECT 1 FROM claims WHERE claims.kind = hand_overs.kind
         AND claims.name = hand_overs.name AND claims.owner = hand_overs.owner)`,
      {
        sql: `SELECT claims.*, claims.address = moves.value ->> 'to_address' AS moved FROM json_each(?) AS moves
              JOIN claims ON claims.kind = moves.value ->> 'kind' AND claims.name = moves.value ->> 'name'`,
        args: [given],
      },
    ],
    "write",
    { idempotent: true },
  );
  const stand = new Map(results.at(-1)!.rows.map((row) => [`${row["kind"]} ${row["name"]}`, row]));
  return moves.flatMap(({ claim }) => {
    const row = stand.get(`${claim.kind} ${claim.name}`);
    return row && Number(row["moved"]) === 1 ? [] : [row ? recorded(row) : claim];
  });
}

/** The moves whose claims stand as they were read, each beside what its successor had before, where he did. */
const due = `moves AS (SELECT value ->> 'kind' AS kind, value ->> 'name' AS name, value ->> 'address' AS address,
    value ->> 'owner' AS owner, value ->> 'incarnation' AS incarnation, value ->> 'database_id' AS database_id,
    CAST(value ->> 'run' AS INTEGER) AS run, value ->> 'stack' AS stack, value ->> 'to_address' AS to_address,
    value ->> 'to_owner' AS to_owner, value ->> 'to_incarnation' AS to_incarnation
  FROM json_each(?)),
due AS (SELECT moves.*, claims.default_name, back.owner AS back_owner, back.incarnation AS back_incarnation,
    back.default_name AS back_default_name, CASE WHEN back.owner IS NULL THEN 0 ELSE 1 END AS is_back,
    EXISTS (SELECT 1 FROM hand_overs AS untaken WHERE untaken.kind = moves.kind AND untaken.name = moves.name
      AND untaken.to_address = moves.address AND untaken.to_incarnation = moves.incarnation AND untaken.returned = 0) AS is_open
  FROM moves JOIN claims ON claims.kind = moves.kind AND claims.name = moves.name AND claims.state = 'held'
    AND claims.address = moves.address AND claims.owner = moves.owner AND claims.incarnation = moves.incarnation
    AND claims.database_id = moves.database_id AND claims.run = moves.run
  LEFT JOIN hand_overs AS back ON back.kind = moves.kind AND back.name = moves.name
    AND back.address = moves.to_address AND back.database_id = moves.database_id
  WHERE NOT EXISTS (SELECT 1 FROM claims AS other
    WHERE other.kind = moves.kind AND other.address = moves.to_address AND other.name <> moves.name))`;

/** Of each subject, the address that has what was handed over from that owner; undefined where nothing was. */
export async function findMoves(
  sql: Sql,
  subjects: readonly { readonly kind: string; readonly name: string; readonly owner: string }[],
): Promise<(string | undefined)[]> {
  const text = `SELECT coalesce(claims.address, hand_overs.to_address) AS address FROM hand_overs
    LEFT JOIN claims ON claims.kind = hand_overs.kind AND claims.name = hand_overs.name
    WHERE hand_overs.kind = ? AND hand_overs.name = ? AND hand_overs.owner = ? AND claims.owner IS NOT hand_overs.owner`;
  const statements = subjects.map(({ kind, name, owner }) => ({ sql: text, args: [kind, name, owner] }));
  return withoutTable(
    async () =>
      (await sql.batch(statements, "read", { idempotent: true })).map(
        ({ rows: [row] }) => row && String(row["address"]),
      ),
    subjects.map(() => undefined),
  );
}

/** The hand-overs that nobody has taken yet, and can be taken back: the claim, and the address that had it. */
export async function openMoves(sql: Sql): Promise<{ claim: RecordedClaim; from: string }[]> {
  return untaken(sql, "hand_overs.returned = 0");
}

/** What was handed over, or back, to an address: whether somebody has taken it there, only a state tells. */
export async function movesTo(sql: Sql, address: string): Promise<RecordedClaim[]> {
  return (await untaken(sql, "claims.address = ?", address)).map(({ claim }) => claim);
}

async function untaken(sql: Sql, which: string, ...args: string[]): Promise<{ claim: RecordedClaim; from: string }[]> {
  const text = `SELECT claims.*, hand_overs.address AS came_from FROM hand_overs JOIN claims
    ON claims.kind = hand_overs.kind AND claims.name = hand_overs.name AND claims.state = 'held'
      AND claims.incarnation = hand_overs.to_incarnation AND claims.address = hand_overs.to_address
    WHERE ${which} ORDER BY claims.kind, claims.name`;
  return withoutTable(async () => {
    const { rows } = await sql.execute({ sql: text, args }, { idempotent: true });
    return rows.map((row) => ({ claim: recorded(row), from: String(row["came_from"]) }));
  }, []);
}

/** Where nothing was ever handed over, there is no table. */
async function withoutTable<Result>(look: () => Promise<Result>, none: Result): Promise<Result> {
  try {
    return await look();
  } catch (error) {
    if (error instanceof SqlError && error.message.includes("no such table: hand_overs")) return none;
    throw error;
  }
}
