import { withRegistrySql } from "../../../provider/registry/inspect";
import { writeMoves } from "../../../provider/registry/move";
import type { Scene } from "../registry/scene";
import type { MoveScene, PlannedMove, Unclear } from "./plan";

/** Writes the hand-overs, each registry's in as few transactions as there can be. Answers what was changed meanwhile. */
export async function handOver({ platform }: Scene, moves: readonly PlannedMove[]): Promise<Unclear[]> {
  const left: Unclear[] = [];
  for (const registry of new Set(moves.map((move) => move.registry))) {
    const { group, database } = registry;
    const its = moves.filter((move) => move.registry === registry);
    const access = { platform, group: group.name, database: database!, access: "full-access" } as const;
    const all = its.map(({ claim, to }) => ({ claim, address: to }));
    for (const claim of await withRegistrySql(access, (sql) => writeMoves(sql, all))) {
      left.push({
        name: claim.name,
        why: `somebody changed its claim in this moment: it belongs to ${claim.address} now`,
      });
    }
  }
  return left;
}

/** What was handed over by or to this stack, and nobody has taken yet, as moves back. */
export function untaken({ registries, stack }: MoveScene): PlannedMove[] {
  const isOurs = (address: string): boolean => address.startsWith(`${stack.name}/`);
  return registries.flatMap((registry) =>
    [...registry.untaken].flatMap(([claim, from]) =>
      isOurs(from) || isOurs(claim.address) ? [{ registry, claim, to: from }] : [],
    ),
  );
}
