import { TenantryError, hasCode } from "../../provider/platform/errors";
import type { Access, Platform, PlatformDatabase } from "../../provider/platform/platform";
import { type Sql, openSql } from "../../provider/platform/sql";
import type { TokenFor } from "../../provider/platform/bearer";
import {
  type RuntimeRegistry,
  layOutRuntimeRegistry,
  openRuntimeRegistry,
} from "../../provider/registry/runtime-registry";
import type { Ground } from "./ground";
import { createTokenKeeper } from "./token-keeper";

/** How long our own group tokens live, in seconds; never stored. */
const lifetime = 1_800;

/** SQL that the library runs for itself, with short-lived tokens of its own, one for each group. */
export interface OwnAccess {
  /** A token for all databases of the group. */
  token(group: string, access: Access): TokenFor;
  /** To be closed by the caller. */
  sql(group: string, database: Pick<PlatformDatabase, "name" | "hostname">): Sql;
  /** The group's registry, made at first use. */
  registry(group: string): Promise<RuntimeRegistry>;
}

export function createOwnAccess({ platform: configured, registryName }: Ground): OwnAccess {
  const tokens = new Map<string, TokenFor>();
  const registries = new Map<string, Promise<RuntimeRegistry>>();

  const token = (group: string, access: Access): TokenFor => {
    const key = `${access} ${group}`;
    const known = tokens.get(key);
    if (known) return known;
    const keeper = createTokenKeeper(
      () => configured().mintToken({ group }, { access, lifetime }),
      () => undefined,
    );
    tokens.set(key, keeper);
    return keeper;
  };

  const sql: OwnAccess["sql"] = (group, database) => {
    const platform = configured();
    const url = platform.databaseUrl(database);
    return (
      platform.openSql?.({ name: database.name, url }, { access: "full-access" }) ??
      openSql({ url, comesBack: platform.capabilities.comesBack, token: token(group, "full-access") })
    );
  };

  const open = async (group: string): Promise<RuntimeRegistry> => {
    const platform = configured();
    const name = await registryName(group);
    const opened = sql(group, (await platform.getDatabase(name)) ?? (await createOrGet(platform, name, group)));
    await opened.ready();
    await layOutRuntimeRegistry(opened);
    return openRuntimeRegistry(opened);
  };

  return {
    token,
    sql,
    registry(group) {
      const known = registries.get(group);
      if (known) return known;
      const opening = open(group);
      registries.set(group, opening);
      opening.catch(() => registries.delete(group));
      return opening;
    },
  };
}

/** A database of Tenantry's own; when somebody else makes it in the same moment, theirs is as good. */
export async function createOrGet(platform: Platform, name: string, group: string): Promise<PlatformDatabase> {
  try {
    return await platform.createDatabase({ name, group });
  } catch (error) {
    if (!hasCode(error, "already-exists")) throw error;
    const existing = await findTaken(platform, name);
    if (!existing) throw error;
    return existing;
  }
}

/** What has a name that is taken. On Turso a database can be "not found" for some seconds after it was made. */
export async function findTaken(platform: Platform, name: string): Promise<PlatformDatabase | undefined> {
  for (let attempt = 0; ; attempt++) {
    const found = await platform.getDatabase(name);
    if (found || attempt === 5) return found;
    await new Promise((resolve) => setTimeout(resolve, 200 * 2 ** attempt));
  }
}

/** The rights that are asked for, if the platform has tokens of just these: more is never given in their place. */
export function requireAccess({ name, capabilities }: Platform, access: Access): Access {
  const { tokenAccess } = capabilities;
  if (tokenAccess.includes(access)) return access;
  if (tokenAccess.length === 0) {
    throw new TenantryError("unsupported", `${name} has no tokens: its tenants' databases are not libSQL.`, {
      fix: "Use connectionString, and a client of the database's own kind.",
    });
  }
  const others = tokenAccess.map((one) => `"${one}"`).join(" or ");
  throw new TenantryError("unsupported", `access: ${name} has no "${access}" tokens (rows, but no schema).`, {
    fix: `Say access: ${others}; "full-access" may also change and drop tables.`,
  });
}
