import type { Access, Platform } from "../platform/platform";
import { type Row, type Sql, openSql } from "../platform/sql";
import { type Claim, readClaim } from "./claim";

/** Enough for a look at one table and a batch. In seconds. */
const tokenLifetime = 300;

/** A claim as it stands in the registry, with the number of the run that wrote it last. */
export interface RecordedClaim extends Claim {
  readonly run: number;
}

/** Opens a group's registry for `use`, with a token of its own that is soon over. `database` is the registry's. */
export async function withRegistrySql<Result>(
  options: {
    readonly platform: Platform;
    readonly group: string;
    readonly database: { readonly name: string; readonly hostname: string };
    readonly access: Access;
  },
  use: (sql: Sql) => Promise<Result>,
): Promise<Result> {
  const { platform, group, database, access } = options;
  const mint = async (): Promise<string> =>
    (await platform.mintToken({ group }, { access, lifetime: tokenLifetime })).token;
  const url = platform.databaseUrl(database);
  let token: Promise<string> | undefined;
  const sql =
    platform.openSql?.({ name: database.name, url }, { access }) ??
    openSql({
      url,
      comesBack: platform.capabilities.comesBack,
      token: (refused) => (refused ? (token = mint()) : (token ??= mint())),
    });
  try {
    return await use(sql);
  } finally {
    sql.close();
  }
}

/** Every claim there is. Fails with an SqlError where the tables are not laid out yet. */
export async function inspectClaims(sql: Sql): Promise<RecordedClaim[]> {
  const text = "SELECT * FROM claims ORDER BY kind, name";
  return (await sql.execute({ sql: text, args: [] }, { idempotent: true })).rows.map(recorded);
}

export const recorded = (row: Row): RecordedClaim => ({ ...readClaim(row), run: Number(row["run"]) });

/**
 * When the run began that wrote the claim last, since runs are numbered by the clock; undefined for a number that can
 * be none of this clock's. `now` in ms.
 */
export function begunAt({ run }: { readonly run: number }, now = Date.now()): Date | undefined {
  const year2020 = 1_577_836_800;
  const aDay = 86_400;
  return run > year2020 && run < now / 1000 + aDay ? new Date(run * 1000) : undefined;
}
