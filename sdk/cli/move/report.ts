import { stackOf } from "../../../provider/registry/commands";
import type { MovePlan, MoveScene, PlannedMove, Unclear } from "./plan";
import { indented, listed, table } from "../schema/table";

/** Rows that a person reads; `--json` has all. */
const shown = 10;

/** What would be written, before it is. `words`: where they go. */
export function planReport({ stack }: MoveScene, { moves, unclear, there }: MovePlan, words: string): string[] {
  const lines = [`To be handed over to ${words}: ${count(moves.length)}.`];
  if (moves.length > 0) lines.push(...indented(rows(moves, stack.name)));
  if (there > 0) lines.push(`There already: ${count(there)}.`);
  if (unclear.length > 0) lines.push(...unclearReport(unclear));
  return lines;
}

export function unclearReport(unclear: readonly Unclear[]): string[] {
  const more = unclear.length - shown;
  return [
    `Not as it should be, and not handed over: ${count(unclear.length)}.`,
    ...unclear.slice(0, shown).map(({ name, why }) => `  ${name}: ${why}`),
    ...(more > 0 ? [`  and ${more} more (--json lists all)`] : []),
  ];
}

/** What there is to do after it. */
export function afterwards(moves: readonly PlannedMove[], stack: string): string[] {
  const stacks = [...new Set(moves.flatMap(({ claim, to }) => [stackOf(to), stackOf(claim.address)]))];
  return [
    `Handed over: ${count(moves.length)}. No database was touched.`,
    "Now declare them there, take them out where they were, and run `pulumi up`" +
      `${stacks.length > 1 ? ` on ${listed(stacks, 5)}, in any order` : ""}: it creates and deletes none of them.`,
    `Until then \`npx tenantry move --undo --stack ${stack}\` takes it back.`,
  ];
}

function rows(moves: readonly PlannedMove[], stack: string): string[] {
  const short = (address: string): string =>
    address.startsWith(`${stack}/`) ? address.slice(stack.length + 1) : address;
  const first = moves.slice(0, shown).map(({ claim, to }) => [claim.name, short(claim.address), short(to)]);
  const more = moves.length - shown;
  return [
    ...table([["DATABASE", "FROM", "TO"], ...first]),
    ...(more > 0 ? [`and ${more} more (--json lists all)`] : []),
  ];
}

const count = (number: number): string =>
  `${number.toLocaleString("en-US")} ${number === 1 ? "database" : "databases"}`;

/** For programs. `written`: whether the registries have it now. */
export function moveDocument(
  { scope, stack }: MoveScene,
  { moves, unclear, there }: MovePlan,
  written: boolean,
): string {
  const all = moves.map(({ registry, claim, to }) => ({
    ...{ name: claim.name, group: registry.group.name, databaseId: claim.databaseId, from: claim.address, to },
  }));
  return `${JSON.stringify({ scope, stack: stack.name, written, moves: all, there, unclear }, undefined, 2)}\n`;
}
