import type { SqlStatement } from "../platform/sql";
import type { Claim, ClaimRequest } from "./claim";

// Thousands of tenants are claimed and held at once. As a statement each, with a dozen arguments, they took the longer
// part of what a fleet's run computes, here and in the database; as one JSON text for all of them, next to nothing.

/** What `hold` records. */
export interface Holding {
  readonly claim: Pick<Claim, "kind" | "name" | "incarnation" | "standing">;
  readonly databaseId: string;
  readonly adopted: boolean;
}

const field = (of: string, at: number): string => `json_extract(${of}.value, '$[${at}]')`;

/**
 * Claims each name that nobody has, for addresses that have none; all else stays as it is. The second statement answers
 * with who has all names now. Sent again after a lost reply they change nothing and answer the same.
 */
export function claimFreeStatements(requests: readonly ClaimRequest[], run: number): [SqlStatement, SqlStatement] {
  const rows = requests.map((request) => [
    ...[request.kind, request.name, request.address, request.owner, request.incarnation],
    ...[Number(request.existed), Number(request.defaultName)],
    ...[request.template ?? null, request.tenant ?? null, request.expiresAt ?? null],
    [request.address, ...request.formerAddresses],
  ]);
  const values = Array.from({ length: 10 }, (_, at) => field("asked", at));
  values.splice(3, 0, "'open'");
  const sql = `INSERT INTO claims
      (kind, name, address, state, owner, incarnation, existed, default_name, template, tenant, expires_at, run)
    SELECT ${values.join(", ")}, ? FROM json_each(?) AS asked
    WHERE NOT EXISTS (SELECT 1 FROM claims AS ours WHERE ours.kind = ${field("asked", 0)}
      AND ours.address IN (SELECT address.value FROM json_each(asked.value, '$[10]') AS address))
    ON CONFLICT (kind, name) DO NOTHING`;
  const names = requests.map(({ kind, name }) => [kind, name]);
  return [
    { sql, args: [run, JSON.stringify(rows)] },
    {
      sql: `SELECT claims.kind, claims.name, claims.state, claims.owner, claims.incarnation FROM json_each(?) AS asked
            CROSS JOIN claims ON claims.kind = ${field("asked", 0)} AND claims.name = ${field("asked", 1)}`,
      args: [JSON.stringify(names)],
    },
  ];
}

/** The claim as it stands where the request's name and addresses were free. */
export const freeClaim = (request: ClaimRequest): Claim => ({
  ...{ kind: request.kind, name: request.name, address: request.address, state: "open" },
  ...{ owner: request.owner, incarnation: request.incarnation, databaseId: undefined },
  ...{ existed: request.existed, defaultName: request.defaultName, adopted: false },
  ...{ template: request.template, tenant: request.tenant, expiresAt: request.expiresAt },
});

/** Records each claim's database, where the row is still of the incarnation that the claim knows. */
export function holdStatement(holdings: readonly Holding[]): SqlStatement {
  const rows = holdings.map(({ claim: { kind, name, incarnation, standing }, databaseId, adopted }) => [
    ...[kind, name, standing ?? incarnation, incarnation, databaseId, Number(adopted)],
  ]);
  const columns = ["kind", "name", "standing", "incarnation", "database_id", "adopted"];
  return {
    sql: `UPDATE claims SET state = 'held', incarnation = held.incarnation, database_id = held.database_id,
            adopted = held.adopted
          FROM (SELECT ${columns.map((name, at) => `${field("row", at)} AS ${name}`).join(", ")} FROM json_each(?) AS row) AS held
          WHERE claims.kind = held.kind AND claims.name = held.name AND claims.incarnation = held.standing`,
    args: [JSON.stringify(rows)],
  };
}
