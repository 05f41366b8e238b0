import { parseDuration } from "../../provider/duration";
import { TenantryError, hasCode } from "../../provider/platform/errors";
import type { Access, DatabaseConfiguration, MintedToken, PlatformDatabase } from "../../provider/platform/platform";
import { randomId } from "../../provider/random-id";
import { reapedMeanwhile } from "../../provider/registry/reaping";
import type { Intent, RuntimeRegistry, RuntimeTenant } from "../../provider/registry/runtime-registry";
import type { Ground, Place, Template } from "./ground";
import { complete, createFrom, requireConfigurable } from "./new-database";
import { refuseUnknownOptions } from "./options";
import { type OwnAccess, findTaken, requireAccess } from "./own-access";
import { placeOf } from "./placing";
import { subjectName, subjectScheme } from "./subject";
import { databaseIdOf } from "./token-claims";

export interface ProvisionOptions extends Place {
  /** What a new database begins with: a name of `templates`, or a SchemaTemplate's `ref`. @default none: it is empty */
  readonly template?: string;
  /**
   * What the token may do. "read-write" is rows but no schema; a platform that has no such tokens refuses it.
   * @default that of createTenantry
   */
  readonly access?: Access;
  /** How long the token lives, "60s" to "24h". @default "1h" */
  readonly tokenTtl?: string;
  /** Lifetime of a new database from now, such as "14d": `tenantry reap` deletes what has expired. @default the plan's, else "never" */
  readonly ttl?: string;
  /** A word of your own for the registry, in clear; without it the subject is kept only as the database's name. */
  readonly label?: string;
}

export interface Provisioned {
  readonly database: { readonly name: string; readonly url: string; readonly id: string };
  readonly token: string;
  /** When the token ends, ISO 8601. */
  readonly expiresAt: string;
  /** True for one caller only: this call made the database. After a lost reply, for at least one. */
  readonly created: boolean;
}

const known = ["template", "group", "geo", "plan", "access", "tokenTtl", "ttl", "label"];
const defaultTokenTtl = "1h";
/** In seconds. */
const shortest = 60;
const longest = 86_400;

interface Wanted {
  readonly name: string;
  readonly group: string;
  readonly place: Place;
  readonly template: Template | undefined;
  readonly configuration: DatabaseConfiguration;
  readonly access: Access;
  /** In seconds. */
  readonly lifetime: number;
  readonly intent: Intent;
}

export type Provision = (subject: string, options?: ProvisionOptions) => Promise<Provisioned>;

/** One database a subject, however many ask, in however many processes: its name follows from the subject. */
export function createProvision(ground: Ground, own: OwnAccess, defaults: ProvisionOptions): Provision {
  const underWay = new Map<string, Promise<Provisioned>>();

  return async (subject, options = {}) => {
    refuseUnknownOptions(options, known, "provision");
    const name = await subjectName(subject);
    const key = JSON.stringify([name, options]);
    const first = underWay.get(key);
    if (first) return { ...(await first), created: false };
    const provisioning = wantedOf(ground, name, defaults, options).then((wanted) => provision(ground, own, wanted));
    underWay.set(key, provisioning);
    try {
      return await provisioning;
    } finally {
      underWay.delete(key);
    }
  };
}

async function wantedOf(
  ground: Ground,
  name: string,
  defaults: ProvisionOptions,
  options: ProvisionOptions,
): Promise<Wanted> {
  const { group, geo, plan, label } = options;
  const place = { group, geo, plan };
  const placed = await placeOf(ground, place, defaults.group);
  const { access = "read-write", tokenTtl = defaultTokenTtl } = settingsOf(defaults, placed, options);
  const lifetime = parseDuration(tokenTtl, "tokenTtl");
  if (lifetime === undefined || lifetime < shortest || lifetime > longest) {
    throw new TenantryError("invalid-input", `tokenTtl: "${tokenTtl}" is not from 60s to 24h.`, {
      fix: "Tokens for people are short; call provision again for the next one.",
    });
  }
  const seconds = parseDuration(options.ttl ?? "never", "ttl");
  const end = options.ttl === undefined ? placed.end : seconds && Date.now() + seconds * 1000;
  const text = options.template ?? placed.template ?? defaults.template;
  const template = text === undefined ? undefined : ground.template(text);
  return {
    ...{ name, template, lifetime, place, group: placed.group },
    access: requireAccess(ground.platform(), access),
    configuration: requireConfigurable(ground.platform(), placed.configuration),
    intent: {
      ...{ owner: randomId(), incarnation: randomId(), scheme: subjectScheme, template: template?.name, label },
      expiresAt: end === undefined ? undefined : new Date(end).toISOString(),
    },
  };
}

/** What the call says wins over the plan, that over what createTenantry was given. */
function settingsOf(...layers: readonly Pick<ProvisionOptions, "access" | "tokenTtl">[]) {
  const last = <Key extends "access" | "tokenTtl">(key: Key) =>
    layers.findLast((layer) => layer[key] !== undefined)?.[key];
  return { access: last("access"), tokenTtl: last("tokenTtl") };
}

async function provision(ground: Ground, own: OwnAccess, wanted: Wanted): Promise<Provisioned> {
  const registry = await own.registry(wanted.group);
  const found = await registry.find(wanted.name);
  return found ? standing(ground, own, wanted, registry, found) : make(ground, own, wanted, registry);
}

