import { systemClock } from "../http/clock";
import { TenantryError } from "../platform/errors";
import type { Sql } from "../platform/sql";
import { randomId } from "../random-id";

/**
 * One at a time changes the branches of a pull request: pushes that come close together make one set, and a `down` ends the
 * `up` that is under way. Who holds the lease says so every few seconds; of one that died it is anybody's after a minute.
 */
const table = `CREATE TABLE IF NOT EXISTS preview_leases (
  of TEXT PRIMARY KEY,              -- preview/<repository>/<number>
  holder TEXT NOT NULL,             -- random
  beat INTEGER NOT NULL,            -- seconds, by the registry's own clock
  closing INTEGER NOT NULL DEFAULT 0  -- somebody takes the branches down
) WITHOUT ROWID`;

const now = "CAST(strftime('%s', 'now') AS INTEGER)";
const write = { idempotent: true };

/** In seconds. */
const life = 60;
/** In ms. Who has not been heard for `trusted` stops by itself, long before another one begins. */
const beatEvery = 3_000;
const trusted = 40_000;
const lookEvery = 1_000;

export interface Lease {
  /** Fails with "cancelled" where the branches are taken down meanwhile, and with "superseded" where the lease is lost. */
  check(): void;
}

export interface LeaseOptions {
  /** Of people's words, such as "owner/name#42". */
  readonly title: string;
  /** Ends whoever holds it now. Default false. */
  readonly closes?: boolean;
  /** How long to wait for another one to end, in ms. Default a quarter of an hour. */
  readonly patience?: number;
  /** Told once that another one is waited for. */
  readonly onWait?: () => void;
}

/** Does `work` while nobody else changes those branches. Fails with "not-ready" where another one does not come to its end. */
export async function withLease<Result>(
  sql: Sql,
  of: string,
  { title, closes = false, patience = 900_000, onWait = () => {} }: LeaseOptions,
  work: (lease: Lease) => Promise<Result>,
): Promise<Result> {
  const holder = randomId();
  const until = systemClock.now() + patience;
  let waited = false;
  while (!(await take(sql, of, holder, closes))) {
    if (systemClock.now() > until || systemClock.cancelled.aborted) throw busy(title);
    if (!waited) onWait();
    waited = true;
    await systemClock.sleep(lookEvery);
  }
  let heard = systemClock.now();
  let stopped: TenantryError | undefined;
  const beat = async (): Promise<void> => {
    const asked = systemClock.now();
    const standing = await look(sql, of, holder).catch(() => undefined);
    if (standing === undefined) return;
    heard = asked;
    if (standing === "lost") stopped = lost(title);
    if (standing === "closing" && !closes) stopped = closing(title);
  };
  const timer = setInterval(() => void beat(), beatEvery);
  try {
    return await work({
      check: () => {
        if (stopped) throw stopped;
        if (systemClock.now() - heard > trusted) throw lost(title);
      },
    });
  } finally {
    clearInterval(timer);
    const release = { sql: "DELETE FROM preview_leases WHERE of = ? AND holder = ?", args: [of, holder] };
    await sql.batch([release], "write", write).catch(() => undefined);
  }
}

async function take(sql: Sql, of: string, holder: string, closes: boolean): Promise<boolean> {
  const results = await sql.batch(
    [
      table,
      {
        sql: `INSERT INTO preview_leases (of, holder, beat) VALUES (?, ?, ${now})
              ON CONFLICT (of) DO UPDATE SET holder = excluded.holder, beat = excluded.beat, closing = 0
              WHERE preview_leases.beat <= ${now} - ${life} OR preview_leases.holder = excluded.holder`,
        args: [of, holder],
      },
      {
        sql: "UPDATE preview_leases SET closing = 1 WHERE of = ? AND holder <> ? AND ?",
        args: [of, holder, Number(closes)],
      },
      { sql: "SELECT holder FROM preview_leases WHERE of = ?", args: [of] },
    ],
    "write",
    write,
  );
  return results.at(-1)!.rows[0]?.["holder"] === holder;
}

async function look(sql: Sql, of: string, holder: string): Promise<"held" | "closing" | "lost"> {
  const [, found] = await sql.batch(
    [
      { sql: `UPDATE preview_leases SET beat = ${now} WHERE of = ? AND holder = ?`, args: [of, holder] },
      { sql: "SELECT closing FROM preview_leases WHERE of = ? AND holder = ?", args: [of, holder] },
    ],
    "write",
    write,
  );
  const row = found!.rows[0];
  return row === undefined ? "lost" : Number(row["closing"]) === 1 ? "closing" : "held";
}

const busy = (title: string): TenantryError =>
  new TenantryError("not-ready", `${title}: another run is still at work on its branches.`, {
    fix: "Wait for it to end, then run it again.",
  });

const closing = (title: string): TenantryError =>
  new TenantryError("cancelled", `${title}: its branches are being taken down, so nothing more is made.`);

const lost = (title: string): TenantryError =>
  new TenantryError("superseded", `${title}: another run has taken over its branches, so this one stopped.`, {
    fix: "Wait for the other run to end, then run it again.",
  });
