import { shown } from "./measure";
import type { Extra, Result } from "./row";

const HEADINGS = ["name", "unit", "ours", "reference", "ratio", "goal", "met", "calls", "state B", "peak MiB"];

/** For people: a line a row. The last three columns have ours / reference, each for one resource but the memory. */
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
  return [
    ...[name, unit, shown(ours), shown(reference), ratio.toFixed(2), bound, met ? "yes" : "NO"],
    ...[both("apiCalls"), both("stateBytes"), both("peakMiB")],
  ];
}

/** For machines: an array with the results as they are, numbers unrounded. */
export const json = (results: readonly Result[]): string => `${JSON.stringify(results, undefined, 2)}\n`;
