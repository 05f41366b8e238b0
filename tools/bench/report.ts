import { shown } from "./measure";
import type { Extra, Result } from "./row";

const HEADINGS = [
  ...["name", "unit", "ours", "reference", "ratio", "goal", "met", "less a resource"],
  ...["calls", "state B", "peak MiB"],
];

/**
 * For people: a line a row. "less a resource" has ours, and its ratio, less an `up` with one resource that does nothing in
 * place of an empty one. The last three columns have ours / reference, each for one resource but the memory.
 */
export function table(results: readonly Result[]): string {
  const lines = [HEADINGS, ...results.map(cells)];
  const widths = HEADINGS.map((_, i) => Math.max(...lines.map((line) => line[i]!.length)));
  return lines
    .map(
      (line) =>
        `${line
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join("  ")
          .trimEnd()}\n`,
    )
    .join("");
}

function cells({ name, unit, ours, reference, ratio, goal, met, extra }: Result): string[] {
  const bound = goal.of === "ratio" ? `ratio <= ${goal.atMost}` : `ours <= ${goal.atMost} ${unit}`;
  const both = (key: keyof Extra) => {
    const sides = [extra.ours[key], extra.reference[key]];
    return sides.every((side) => side === undefined)
      ? ""
      : sides.map((side) => (side === undefined ? "-" : shown(side))).join(" / ");
  };
  const less = extra.ours.lessResource;
  const ratioLess = less === undefined ? undefined : less / (extra.reference.lessResource ?? reference);
  return [
    ...[name, unit, shown(ours), shown(reference), ratio.toFixed(2), bound, met ? "yes" : "NO"],
    ratioLess === undefined ? "" : `${shown(less!)}, ratio ${ratioLess.toFixed(2)}`,
    ...[both("apiCalls"), both("stateBytes"), both("peakMiB")],
  ];
}

/** For machines: an array with the results as they are, numbers unrounded. */
export const json = (results: readonly Result[]): string => `${JSON.stringify(results, undefined, 2)}\n`;