/** What to do about a name that somebody has already. */
async function standing(
  ground: Ground,
  own: OwnAccess,
  wanted: Wanted,
  registry: RuntimeRegistry,
  found: RuntimeTenant,
): Promise<Provisioned> {
  const { name } = wanted;
  const { state, address, databaseId } = found.claim;
  if (state === "held" && databaseId !== undefined) {
    const reached = await reach(ground, wanted, registry, found);
    if (reached) return reached;
    if (found.isRuntime) await registry.reopen(name, databaseId);
  }
  if (!found.isRuntime) {
    throw new TenantryError(
      "not-ready",
      `${name}: it belongs to ${address}, and the database is not there (${state}).`,
      { fix: "Run `pulumi up` there, which makes it; an application makes nothing that a stack has." },
    );
  }
  if (state === "reaping") {
    if (await ground.platform().getDatabase(name)) throw reapedMeanwhile(name);
    await registry.release(name);
  }
  if (state === "deleting") {
    if (await ground.platform().getDatabase(name)) {
      throw new TenantryError("not-ready", `${name}: it is being erased.`, {
        fix: "Try again when that is done; if it was interrupted, call deprovision with erase: true again.",
      });
    }
    await registry.release(name);
  }
  return make(ground, own, wanted, registry);
}

/** A token for a database that exists; undefined where there is none. */
async function reach(
  ground: Ground,
  wanted: Wanted,
  registry: RuntimeRegistry,
  { claim, hostname, suspended, isRuntime }: RuntimeTenant,
): Promise<Provisioned | undefined> {
  const platform = ground.platform();
  const { name } = wanted;
  let minted: MintedToken;
  try {
    minted = await mint(ground, wanted);
  } catch (error) {
    if (!hasCode(error, "database-not-found")) throw error;
    if (!(await platform.getDatabase(name))) return undefined;
    minted = await mint(ground, wanted);
  }
  let database = { id: claim.databaseId!, hostname };
  const another = (databaseIdOf(minted.token) ?? database.id) !== database.id;
  if (another || hostname === undefined) {
    const seen = await findTaken(platform, name);
    if (!seen) return undefined;
    database = seen;
    if (isRuntime) await registry.hold(name, seen, wanted.intent);
  }
  if (suspended) {
    const { blockReads = false, blockWrites = false } = wanted.configuration;
    await platform.configureDatabase(name, { blockReads, blockWrites });
    await registry.suspend(name, false);
  }
  return answer(ground, wanted, { ...database, hostname: database.hostname! }, minted, false);
}

async function make(ground: Ground, own: OwnAccess, wanted: Wanted, registry: RuntimeRegistry): Promise<Provisioned> {
  const { name, group, template, configuration, intent } = wanted;
  if (intent.expiresAt !== undefined && Date.parse(intent.expiresAt) <= Date.now()) {
    throw new TenantryError("invalid-input", `expiresAt: by the manifest it would have ended at ${intent.expiresAt}.`, {
      fix: "Name another plan, pass ttl, or correct the manifest.",
    });
  }
  const { claim, ...others } = await registry.intend(name, intent);
  const isNew = claim.incarnation === intent.incarnation;
  // Somebody else was faster, and is done.
  const unmade = others.isRuntime && (claim.state === "open" || claim.state === "gone");
  if (!isNew && !unmade) return standing(ground, own, wanted, registry, { claim, ...others });

  let database: PlatformDatabase;
  let created = true;
  try {
    database = await createFrom(ground, own, { name, group, template });
  } catch (error) {
    if (!hasCode(error, "already-exists")) {
      // A refusal made nothing, so the intent need not linger; after a lost reply it may be all that is known.
      if (error instanceof TenantryError && error.whose === "yours" && isNew && !error.afterLostReply) {
        await registry.release(name);
      }
      throw error;
    }
    const taken = await findTaken(ground.platform(), name);
    if (!taken) throw error;
    if (taken.group !== undefined && taken.group !== group) {
      if (isNew) await registry.release(name);
      const place = { ...wanted.place, group: taken.group };
      const { group: there } = await placeOf(ground, place, undefined);
      return provision(ground, own, { ...wanted, place, group: there });
    }
    database = taken;
    created = error.afterLostReply && isNew;
  }

  const sql = own.sql(group, database);
  try {
    await complete(sql, name, template);
  } finally {
    sql.close();
  }
  if (Object.keys(configuration).length > 0) await ground.platform().configureDatabase(name, configuration);
  const minted = await mint(ground, wanted);
  await registry.hold(name, database, intent);
  return answer(ground, wanted, database, minted, created);
}

const mint = (ground: Ground, { name, access, lifetime }: Wanted): Promise<MintedToken> =>
  ground.platform().mintToken({ database: name }, { access, lifetime });

function answer(
  ground: Ground,
  { name, lifetime }: Wanted,
  { id, hostname }: { readonly id: string; readonly hostname: string },
  { token, expiresAt }: MintedToken,
  created: boolean,
): Provisioned {
  const end = expiresAt ?? new Date(Date.now() + lifetime * 1000);
  const url = ground.platform().databaseUrl({ name, hostname });
  return { database: { name, url, id }, token, expiresAt: end.toISOString(), created };
}
