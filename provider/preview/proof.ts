import type { Context } from "../context";
import { TenantryError, hasCode } from "../platform/errors";
import type { PlatformDatabase } from "../platform/platform";
import { openSql } from "../platform/sql";
import { isBlocked } from "../platform/sql-failure";

type Address = Pick<PlatformDatabase, "name" | "id" | "hostname">;

/** Another database that a branch is, or whose address it has; undefined: there is none. */
export interface Twin {
  readonly of: Address;
  readonly same: "id" | "host" | "address";
}

export function findTwin(
  { platform }: Pick<Context, "platform">,
  branch: Address,
  others: Iterable<Address>,
): Twin | undefined {
  const [host, url] = [branch.hostname.toLowerCase(), platform.databaseUrl(branch)];
  for (const of of others) {
    if (of.name === branch.name) continue;
    if (of.id === branch.id) return { of, same: "id" };
    if (of.hostname.toLowerCase() === host) return { of, same: "host" };
    if (platform.databaseUrl(of) === url) return { of, same: "address" };
  }
  return undefined;
}

/**
 * A branch is another database than its source and all others, at another address. Fails with "bad-answer" where the
 * platform answers one of them for it: whoever took that for a preview would write to production.
 */
export function requireOther(
  context: Pick<Context, "platform">,
  branch: Address,
  source: Address,
  others: Iterable<Address>,
): void {
  const twin = findTwin(context, branch, [source, ...others]);
  if (!twin) return;
  const whose = twin.of.name === source.name ? `its source "${source.name}"` : `"${twin.of.name}"`;
  throw new TenantryError(
    "bad-answer",
    `${branch.name}: its ${twin.same} is that of ${whose}, so it is not handed out as a preview.`,
    {
      fix:
        twin.same === "address"
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
