import type { Row, SqlStatement } from "../platform/sql";
import { runtimePrefix } from "./runtime-address";

export type ClaimKind = "database" | "group";

/**
 * open: an intent, written before the platform is asked to create. held: the thing exists and has an owner.
 * deleting: a delete was begun. gone: a refresh found it missing. trashed: it was deleted softly, and can be
 * brought back. reaping: its end has come, and somebody is deleting it.
 */
export type ClaimState = "open" | "held" | "deleting" | "gone" | "trashed" | "reaping";

/** One row of the registry: who has, or is about to have, a name. */
export interface Claim {
  readonly kind: ClaimKind;
  readonly name: string;
  /** organization/project/stack/resource of whoever claimed it. */
  readonly address: string;
  readonly state: ClaimState;
  readonly owner: string;
  readonly incarnation: string;
  /** Another name that is held for the same address, where `claim` was asked for this one. */
  readonly elsewhere?: string;
  /** The incarnation that still stands in the row, where `hold` is to put the new one in its place. */
  readonly standing?: string;
  readonly databaseId: string | undefined;
  readonly existed: boolean;
  readonly defaultName: boolean;
  /** It existed before Tenantry had it, so destroying the stack leaves it. */
  readonly adopted: boolean;
  readonly template: string | undefined;
  readonly tenant: string | undefined;
  readonly expiresAt: string | undefined;
}

export interface ClaimRequest {
  readonly kind: ClaimKind;
  readonly name: string;
  /** Instead of `name`, what one of the addresses has under a name of our choosing, once it exists. Default: false. */
  readonly keepsName?: boolean;
  readonly address: string;
  /** Addresses that the same resource had before (Pulumi aliases). */
  readonly formerAddresses: readonly string[];
  /** Incarnations at these addresses that are another resource's by now, which the registry is only about to be told. */
  readonly spared?: readonly string[];
  /** Used when nobody has the name yet; otherwise the present owner is kept. */
  readonly owner: string;
  readonly incarnation: string;
  readonly existed: boolean;
  readonly defaultName: boolean;
  readonly template?: string;
  readonly tenant?: string;
  readonly expiresAt?: string;
  /** Take the name even from another owner, whose delete will then find that it has lost it. */
  readonly force: boolean;
  /** Take it from an application that made the database at run time: that is nobody's state. Default: false. */
  readonly takesRuntime?: boolean;
  /** Take it out of the trash, whoever put it there: what is there is in nobody's state. Default: false. */
  readonly restores?: boolean;
  /** Only where neither the name nor one of the addresses has a claim; default: false. */
  readonly onlyIfFree?: boolean;
}

/**
 * The intent, as one statement: a free name becomes ours; a name that has our address keeps its owner and history, and
 * what exists keeps its incarnation until the new one is held (or a run that fails in between would leave nobody able to
 * delete it); anybody else's stays untouched. Written again after a lost reply it changes nothing.
 */
export function claimStatement(request: ClaimRequest, run: number): SqlStatement {
  const ours = whatIsOurs(request);
  const name = nameOf(request);
  if (request.onlyIfFree) {
    return {
      sql: `${insertion}
            SELECT ?, ?, ?, 'open', ?, ?, ?, ?, ?, ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM claims WHERE kind = ? AND ${ours.sql})
            ON CONFLICT (kind, name) DO NOTHING`,
      args: [...rowOf(request, [request.name], run), request.kind, ...ours.args],
    };
  }
  return {
    sql: `${insertion}
          VALUES (?, ${name.sql}, ?, 'open', ?, ?, ?, ?, ?, ?, ?, ?)
          ON CONFLICT (kind, name) DO UPDATE SET
            owner = CASE WHEN ${ours.sql} THEN claims.owner ELSE excluded.owner END,
            incarnation = CASE WHEN claims.state = 'trashed' OR (${ours.sql} AND claims.state <> 'open')
                               THEN claims.incarnation ELSE excluded.incarnation END,
            existed = CASE WHEN claims.state = 'trashed' OR ${ours.sql} THEN claims.existed ELSE excluded.existed END,
            adopted = CASE WHEN claims.state = 'trashed' OR ${ours.sql} THEN claims.adopted ELSE 1 END,
            address = excluded.address, default_name = excluded.default_name,
            template = excluded.template, tenant = excluded.tenant, expires_at = excluded.expires_at, run = excluded.run
          WHERE claims.state <> 'reaping' AND (claims.state <> 'trashed' OR ${request.restores ? "TRUE" : "FALSE"})
            AND (${ours.sql} OR claims.state = 'trashed'${request.force ? " OR TRUE" : request.takesRuntime ? ` OR ${ofRuntime}` : ""})`,
    args: [
      ...rowOf(request, name.args, run),
      // Owner, incarnation, existed, adopted, and the condition.
      ...Array.from({ length: 5 }, () => ours.args).flat(),
    ],
  };
}

