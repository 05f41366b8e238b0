import { TenantryError } from "../../provider/platform/errors";
import type { Client } from "../../provider/platform/libsql-client";
import type { Access } from "../../provider/platform/platform";
import { refuseUnknownOptions } from "./options";

/** One of all tenants. */
export interface TenantInfo {
  /** In the manifest or `tenants`; else the name of its database. */
  readonly id: string;
  readonly name: string;
  readonly group: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
}

export type TenantResult<Value> =
  | { readonly tenant: TenantInfo; readonly ok: true; readonly value: Value }
  | { readonly tenant: TenantInfo; readonly ok: false; readonly error: Error };

export interface ForEachOptions {
  /** All of what is said must be true of a tenant. Labels are those of a manifest. @default every tenant */
  readonly where?: Where | ((tenant: TenantInfo) => boolean);
  /** Tenants at a time, 1 to 256. @default 16 */
  readonly concurrency?: number;
  /** What a tenant's failure does: comes as a result, or ends all. A function is told, and decides nothing. @default "result" */
  readonly onError?: "result" | "throw" | ((error: Error, tenant: TenantInfo) => void);
  /** What the token may do that `fn` works with. @default "read-only" */
  readonly access?: Access;
}

export interface Where {
  readonly group?: string;
  /** Ids, or names of databases. */
  readonly tenants?: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

export type ForEachTenant = <Value>(
  fn: (db: Client, tenant: TenantInfo, signal: AbortSignal) => Value | Promise<Value>,
  options?: ForEachOptions,
) => AsyncGenerator<TenantResult<Value>, void, undefined>;

/** Where the tenants are found, and how each is opened; `signal` ends what its client does. */
export interface TenantSource {
  list(where: Where): AsyncIterable<TenantInfo>;
  open(tenant: TenantInfo, access: Access, signal: AbortSignal): Promise<Client>;
}

/**
 * Begins no more tenants than can be under way or wait to be looked at, so that memory does not grow with the fleet. Ends
 * with its consumer: after a `break` no tenant is begun, and no request leaves for those that were.
 */
export function createForEachTenant(source: TenantSource): ForEachTenant {
  return async function* forEachTenant(fn, options = {}) {
    refuseUnknownOptions(options, ["where", "concurrency", "onError", "access"], "forEachTenant");
    const { where = {}, concurrency = 16, onError = "result", access = "read-only" } = options;
    // One that is not understood would be all tenants.
    if (typeof where !== "function") refuseUnknownOptions(where, ["group", "tenants", "labels"], "where");
    if (onError !== "result" && onError !== "throw" && typeof onError !== "function") {
      throw new TenantryError("invalid-input", `onError: it is "result", "throw" or a function.`);
    }
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > 256) {
      throw new TenantryError("invalid-input", `concurrency: ${String(concurrency)} is not from 1 to 256.`);
    }
    type Result = TenantResult<Awaited<ReturnType<typeof fn>>>;
    const filter = typeof where === "function" ? {} : where;
    const wanted = typeof where === "function" ? where : (tenant: TenantInfo) => fits(tenant, where);
    const ending = new AbortController();
    const tenants = source.list(filter)[Symbol.asyncIterator]();
    const done: Result[] = [];
    let underWay = 0;
    let wake = (): void => undefined;

    const work = async (tenant: TenantInfo): Promise<void> => {
      let result: Result;
      try {
        const value = await fn(await source.open(tenant, access, ending.signal), tenant, ending.signal);
        result = { tenant, ok: true, value };
      } catch (thrown) {
        result = { tenant, ok: false, error: thrown instanceof Error ? thrown : new Error(String(thrown)) };
      }
      underWay -= 1;
      done.push(result);
      wake();
    };

    try {
      for (let more = true; more || underWay > 0 || done.length > 0;) {
        while (more && underWay + done.length < concurrency) {
          const next = await tenants.next();
          if (next.done) more = false;
          else if (wanted(next.value)) {
            underWay += 1;
            void work(next.value);
          }
        }
        if (done.length === 0 && underWay > 0) await new Promise<void>((resolve) => (wake = resolve));
        const result = done.shift();
        if (!result) continue;
        if (!result.ok && onError === "throw") throw result.error;
        if (!result.ok && typeof onError === "function") onError(result.error, result.tenant);
        yield result;
      }
    } finally {
      ending.abort();
      await tenants.return?.();
    }
  };
}

function fits({ id, name, group, labels }: TenantInfo, where: Where): boolean {
  if (where.group !== undefined && group !== where.group) return false;
  if (where.tenants && !where.tenants.includes(id) && !where.tenants.includes(name)) return false;
  return Object.entries(where.labels ?? {}).every(
    ([key, value]) => Object.hasOwn(labels, key) && labels[key] === value,
  );
}
