import { TenantryError } from "../../../provider/platform/errors";

/** What one check found, in one line. */
export interface Check {
  /** What was looked at: "engine", "token". */
  readonly name: string;
  /** The connection it belongs to; undefined: the stack's own, or none at all. */
  readonly connection?: string;
  readonly status: "ok" | "warning" | "problem";
  readonly found: string;
  /** What to do about it. Always given for a problem that we understand. */
  readonly fix?: string;
}

export const ok = (name: string, found: string): Check => ({ name, status: "ok", found });

export const warning = (name: string, found: string, fix: string): Check => ({ name, status: "warning", found, fix });

export const problem = (name: string, found: string, fix: string): Check => ({ name, status: "problem", found, fix });

/** An error as a finding. What is not a TenantryError is a fault of ours and goes on. */
export function failed(name: string, error: unknown, status: "warning" | "problem" = "problem"): Check {
  if (!(error instanceof TenantryError)) throw error;
  const { message, fix } = error;
  return { name, status, found: fix ? message.slice(0, -fix.length - 1) : message, fix };
}

/** `ok       token: ...`, and for a named connection `ok       eu: token: ...`. */
export function lineOf({ status, connection, name, found, fix }: Check): string {
  const whose = connection === undefined ? "" : `${connection}: `;
  const text = `${whose}${name}: ${found}`.replace(/[.\s]*$/, fix ? "." : "");
  return `${status.padEnd(9)}${fix ? `${text} ${fix}` : text}`.replace(/\s*\n\s*/g, " ");
}

/** "1 group", "2 groups". */
export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? "" : "s"}`;
