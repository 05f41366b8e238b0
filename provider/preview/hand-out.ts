import type { Context } from "../context";
import { TenantryError } from "../platform/errors";
import type { Access, PlatformDatabase } from "../platform/platform";
import { openSql } from "../platform/sql";
import type { PreviewOrder, PreviewToken } from "./order";
import { askSource, opensSource } from "./proof";

/** Seconds. */
const aWeek = 7 * 86_400;

/** What a preview's application needs: rows, and schema changes only where the platform cannot tell the two apart. */
export const accessOf = ({ access }: Pick<PreviewOrder, "access">, possible: readonly Access[]): Access =>
  access ?? (possible.includes("read-write") ? "read-write" : "full-access");

/**
 * A token of one branch, which was tried on its source and refused there. Fails with "bad-answer" where the source takes it:
 * nobody gets it then.
 */
export async function handOut(
  context: Context,
  order: PreviewOrder,
  source: PlatformDatabase,
  branch: PlatformDatabase,
): Promise<PreviewToken> {
  const { platform } = context;
  const { tokenAccess, longestToken } = platform.capabilities;
  const left = order.expiresAt === null ? Infinity : (Date.parse(order.expiresAt) - Date.now()) / 1000;
  const lifetime = Math.max(60, Math.floor(Math.min(order.tokenTtl ?? aWeek, left, longestToken ?? Infinity)));
  const spec = { access: accessOf(order, tokenAccess), lifetime };
  const { token, expiresAt } = await platform.mintToken({ database: branch.name }, spec);
  if ((await askSource(context, source, token)) === "accepted") throw opensSource(branch.name, source.name);
  await requireOpens(context, branch, token);
  return { token, expiresAt: (expiresAt ?? new Date(Date.now() + lifetime * 1000)).toISOString() };
}

/** A source that refuses everybody would prove nothing. */
async function requireOpens({ platform }: Context, { name, hostname }: PlatformDatabase, token: string): Promise<void> {
  const url = platform.databaseUrl({ name, hostname });
  const given = async (): Promise<string> => token;
  const sql =
    platform.openSql?.({ name, url }, { access: "read-only", token: given }) ??
    openSql({ url, comesBack: platform.capabilities.comesBack, token: given });
  try {
    await sql.execute({ sql: "SELECT 1", args: [] }, { idempotent: true });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TenantryError("unavailable", `${name}: its own token does not open it, so it is not handed out: ${why}`, {
      cause: error,
    });
  } finally {
    sql.close();
  }
}
