import { TenantryError } from "../../platform/errors";

/** No limit, as the server writes it: 10^18 bytes. */
const unlimited = 1e18;
const units: Record<string, number> = { "": 1, b: 1, kb: 1e3, mb: 1e6, gb: 1e9, tb: 1e12, pb: 1e15 };
/** The server counts in pages. */
const page = 4_096;

/** Bytes of a size such as "256mb" (of 1,000 each, as the server counts them); "0" is no limit. */
export function bytesOf(size: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([kmgtp]?b?)$/i.exec(size) ?? [];
  const bytes = Number(number) * (units[(unit ?? "").toLowerCase()] ?? NaN);
  if (bytes === 0) return unlimited;
  if (bytes >= page && bytes <= unlimited) return bytes;
  throw new TenantryError("invalid-input", `sizeLimit: "${size}" is not a size that libsql-server takes.`, {
    fix: 'Write one such as "256mb", of 4,096 bytes at least; "0" is no limit.',
  });
}

/**
 * What is told of the limit: what was asked for, where the server still has that (it tells rounded values: "999.4 KB" of
 * "1mb"), else its own word; undefined where there is none.
 */
export function tellSize(told: unknown, asked: string | undefined): string | undefined {
  if (typeof told !== "string") return asked;
  const [, number, unit] = /^(\d+(?:\.\d+)?)\s*([kmgtp]?b)$/i.exec(told) ?? [];
  if (number === undefined) return asked;
  const has = Number(number) * units[unit!.toLowerCase()]!;
  const wanted = asked === undefined ? unlimited : bytesOf(asked);
  // A page, and half of the last digit that is told.
  if (Math.abs(has - wanted) <= page + 0.0501 * units[unit!.toLowerCase()]!) return asked;
  return has >= unlimited * 0.99 ? undefined : told.replaceAll(" ", "").toLowerCase();
}
