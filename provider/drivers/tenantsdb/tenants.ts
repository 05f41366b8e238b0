import type { Clock } from "../../http/clock";
import { TenantryError } from "../../platform/errors";
import type { DatabaseConfiguration, Platform, PlatformDatabase, TenantPart } from "../../platform/platform";
import type { Api } from "./api";
import { type ProxyCredential, composed, hostOf, isEngine, isMasked, passwordIn, projectIn } from "./connection-string";
import { Refused } from "./problems";
import { isPassing, watchTenant } from "./watch";
import { type WireTenant, allTenants, named, oneTenant, read } from "./wire";

export interface Tenants extends Pick<
  Platform,
  "getDatabase" | "createDatabase" | "getConfiguration" | "configureDatabase" | "deleteDatabase"
> {
  listAll(): Promise<PlatformDatabase[]>;
  softDelete(name: string): Promise<void>;
  /** The tenant as the platform tells it, the one in the trash too. */
  look(name: string): Promise<WireTenant | undefined>;
  /**
   * Calls what a tenant's state may refuse: waits for what is under way there and calls again. `isDone`: the state that the
   * call is to lead to, in which it is refused, too; then it answers undefined. Fails with the state in which it rests.
   */
  change<Answer>(
    name: string,
    doing: string,
    call: () => Promise<Answer>,
    isDone?: (status: string) => boolean,
  ): Promise<Answer | undefined>;
  /** Waits for what is under way there; see watch.ts. */
  awaitReady(name: string, doing: string, deadline: number): Promise<PlatformDatabase>;
  asDatabase(tenant: WireTenant): PlatformDatabase;
}

/** How long a change that the state of a tenant refuses is tried again, in ms. */
const patience = 60_000;

export const at = (name: string): string => `/tenants/${encodeURIComponent(name)}`;

export interface TenantOptions {
  readonly api: Api;
  readonly project: string;
  readonly apiKey: string;
  /** As configured; else it is learned from the first string that shows it. */
  readonly proxyPassword: string | undefined;
  readonly clock: Clock;
}

export function tenantsdbTenants({ api, project, apiKey, proxyPassword, clock }: TenantOptions): Tenants {
  let password = proxyPassword;

  const partOf = (tenant: string, wire: WireTenant["databases"][number]): TenantPart => {
    const { blueprint, engine, isolation, region, version } = wire;
    const credential: ProxyCredential = { project, password, apiKey };
    const connectionString = whole(wire, { blueprint, tenant }, credential);
    return { blueprint, engine: isEngine(engine) ? engine : undefined, isolation, region, version, connectionString };
  };

  const asDatabase = (tenant: WireTenant): PlatformDatabase => {
    for (const { connectionString = "" } of tenant.databases) password ??= passwordIn(connectionString, project);
    const suspended = tenant.status === "suspended";
    return {
      name: tenant.name,
      id: idOf(tenant),
      hostname: tenant.databases[0]?.host ?? hostOf(tenant.databases[0]?.engine),
      group: project,
      archived: false,
      blockReads: suspended,
      blockWrites: suspended,
      deleteProtection: undefined,
      parentId: undefined,
      parts: tenant.databases.map((one) => partOf(tenant.name, one)),
    };
  };

  const look = async (name: string): Promise<WireTenant | undefined> => {
    const answer = await api.find(
      { doing: `look up tenant "${name}"`, kind: "look" },
      { method: "GET", path: at(name) },
    );
    if (!answer) return undefined;
    const tenant = read(oneTenant, answer);
    return named(name, tenant.name, tenant, answer);
  };

  const living = async (name: string): Promise<WireTenant | undefined> => {
    const tenant = await look(name);
    return tenant?.status === "deleted" ? undefined : tenant;
  };

  const requireLiving = async (name: string, doing: string): Promise<WireTenant> => {
    const tenant = await living(name);
    if (tenant) return tenant;
    throw new TenantryError("database-not-found", `Could not ${doing}: there is no tenant "${name}".`, {
      fix: "Check its name, and whether it was deleted meanwhile.",
    });
  };

  const change: Tenants["change"] = async (name, doing, call, isDone = () => false) => {
    const begun = clock.now();
    let rested = 0;
    for (let pause = 500; ; pause = Math.min(pause * 2, 5_000)) {
      try {
        return await call();
      } catch (error) {
        if (!(error instanceof Refused && error.wrongState)) throw error;
        const status = (await look(name))?.status ?? "gone";
        if (isDone(status)) return undefined;
        const waited = clock.now() - begun;
        const isOver = waited + pause > patience || clock.cancelled.aborted;
        // What was under way may have ended just now; what is refused once more is refused for where it rests.
        if (isOver || (!isPassing(status) && ++rested > 1)) {
          throw status === "ready" ? error : inState(name, doing, status, waited, error);
        }
        await clock.sleep(pause);
      }
    }
  };

  const remove = async (name: string, hard: boolean): Promise<void> => {
    const doing = `delete tenant "${name}"`;
    const query = hard ? { hard: "true" } : undefined;
    const call = () => api.find({ doing, kind: "delete" }, { method: "DELETE", path: at(name), query });
    await change(name, doing, call, (status) => status === "gone" || (!hard && status === "deleted"));
  };

  return {
    look,
    change,
    asDatabase,
    async listAll() {
      const answer = await api.call({ doing: "list tenants", kind: "look" }, { method: "GET", path: "/tenants" });
      return read(allTenants, answer)
        .filter(({ status }) => status !== "deleted")
        .map(asDatabase);
    },

    async getDatabase(name) {
      const tenant = await living(name);
      return tenant && asDatabase(tenant);
    },

    async createDatabase({ name, parts = [], seed, sizeLimit }) {
      const doing = `create tenant "${name}"`;
      if (seed || sizeLimit !== undefined) {
        const what = seed ? "seed: TenantsDB copies no tenant" : "sizeLimit: TenantsDB has none";
        throw new TenantryError("unsupported", `Could not ${doing}: ${what}.`, { fix: "Leave it out." });
      }
      if (parts.length === 0) {
        throw new TenantryError("invalid-input", `Could not ${doing}: a tenant has one database or more.`, {
          fix: "Name a blueprint for each: `databases: [{ blueprint }]`, or a schema.",
        });
      }
      const databases = parts.map(({ blueprint, isolation = "L1", region }) => ({
        blueprint,
        isolation_level: Number(isolation.slice(1)),
        region,
      }));
      // A second one after a lost reply is refused as taken, and the caller's records tell whose it is.
      const answer = await api.call(
        { doing, kind: "create" },
        { method: "POST", path: "/tenants", body: { tenant_id: name, databases }, idempotent: true },
      );
      const made = read(oneTenant, answer);
      named(name, made.name, made, answer);
      for (const { connectionString = "" } of made.databases) refuseOtherProject(connectionString, project);
      const shown = asDatabase(made);
      // Its answer does not say when, which is what tells a tenant from a later one of the name.
      const tenant = made.createdAt === undefined ? await requireLiving(name, doing) : made;
      return { ...asDatabase(tenant), parts: joined(asDatabase(tenant).parts, shown.parts) };
    },

    async getConfiguration(name) {
      const tenant = await living(name);
      const suspended = tenant?.status === "suspended";
      return tenant && { blockReads: suspended, blockWrites: suspended };
    },

    async configureDatabase(name, configuration) {
      const suspend = suspensionIn(configuration);
      const doing = `${suspend ? "suspend" : "resume"} tenant "${name}"`;
      const { status } = await requireLiving(name, doing);
      const [wanted, verb] = suspend ? (["suspended", "suspend"] as const) : (["ready", "resume"] as const);
      if (suspend === undefined || status === wanted) return;
      const call = () =>
        api.call({ doing, kind: "change" }, { method: "POST", path: `${at(name)}/${verb}`, idempotent: true });
      await change(name, doing, call, (now) => now === wanted);
    },

    deleteDatabase: (name) => remove(name, true),
    softDelete: (name) => remove(name, false),

    async awaitReady(name, doing, deadline) {
      return asDatabase(await watchTenant({ name, doing, deadline, look: () => look(name), clock }));
    },
  };
}

