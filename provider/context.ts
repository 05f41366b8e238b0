import { TenantryError } from "./platform/errors";
import { type Listing, createListing } from "./platform/listing";
import {
  type Access,
  type Platform,
  type PlatformDatabase,
  type RotateOptions,
  type TokenSubject,
  scopeText,
} from "./platform/platform";
import { loadClient } from "./platform/libsql-client";
import { selectPlatform } from "./platform/select";
import { type ConnectionSettings, readSettings } from "./platform/settings";
import { type Sql, openSql } from "./platform/sql";
import { beginRun, isLaidOut, openRegistry, type Registry } from "./registry/registry";
import { registryName } from "./registry/reserved-names";

/**
 * What handlers work with: one platform under one credential. Made once per process and connection, because the host
 * calls `configure` once a kind and does not wait for it.
 */
export interface Context {
  readonly platform: Platform;
  readonly settings: ConnectionSettings;
  readonly listing: Listing;
  /** The context of another connection (undefined: the stack's own), from which something is to come here. */
  beside(connection: string | undefined): Context;
  /** The present scope as text; asks the embedded platform once, Turso never. */
  scope(): Promise<string>;
  /** The scope as far as it is known without I/O. */
  readonly knownScope: string | undefined;
  /** SQL on a database, with a short-lived token of our own. */
  sql(database: DatabaseAddress): Sql;
  /** The group's registry for this stack, made at first use. */
  registry(group: string, stack: string): Promise<Registry>;
  /** The same, where a registry exists already; undefined where none does. */
  existingRegistry(group: string, stack: string): Promise<Registry | undefined>;
  /** SQL on the group's registry, where there is one. */
  registrySql(group: string): Promise<Sql | undefined>;
  /**
   * Makes every token of the subject invalid, once for each `key`: of several resources with a common key, a later one
   * must not end what an earlier one has just minted. Where a rotation may reach the whole group, it is the group's.
   */
  rotate(subject: TokenSubject, key: string, options?: RotateOptions): Promise<void>;
  /** What this process has done to databases, by name: a token's diff asks it, because no output tells it in time. */
  readonly identities: Map<string, string>;
  /**
   * Incarnations that state holds, or will when this run ends, as far as this process has seen: it made them, or a diff
   * showed them. A delete that finds a newer one needs to know, since a forced replacement may have been killed before
   * state had it.
   */
  readonly incarnations: Set<string>;
  /**
   * Resources whose address this run changes, by the old one, as far as a diff has shown them: until the registry has
   * it, whatever is new under that address would pass for them.
   */
  readonly moves: Map<string, { readonly to: string; readonly incarnation: string }>;
  /**
   * Databases, by name, that a resource of this run declares and was refused, with its address: whoever has one must not
   * delete it now, or a move without a hand-over would lose the data.
   */
  readonly wanted: Map<string, string>;
}

export interface DatabaseAddress {
  readonly name: string;
  readonly hostname: string;
  readonly group: string;
}

/** Our own tokens for SQL live this long: longer than one migration, shorter than a lunch break. Seconds. */
const ownTokenLifetime = 1800;

let rawConfig: Record<string, string | undefined> = {};
const contexts = new Map<string, Context>();

/** Called by the host's `configure`: only stores. The same config arrives once a kind; a changed one starts afresh. */
export function storeConfig(config: Record<string, string | undefined>): void {
  if (JSON.stringify(config) !== JSON.stringify(rawConfig)) contexts.clear();
  rawConfig = config;
}

/** The context of a connection (undefined: the stack's own). Fails where the configuration does. */
export function contextOf(connection: string | undefined): Context {
  const key = connection ?? "";
  const known = contexts.get(key);
  if (known) return known;
  const settings = readSettings(rawConfig, process.env, connection);
  const made = createContext(selectPlatform(settings), settings);
  contexts.set(key, made);
  return made;
}

