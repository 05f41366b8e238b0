import { TenantryError } from "../../../provider/platform/errors";
import type { Scene } from "../registry/scene";
import type { Importable } from "./plan";

/** Of the names asked for, the databases that are there and that the platform cannot list. Asks only; none is taken yet. */
export async function findUnlisted(
  { platform, databases, registries }: Scene,
  names: readonly string[],
  group: string | undefined,
): Promise<Importable[]> {
  const { unlisted } = platform;
  if (!unlisted) return [];
  const found: Importable[] = [];
  for (const name of new Set(names)) {
    if (name.includes("*") || databases.has(name) || !(await unlisted.has(name))) continue;
    const into = group ?? (registries.length === 1 ? registries[0]!.group.name : undefined);
    if (into === undefined) {
      throw new TenantryError("invalid-input", `${name}: it is in no group yet, and there is not just one.`, {
        fix: "Say with --group which one is to have it.",
      });
    }
    found.push({ name, group: into, archived: false });
  }
  return found;
}
