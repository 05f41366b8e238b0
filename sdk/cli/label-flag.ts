import { InvalidArgumentError } from "commander";

/** A label such as "ring=beta"; repeatable, and all must be true. */
export function labelOf(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const [, key, value] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (key === undefined) throw new InvalidArgumentError('It must be a label, such as "ring=beta".');
  return { ...before, [key]: value! };
}
