import { InvalidArgumentError } from "commander";
import type { Where } from "../../client";

export interface EachFlags {
  readonly where?: Where;
  readonly tenants?: readonly string[];
  readonly manifest?: string;
  readonly concurrency?: number;
  readonly access?: "read-only" | "read-write" | "full-access";
  readonly json?: boolean;
  readonly openmetrics?: boolean;
}

/** "group=eu", or a label of the manifest such as "ring=beta"; repeatable, and all must be true. */
export function whereOf(text: string, before: Where = {}): Where {
  const [, key, value] = /^([^=\s]+)=(\S+)$/.exec(text) ?? [];
  if (key === undefined || value === undefined) {
    throw new InvalidArgumentError('It must be "group=eu", or a label such as "ring=beta".');
  }
  if (key === "group") return { ...before, group: value };
  return { ...before, labels: { ...before.labels, [key]: value } };
}
