import { TenantryError } from "./platform/errors";

const units = { w: 604_800, d: 86_400, h: 3_600, m: 60, s: 1 } as const;
const shape = /^(?:\d+[wdhms])+$/;

/**
 * Reads a duration such as "7d", "1h30m" or "2w" as seconds; "never" is undefined.
 * Anything else (also "0s") is an "invalid-input" error that begins with `where`.
 */
export function parseDuration(text: string, where: string): number | undefined {
  if (text === "never") return undefined;
  const seconds = shape.test(text)
    ? [...text.matchAll(/(\d+)([wdhms])/g)].reduce(
        (sum, [, n, unit]) => sum + Number(n) * units[unit as keyof typeof units],
        0,
      )
    : NaN;
  if (!(seconds > 0) || !Number.isSafeInteger(seconds)) {
    throw new TenantryError("invalid-input", `${where}: "${text}" is not a duration.`, {
      fix: 'Write whole numbers with w, d, h, m or s, such as "7d" or "1h30m"; or "never".',
    });
  }
  return seconds;
}

/** Writes seconds in the shortest form that `parseDuration` reads back: 5400 is "1h30m", undefined is "never". */
export function formatDuration(seconds: number | undefined): string {
  if (seconds === undefined) return "never";
  let rest = seconds;
  let text = "";
  for (const [unit, size] of Object.entries(units)) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text || "0s";
}
