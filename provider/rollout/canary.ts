import { TenantryError } from "../platform/errors";

/** One goes first. */
export interface Canary {
  /** The first caller's work runs alone; the others' only after it succeeded. `name` is who it is for. */
  run<Result>(name: string, work: () => Promise<Result>): Promise<Result>;
}

/** With `wanted` false everybody runs at once. */
export function createCanary(wanted: boolean): Canary {
  let first: { name: string; outcome: Promise<unknown> } | undefined;
  return {
    async run(name, work) {
      if (!wanted) return work();
      if (!first) {
        const outcome = work();
        first = { name, outcome };
        return outcome;
      }
      try {
        await first.outcome;
      } catch {
        throw new TenantryError(
          "migration-failed",
          `${name}: not migrated, because ${first.name} went first and failed.`,
        );
      }
      return work();
    },
  };
}
