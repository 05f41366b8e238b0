import type { z } from "zod";

/** The keys that a schema knows at a path within it, for did-you-mean. */
export function keysWithin(schema: z.ZodType, path: readonly PropertyKey[] = []): string[] {
  const inner = unwrapped(schema);
  const shape = "shape" in inner ? (inner.shape as Record<PropertyKey, z.ZodType>) : {};
  const [key, ...rest] = path;
  if (key === undefined) return Object.keys(shape);
  return shape[key] ? keysWithin(shape[key], rest) : [];
}

export const unwrapped = (schema: z.ZodType): z.ZodType =>
  "unwrap" in schema ? (schema as z.ZodOptional<z.ZodType>).unwrap() : schema;
