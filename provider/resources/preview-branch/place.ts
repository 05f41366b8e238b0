import type { Context } from "../../context";
import { TenantryError } from "../../platform/errors";
import type { PreviewOf } from "../../preview/order";
import type { PreviewBranchInputs } from "./inputs";

/** Under what the registry has the branches; state keeps it, whatever the resource is called later. */
export type Place = PreviewOf;

/**
 * What is not given: the resource's own address for a repository, so that no other one has the same branches, and the
 * number that its name or its stack's ends with ("pr-42"), else 1.
 */
export async function placeOf(inputs: PreviewBranchInputs, context: Context): Promise<Place> {
  const { repository = addressFor(inputs.self), pullRequest = numberIn(inputs.self) } = inputs;
  return { repository, pullRequest, group: await groupOf(inputs, context) };
}

/** Of parts between slashes, without spaces. */
const addressFor = (self: string): string => self.replace(/\s/g, (space) => encodeURIComponent(space));

export function numberIn(self: string): number {
  const [name = "", stack = ""] = self.split("/").reverse();
  const digits = /(\d{1,9})$/.exec(name)?.[1] ?? /(\d{1,9})$/.exec(stack)?.[1];
  return Math.max(1, Number(digits ?? 1));
}

/** That of all its sources: only there a platform copies. */
async function groupOf({ from }: PreviewBranchInputs, { listing }: Context): Promise<string> {
  const groups = new Map<string, string>();
  for (const { database: name } of from) {
    const database = await listing.database(name);
    if (!database) {
      throw new TenantryError("database-not-found", `from: there is no database "${name}".`, {
        fix: "Pass the TenantDatabase itself, so that it is created first.",
      });
    }
    groups.set(database.group ?? "", name);
  }
  const [first, second] = [...groups];
  if (first && !second) return first[0];
  throw new TenantryError(
    "invalid-input",
    `from: "${first?.[1]}" is in group "${first?.[0]}", and "${second?.[1]}" in group "${second?.[0]}".`,
    { fix: "Declare a PreviewBranch for each group: a branch is in the group of its source." },
  );
}
