import { TenantryError } from "../platform/errors";

/** One goes first. */
export interface Canary {
  /** The first caller's work runs alone; the others' only after it succeeded. `name` is who it is for. */
  run<Result>(name: string, work: () => Promise<Result>): Promise<Result>;
}

export function createCanary(): Canary {
  let first: { name: string; outcome: Promise<unknown> } | undefined;
  return {
    async run(name, work) {
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