/** Two tenants of one name that were made one after the other differ in when. */
function idOf({ name, createdAt }: WireTenant): string {
  if (createdAt === undefined) return name;
  const moment = Date.parse(createdAt);
  return `${name}@${Number.isNaN(moment) ? createdAt : new Date(moment).toISOString()}`;
}

/** A string that can be used; a masked one is completed where what is masked is known. */
function whole(
  { connectionString, engine }: WireTenant["databases"][number],
  database: { readonly blueprint: string; readonly tenant: string },
  credential: ProxyCredential,
): string | undefined {
  if (connectionString !== undefined && !isMasked(connectionString)) return connectionString;
  if (connectionString === undefined && engine === undefined) return undefined;
  const { project, password } = credential;
  if (connectionString !== undefined && engine !== "redis" && password !== undefined) {
    // Only its password is masked, where it is the project's own: the rest is the platform's word.
    const own = /^([a-z+]+:\/\/)([^:@/]+):[^@]*@(.+)$/i.exec(connectionString);
    if (own?.[2] === project) return `${own[1]}${project}:${encodeURIComponent(password)}@${own[3]}`;
  }
  return composed(engine, database, credential);
}

/** A create shows what a look masks. */
const joined = (parts: readonly TenantPart[] = [], shown: readonly TenantPart[] = []): TenantPart[] =>
  parts.map((part) => {
    const same = shown.find(({ blueprint }) => blueprint === part.blueprint);
    return { ...part, connectionString: same?.connectionString ?? part.connectionString };
  });

function suspensionIn({ blockReads, blockWrites, ...others }: DatabaseConfiguration): boolean | undefined {
  const unknown = Object.keys(others).filter((key) => others[key as keyof typeof others] !== undefined);
  if (unknown.length === 0 && blockReads === blockWrites) return blockReads;
  throw new TenantryError(
    "unsupported",
    `${unknown[0] ?? "blockReads, blockWrites"}: TenantsDB can only suspend a tenant as a whole.`,
    { fix: "Use `suspended`." },
  );
}

function refuseOtherProject(connectionString: string, project: string): void {
  const found = projectIn(connectionString);
  if (found === undefined || found === project) return;
  throw new TenantryError("wrong-scope", `The API key is of project "${found}", and "${project}" is configured.`, {
    fix: "Correct tenantry:organization, or use an API key of that project.",
    afterLostReply: true,
  });
}

/** A raw "wrong state" tells nobody which one it is. */
function inState(name: string, doing: string, status: string, waited: number, cause: Refused): TenantryError {
  const details = { platformText: cause.platformText, requestId: cause.requestId, cause };
  const passes = isPassing(status);
  const known = passes || status === "suspended" || status === "deleted" || status === "gone";
  const what = known ? `it is ${status}` : `it has the status "${status}", which TenantsDB does not document`;
  const since = waited > 0 ? `, after ${Math.round(waited / 1000)} s` : "";
  return new TenantryError("not-ready", `Could not ${doing}: ${what}${since}.`, {
    ...details,
    fix: passes
      ? "When what is under way there has ended, try again."
      : status === "suspended"
        ? `Resume it first: \`npx tenantry resume ${name}\`, or suspended: false.`
        : `Look at "${name}" in TenantsDB, then try again.`,
  });
}