/** `access`: what our own tokens for SQL can do; a preview only reads. */
export function createContext(
  platform: Platform,
  settings: ConnectionSettings,
  access: Access = "full-access",
): Context {
  const listing = createListing(platform);
  const tokens = new Map<string, { token: Promise<string>; until: number }>();
  const databases = new Map<string, Sql>();
  const registries = new Map<string, Promise<Registry | undefined>>();
  const rotations = new Map<string, Promise<void>>();
  let scope: string | undefined;

  const groupToken = (group: string): Promise<string> => {
    const known = tokens.get(group);
    if (known && Date.now() < known.until) return known.token;
    const token = platform.mintToken({ group }, { access, lifetime: ownTokenLifetime }).then((minted) => minted.token);
    token.catch(() => tokens.delete(group));
    tokens.set(group, { token, until: Date.now() + (ownTokenLifetime / 2) * 1000 });
    return token;
  };

  const sql = ({ name, hostname, group }: DatabaseAddress): Sql => {
    const url = platform.databaseUrl({ name, hostname });
    // A tenant that moves keeps its name, and has another group's token.
    const key = `${group}\n${url}`;
    const known = databases.get(key);
    if (known) return known;
    const opened =
      platform.openSql?.({ name, url }, { access }) ??
      openSql({
        url,
        comesBack: platform.capabilities.comesBack,
        token: (refused) => {
          if (refused) tokens.delete(group);
          return groupToken(group);
        },
      });
    databases.set(key, opened);
    return opened;
  };

  const rotate: Context["rotate"] = async (subject, key, options) => {
    const group = "group" in subject ? subject.group : (await listing.database(subject.database))?.group;
    const ofGroup = JSON.stringify([{ group }, key]);
    const reached = group !== undefined && platform.capabilities.rotation === "group" ? { group } : subject;
    const id = JSON.stringify([reached, key]);
    const known = (group !== undefined && rotations.get(ofGroup)) || rotations.get(id);
    if (known) return known;
    const rotating = platform.rotateTokens(reached, options).then(() => {
      // Our own are invalid too.
      if (group !== undefined) tokens.delete(group);
    });
    rotations.set(id, rotating);
    rotating.catch(() => rotations.delete(id));
    return rotating;
  };

  /** `make`: whether a missing registry is created. */
  const registry = async (group: string, stack: string, make: boolean): Promise<Registry | undefined> => {
    const key = `${group}\n${stack}`;
    const known = registries.get(key);
    if (known) {
      if ((await known) || !make) return known;
      // Another caller may be making it by now: two would number two runs, and one would overtake the other.
      if (registries.get(key) !== known) return registry(group, stack, make);
    }
    const opening = openGroupRegistry(group, stack, make);
    registries.set(key, opening);
    opening.catch(() => registries.delete(key));
    return opening;
  };

  const openGroupRegistry = async (group: string, stack: string, make: boolean): Promise<Registry | undefined> => {
    const name = registryName(group);
    // Whoever would make it does not need the list confirmed: a create finds one that the list lacks.
    const listed = make ? listing.databases().then(({ byName }) => byName.get(name)) : listing.database(name);
    // The list takes longer to come than this to load.
    if (!platform.openSql) loadClient();
    let database = await listed;
    if (!database && !make) return undefined;
    if (!database) {
      // Needed next, and another trip: it need not wait for the first one.
      if (!platform.openSql) groupToken(group).catch(() => undefined);
      database = await createOrGet(platform, name, group);
      listing.made({ ...database, group });
    }
    const opened = sql({ name, hostname: database.hostname, group });
    if (make) {
      await opened.expectReady();
      return openRegistry(opened, stack, await beginRun(opened, stack, true));
    }
    return (await isLaidOut(opened)) ? openRegistry(opened, stack) : undefined;
  };

  return {
    platform,
    settings,
    listing,
    beside: contextOf,
    scope: async () => (scope ??= scopeText(await platform.scope())),
    get knownScope() {
      const known = platform.knownScope();
      return scope ?? (known && scopeText(known));
    },
    sql,
    registry: async (group, stack) => (await reached(group, registry(group, stack, true)))!,
    existingRegistry: (group, stack) => reached(group, registry(group, stack, false)),
    registrySql: async (group) => {
      const name = registryName(group);
      const database = await listing.database(name);
      return database && sql({ name, hostname: database.hostname, group });
    },
    rotate,
    identities: new Map(),
    incarnations: new Set(),
    moves: new Map(),
    wanted: new Map(),
  };
}

/** Says which database it was that could not be had, and what goes on without it. */
async function reached<T>(group: string, opening: Promise<T>): Promise<T> {
  try {
    return await opening;
  } catch (error) {
    if (!(error instanceof TenantryError) || error.whose === "yours") throw error;
    throw new TenantryError(
      error.code,
      `The registry of group "${group}" ("${registryName(group)}") cannot be reached: ${error.message}`,
      { fix: "Nothing is created or deleted without it. Try again when the platform answers.", cause: error },
    );
  }
}

/** Creates a database of our own; when somebody else made it in the same moment, theirs is as good. */
async function createOrGet(platform: Platform, name: string, group: string): Promise<PlatformDatabase> {
  try {
    return await platform.createDatabase({ name, group });
  } catch (error) {
    if (!(error instanceof TenantryError && error.code === "already-exists")) throw error;
    const existing = await platform.getDatabase(name);
    if (!existing) throw error;
    return existing;
  }
}
