import { redact } from "./http/redact";
import { SqlError, TenantryError } from "./platform/errors";

/** What the host prints for one of our errors; the engine shows the message itself, on the resource's line. */
const printed = "tenantry: reported";

/** Many resources can wait for one call: its failure is explained at the first of them. */
const explained = new WeakSet<TenantryError>();

/**
 * An error as the host likes it. It prints `${error}: ${error.stack}` for each and sends the message to the engine, so
 * name and stack are constant and the message carries all; with `id`, `properties` and `reasons` the engine keeps the
 * resource, unfinished.
 */
export class HostError extends Error {
  readonly id?: string;
  readonly properties?: object;
  readonly reasons?: readonly string[];

  constructor(error: unknown, kept?: { id: string; properties: object }) {
    super(messageOf(error));
    this.stack = "reported";
    if (kept) Object.assign(this, { ...kept, reasons: [this.message] });
  }

  override toString(): string {
    return "tenantry";
  }
}

/** Keeps the host from printing every error a second time, without its resource. */
export function silenceHost(): void {
  const print = console.error;
  console.error = (...values: unknown[]) => {
    if (values[0] !== printed) print(...values);
  };
}

/**
 * For a defect of our own the stack is the only help there is; everything else was written for people, and redacted by
 * who wrote it. Nobody wrote a defect's text: it may hold whatever was being worked on.
 */
function messageOf(error: unknown): string {
  if (error instanceof TenantryError) {
    if (explained.has(error)) return `Not done, for the reason given at another resource (${error.code}).`;
    explained.add(error);
    return error.message;
  }
  if (error instanceof SqlError) return `A database refused: ${error.message} (${error.code}).`;
  if (error instanceof Error) return `Internal error, please report it: ${redact(error.stack ?? error.message)}`;
  return redact(String(error));
}