const insertion = `INSERT INTO claims
  (kind, name, address, state, owner, incarnation, existed, default_name, template, tenant, expires_at, run)`;

const rowOf = (request: ClaimRequest, name: SqlStatement["args"], run: number): SqlStatement["args"] => [
  ...[request.kind, ...name, request.address, request.owner, request.incarnation, Number(request.existed)],
  ...[Number(request.defaultName), request.template ?? null, request.tenant ?? null, request.expiresAt ?? null, run],
];

/** Not while the application is about to erase the database. */
const ofRuntime = `(claims.address LIKE '${runtimePrefix}%' AND claims.state <> 'deleting')`;

/** The row that the intent was about, for the same transaction: it names the same one before and after the intent. */
export function claimedStatement(request: ClaimRequest): SqlStatement {
  const name = nameOf(request);
  const elsewhere = `SELECT other.name FROM claims AS other WHERE other.kind = claims.kind AND other.address = ?
    AND other.name <> claims.name AND other.state = 'held' LIMIT 1`;
  return {
    sql: `SELECT *, (${elsewhere}) AS elsewhere FROM claims WHERE kind = ? AND name = ${name.sql}`,
    args: [request.address, request.kind, ...name.args],
  };
}

/** Looked up where it is written: a look of its own would be one more round trip for every new tenant. */
function nameOf(request: ClaimRequest): SqlStatement {
  if (!request.keepsName) return { sql: "?", args: [request.name] };
  const ours = whatIsOurs(request);
  return {
    sql: `coalesce((SELECT claims.name FROM claims
                    WHERE claims.kind = ? AND claims.default_name = 1 AND claims.state <> 'open' AND ${ours.sql}
                    ORDER BY claims.address <> ?, claims.name LIMIT 1), ?)`,
    args: [request.kind, ...ours.args, request.address, request.name],
  };
}

function whatIsOurs({ address, formerAddresses, spared = [] }: ClaimRequest): SqlStatement {
  const addresses = [address, ...formerAddresses];
  const within = (column: string, values: readonly string[], not = "") =>
    `claims.${column} ${not}IN (${values.map(() => "?").join(", ")})`;
  return {
    sql: `(${within("address", addresses)}${spared.length > 0 ? ` AND ${within("incarnation", spared, "NOT ")}` : ""})`,
    args: [...addresses, ...spared],
  };
}

/** The claim as its claimant sees it: it is his if the incarnation is the one that he asked for. */
export function grantedClaim(row: Row, request: ClaimRequest): Claim {
  const { elsewhere } = row;
  const claim = { ...readClaim(row), ...(typeof elsewhere === "string" ? { elsewhere } : {}) };
  const theirs = claim.address !== request.address || request.spared?.includes(claim.incarnation);
  if (theirs || claim.incarnation === request.incarnation) return claim;
  return { ...claim, incarnation: request.incarnation, standing: claim.incarnation };
}

export function readClaim(row: Row): Claim {
  const text = (key: string): string | undefined => (row[key] === null ? undefined : String(row[key]));
  return {
    kind: row["kind"] as ClaimKind,
    name: String(row["name"]),
    address: String(row["address"]),
    state: row["state"] as ClaimState,
    owner: String(row["owner"]),
    incarnation: String(row["incarnation"]),
    databaseId: text("database_id"),
    existed: Number(row["existed"]) === 1,
    defaultName: Number(row["default_name"]) === 1,
    adopted: Number(row["adopted"]) === 1,
    template: text("template"),
    tenant: text("tenant"),
    expiresAt: text("expires_at"),
  };
}
