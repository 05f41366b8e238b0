import type * as pulumi from "./pulumi";

/**
 * Whether a value is known in a preview: an output of a resource is, only if the resource stays as it is. False for one
 * that failed.
 */
export function isKnown(output: pulumi.Output<unknown>): Promise<boolean> {
  // What the SDK itself asks; it has no public question for it.
  return (output as unknown as { isKnown: Promise<boolean> }).isKnown.catch(() => false);
}

/** The value, or undefined where a part of it is known only once something else is done. */
export async function settled<T>(output: pulumi.Output<T>): Promise<T | undefined> {
  if (!(await isKnown(output))) return undefined;
  return new Promise((resolve) => output.apply((value) => resolve(value as T)));
}
