import { cancelled } from "../../http/cancellation";
import { TenantryError, hasCode } from "../../platform/errors";
import { inTurn } from "../../rollout/fleet/pool";
import type { Context } from "../../context";
import { Unfinished } from "../handler";

/** Keeps an eye on the single tenants of a run: who failed, why, and whether to go on beginning others. */
export interface Watch {
  /** Does `work` for each, many at a time; a failure is `failed`'s to record, and ends the others only where it is theirs too. */
  each<Item>(
    items: readonly Item[],
    work: (item: Item) => Promise<void>,
    failed: (item: Item, error: unknown) => void,
  ): Promise<void>;
  /** Why nothing else is begun. */
  readonly stopped: TenantryError | undefined;
}

/** So many failures of the platform in a row, and it is taken to be down. */
const inARow = 5;

/**
 * How many tenants are worked on at a time: a tenant waits for the registry as well as for the platform's API, and the
 * limiter sees to it that the API is not asked too much at once.
 */
const perPlace = 8;

export function createWatch({ settings }: Pick<Context, "settings">, onDone: () => void): Watch {
  let row = 0;
  let stopped: TenantryError | undefined;
  const judge = (error: unknown): void => {
    if (!(error instanceof TenantryError)) return;
    if (concernsAll(error) || ((error.whose === "platform" || error.code === "plan-refused") && ++row >= inARow)) {
      stopped ??= error;
    }
  };
  return {
    get stopped() {
      return stopped;
    },
    async each(items, work, failed) {
      const one = async (item: (typeof items)[number]): Promise<void> => {
        try {
          await work(item);
          row = 0;
        } catch (error) {
          failed(item, error);
          judge(error instanceof Unfinished ? error.reason : error);
        }
        onDone();
      };
      const goesOn = (): boolean => {
        if (cancelled.aborted) stopped ??= new TenantryError("cancelled", "The run was cancelled.");
        return stopped === undefined;
      };
      await inTurn(items, settings.concurrency * perPlace, one, goesOn);
    },
  };
}

/** It would be said of every other tenant too. */
const concernsAll = (error: TenantryError): boolean =>
  hasCode(
    error,
    ...(["credentials-missing", "credentials-rejected", "forbidden", "organization-not-found"] as const),
    ...(["untrusted-host", "wrong-scope", "superseded", "cancelled", "not-configured"] as const),
  );
