import type { HttpAnswer } from "../../http/answer";
import type { Clock } from "../../http/clock";
import { TenantryError } from "../../platform/errors";
import type { Backup, Life, Secured } from "../../platform/life";
import type { PartSpec, Platform } from "../../platform/platform";
import type { Api } from "./api";
import { Refused } from "./problems";
import { tenantReaders } from "./readers";
import { countRows } from "./row-counts";
import { type Tenants, at } from "./tenants";
import { isPassing, watchTenant } from "./watch";
import { type WireTenant, allBackups, read, scheduled } from "./wire";

export interface LifeOptions {
  readonly api: Api;
  readonly tenants: Tenants;
  readonly clock: Clock;
}

/** TenantsDB docs say minutes for a new machine, and more for a move of much data. In ms. */
const patience = 30 * 60_000;
/** How long a backup may take to show in the list, in ms. */
const backupPatience = 5 * 60_000;

type OfTenant = Omit<Life, "instances"> & Pick<Platform, "awaitDatabase" | "movePart">;

/** TenantsDB docs: tenants, what can be done about a living one, and how one comes back. */
export function tenantsdbLife({ api, tenants, clock }: LifeOptions): OfTenant {
  const post = (name: string, verb: string, doing: string, body?: object, idempotent = false) =>
    api.call({ doing, kind: "change" }, { method: "POST", path: `${at(name)}/${verb}`, body, idempotent });

  /** The same for what needs a tenant that is ready: waits for what is under way there, or names the state it is in. */
  const postReady = async (...call: Parameters<typeof post>): Promise<HttpAnswer> =>
    // It has no state in which it would be done.
    (await tenants.change(call[0], call[2], () => post(...call)))!;

  const require = async (name: string, doing: string): Promise<WireTenant> => {
    const tenant = await tenants.look(name);
    if (tenant) return tenant;
    throw new TenantryError("database-not-found", `Could not ${doing}: there is no tenant "${name}".`, {
      fix: "Check its name, and whether it was deleted for good.",
    });
  };

  const listBackups = async (name: string): Promise<Backup[]> => {
    const doing = { doing: `list the backups of tenant "${name}"`, kind: "look" } as const;
    const answer = await api.call(doing, { method: "GET", path: `${at(name)}/backups` });
    return read(allBackups, answer)
      .map((one) => ({
        id: one.storage_path,
        takenAt: momentOf(one.created_at ?? one.date),
        kind: one.type ?? "scheduled",
        bytes: one.size_bytes ?? undefined,
      }))
      .sort((a, b) => (b.takenAt ?? "").localeCompare(a.takenAt ?? ""));
  };

  /** Takes one of each of its databases and waits until the list has them: what is only scheduled restores nothing. */
  const takeBackups = async (name: string): Promise<Backup[]> => {
    const doing = `back tenant "${name}" up`;
    const before = new Set((await listBackups(name)).map(({ id }) => id));
    // Sent twice, there are two, which does no harm.
    const { paths } = read(scheduled, await postReady(name, "backup", doing, undefined, true));
    const until = clock.now() + backupPatience;
    for (let pause = 500; ; pause = Math.min(pause * 1.5, 5_000)) {
      const found = (await listBackups(name)).filter(({ id }) =>
        paths?.length ? paths.includes(id) : !before.has(id),
      );
      if (found.length >= (paths?.length || 1)) return found;
      if (clock.now() + pause > until || clock.cancelled.aborted) {
        throw new TenantryError(
          "not-ready",
          `Could not ${doing}: it was scheduled, and is not in the list of backups yet.`,
          { fix: "Try again in some minutes." },
        );
      }
      await clock.sleep(pause);
    }
  };

  /** Backs a tenant up and counts its rows. One that is suspended answers no query: it goes on for that moment. */
  const secure = async (tenant: WireTenant): Promise<Secured> => {
    const { name, status } = tenant;
    if (status === "suspended") await tenants.configureDatabase(name, { blockReads: false, blockWrites: false });
    else if (status !== "ready") {
      const doing = `back tenant "${name}" up before it is deleted`;
      await watchTenant({ name, doing, deadline: patience, look: () => tenants.look(name), clock });
    }
    const backups = (await takeBackups(name)).map(({ id }) => id);
    return { backups, ...(await countRows(api, tenant)) };
  };

  return {
    ...tenantReaders(api, (name, doing) => require(name, doing)),

    async awaitDatabase(name, deadline, onStatus) {
      const doing = `make tenant "${name}" ready`;
      const look = () => tenants.look(name);
      return tenants.asDatabase(await watchTenant({ name, doing, deadline, look, onStatus, clock }));
    },

    async softDeleteDatabase(name, onSecured = async () => {}) {
      const tenant = await tenants.look(name);
      if (!tenant || tenant.status === "deleted") return;
      // TenantsDB docs: what comes back on L1 is databases made anew; whether with their rows is not said.
      if (tenant.databases.some(({ isolation }) => isolation !== "L2")) await onSecured(await secure(tenant));
      await tenants.softDelete(name);
    },

    countRows: async (name) => countRows(api, await require(name, `count the rows of tenant "${name}"`)),

    async trashedDatabase(name) {
      const tenant = await tenants.look(name);
      return tenant?.status === "deleted" ? tenants.asDatabase(tenant) : undefined;
    },

    async undeleteDatabase(name) {
      const doing = `restore tenant "${name}"`;
      const { status } = await require(name, doing);
      if (status === "deleted") {
        try {
          await post(name, "restore", doing, undefined, true);
        } catch (error) {
          // An attempt whose reply was lost has brought it back: it is not deleted any more.
          if (!(error instanceof Refused && error.wrongState)) throw error;
        }
      } else if (!isPassing(status) && status !== "ready") {
        throw new TenantryError("not-ready", `Could not ${doing}: it is ${status}, and not in the trash.`, {
          fix: "Declare it as it is.",
        });
      }
      const isDone = (tenant: WireTenant): boolean => tenant.status === "ready";
      const look = async (): Promise<WireTenant | undefined> => {
        const tenant = await tenants.look(name);
        // For a moment it may still show as deleted.
        return tenant?.status === "deleted" ? { ...tenant, status: "restoring" } : tenant;
      };
      return tenants.asDatabase(await watchTenant({ name, doing, deadline: patience, isDone, look, clock }));
    },

    listBackups,
    takeBackup: async (name) => (await takeBackups(name))[0],

    async restoreDatabase(name, to) {
      const isMoment = "timestamp" in to;
      const doing = isMoment
        ? `recover tenant "${name}" as of ${to.timestamp}`
        : `roll tenant "${name}" back to "${to.backup}"`;
      const before = await require(name, doing);
      if (isMoment && before.databases.some(({ isolation }) => isolation === "L1")) {
        throw new TenantryError(
          "unsupported",
          `Could not ${doing}: on isolation L1 there are backups, and no moments between them.`,
          { fix: "Name a backup, or move the tenant to L2 first." },
        );
      }
      // Not sent again after a lost reply: a second one would undo what was written since the first.
      if (isMoment) await postReady(name, "recover", doing, { timestamp: to.timestamp });
      else await postReady(name, "rollback", doing, { storage_path: to.backup });
      const look = () => tenants.look(name);
      const isDone = (tenant: WireTenant): boolean => !isMoment || tenant.undoUntil !== before.undoUntil;
      const watched = { name, doing, deadline: patience, look, clock, isUnreadable: !isMoment };
      return { undoUntil: (await watchTenant(isMoment ? { ...watched, isDone } : watched)).undoUntil };
    },

    async undoRestore(name) {
      const doing = `undo the recovery of tenant "${name}"`;
      const { undoUntil } = await require(name, doing);
      if (undoUntil === undefined) {
        throw new TenantryError("expired", `Could not ${doing}: its window of 24 hours is over, or there was none.`, {
          fix: "Restore it to a moment or a backup instead.",
        });
      }
      // Not sent again after a lost reply: a second one might swap back.
      await postReady(name, "recover-undo", doing);
      const look = () => tenants.look(name);
      const isDone = (tenant: WireTenant): boolean => tenant.undoUntil === undefined;
      await watchTenant({ name, doing, deadline: patience, isDone, look, clock });
    },

    async movePart(name, part, { deadline = patience, onStatus } = {}) {
      const doing = `move "${part.blueprint}" of tenant "${name}" to ${placeOf(part)}`;
      const before = (await require(name, doing)).databases.find(({ blueprint }) => blueprint === part.blueprint);
      if (!before) {
        throw new TenantryError("invalid-input", `Could not ${doing}: it has no database of that blueprint.`, {
          fix: "Name one of its blueprints.",
        });
      }
      const isolation = part.isolation ?? "L1";
      const isThere = (tenant: WireTenant): boolean =>
        tenant.databases.some((one) => one.blueprint === part.blueprint && (one.isolation ?? isolation) === isolation);
      const body = { isolation_level: Number(isolation.slice(1)), blueprint: part.blueprint, region: part.region };
      const call = { method: "PATCH", path: `${at(name)}/isolation`, body, idempotent: true } as const;
      // On its way it is perhaps by an attempt whose reply was lost; if it is another way, that is seen at its end.
      await tenants.change(name, doing, () => api.call({ doing, kind: "change" }, call), isPassing);
      const look = () => tenants.look(name);
      // A region cannot be read back, nor a level that does not change.
      const isUnreadable = before.isolation === isolation;
      await watchTenant({ name, doing, deadline, isDone: isThere, isUnreadable, look, onStatus, clock });
    },
  };
}

const placeOf = ({ isolation = "L1", region }: PartSpec): string => (region ? `${isolation} in ${region}` : isolation);

/** TenantsDB docs write a backup's date with dashes in its time: "2026-02-15T14-30-00". */
export function momentOf(text: string | null | undefined): string | undefined {
  const colons = text?.replace(/T(\d\d)-(\d\d)-(\d\d)$/, "T$1:$2:$3Z");
  const moment = colons === undefined ? NaN : Date.parse(colons);
  return Number.isNaN(moment) ? undefined : new Date(moment).toISOString();
}
