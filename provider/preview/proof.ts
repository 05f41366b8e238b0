import type { Context } from "../context";
import { TenantryError, hasCode } from "../platform/errors";
import type { PlatformDatabase } from "../platform/platform";
import { openSql } from "../platform/sql";
import { isBlocked } from "../platform/sql-failure";

type Address = Pick<PlatformDatabase, "name" | "id" | "hostname">;

/**
 * A branch is another database than its source, at another address. Fails with "bad-answer" where the platform answers the
 * source itself for it: whoever took that for a preview would write to production.
 */
export function requireOther({ platform }: Pick<Context, "platform">, branch: Address, source: Address): void {
  const same =
    branch.id === source.id
      ? "id"
      : branch.hostname.toLowerCase() === source.hostname.toLowerCase()
        ? "host"
        : platform.databaseUrl(branch) === platform.databaseUrl(source)
          ? "address"
          : undefined;
  if (same === undefined) return;
  throw new TenantryError(
    "bad-answer",
    `${branch.name}: its ${same} is that of its source "${source.name}", so it is not handed out as a preview.`,
    {
      fix:
        same === "address"
          ? "Put {name} or {hostname} into tenantry:databaseUrl."
          : "Look at both in the platform's console, and report it to the platform.",
    },
  );
}

/** What the source said to the branch's token. */
export type Said = "refused" | "accepted";

/**
 * Whether a branch's token opens its source: asked there, over SQL. Fails where the source cannot be asked, since then it
 * is not known.
 */
export async function askSource({ platform }: Context, source: Address, token: string): Promise<Said> {
  const url = platform.databaseUrl(source);
  const given = async (): Promise<string> => token;
  const sql =
    platform.openSql?.({ name: source.name, url }, { access: "read-only", token: given }) ??
    openSql({ url, comesBack: platform.capabilities.comesBack, token: given });
  try {
    await sql.execute({ sql: "SELECT 1", args: [] }, { idempotent: true });
    return "accepted";
  } catch (error) {
    // What is blocked has looked at the token before it refused the statement.
    if (isBlocked(error)) return "accepted";
    if (hasCode(error, "credentials-rejected", "forbidden")) return "refused";
    const why = error instanceof Error ? error.message : String(error);
    throw new TenantryError(
      "unavailable",
      `Whether "${source.name}" refuses the token of its branch could not be seen, so the token is not handed out: ${why}`,
      { cause: error },
    );
  } finally {
    sql.close();
  }
}

export const opensSource = (branch: string, source: string): TenantryError =>
  new TenantryError(
    "bad-answer",
    `${branch}: its token opens its source "${source}" too, so it is not handed out as a preview.`,
    { fix: "Tokens of this platform do not keep to one database: no preview can be made on it." },
  );
