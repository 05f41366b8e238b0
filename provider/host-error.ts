import { TenantryError } from "./platform/errors";

/**
 * An error as the host likes it. It prints `${error}: ${error.stack}` for each and sends the message to the engine, so
 * name and stack are kept short and the message carries all; with `id`, `properties` and `reasons` the engine keeps the
 * resource, unfinished.
 */
export class HostError extends Error {
  readonly id?: string;
  readonly properties?: object;
  readonly reasons?: readonly string[];

  constructor(error: unknown, kept?: { id: string; properties: object }) {
    super(messageOf(error));
    this.stack = error instanceof TenantryError ? error.code : this.message;
    if (kept) Object.assign(this, { ...kept, reasons: [this.message] });
  }

  override toString(): string {
    return "tenantry";
  }
}

/** For a defect of our own the stack is the only help there is; everything else was written for people. */
export function messageOf(error: unknown): string {
  if (error instanceof TenantryError) return error.message;
  if (error instanceof Error) return `Internal error, please report it: ${error.stack ?? error.message}`;
  return String(error);
}
