import type { z } from "zod";
import { didYouMean } from "../../provider/platform/did-you-mean";
import { keysWithin, unwrapped } from "../../provider/resources/schema-keys";
import { ownWayOf } from "../../provider/resources/tenant-fleet/own-ways";
import type { Place, Problems } from "./problems";
import { quoted } from "./problems";

type Path = readonly (string | number)[];

/**
 * Holds `value` against a schema, and reports in our words. Where something is wrong, what is sound of a map is left, so
 * that the rest can be looked at too; undefined where nothing is.
 */
export function accept<S extends z.ZodType>(
  schema: S,
  value: unknown,
  known: readonly string[],
  at: { readonly path: Path; readonly placeOf: (path: Path) => Place },
  problems: Problems,
): z.output<S> | undefined {
  const result = schema.safeParse(value, { error: wordsOf });
  if (result.success) return result.data;
  const wrong = new Set<unknown>();
  for (const issue of result.error.issues) {
    for (const key of issue.path.length > 0 ? [issue.path[0]] : issue.code === "unrecognized_keys" ? issue.keys : []) {
      wrong.add(key);
    }
    const path = [...at.path, ...(issue.path as (string | number)[])];
    if (issue.code !== "unrecognized_keys") {
      problems.add(at.placeOf(path), path, sentence(issue.message));
      continue;
    }
    for (const key of issue.keys) {
      const full = [...path, key];
      const way = ownWayOf(key);
      if (way) {
        problems.add(at.placeOf(full), full, sentence(way));
        continue;
      }
      if (key === "<<") {
        problems.add(at.placeOf(full), full, "maps are not merged here; put what tenants have in common into a plan.");
        continue;
      }
      const guess = didYouMean(key, issue.path.length === 0 ? known : keysWithin(schema, issue.path));
      problems.add(at.placeOf(full), full, `there is no such property${guess ? `; did you mean "${guess}"?` : "."}`);
    }
  }
  if (!isObject(schema) || typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !wrong.has(key))) as z.output<S>;
}

const isObject = (schema: z.ZodType): boolean => "shape" in unwrapped(schema);

export const keysOf = (schema: z.ZodType): string[] => keysWithin(schema);

const sentence = (text: string): string => (/[.?]$/.test(text) ? text : `${text}.`);

const kinds: Readonly<Record<string, string>> = {
  string: "text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "a map",
  record: "a map",
  array: "a list",
};

function wordsOf(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_type") {
    if (issue.input === undefined) return "is missing";
    const found = kindOf(issue.input);
    const inQuotes = issue.expected === "string" && /number|true/.test(found) ? "; put it in quotes" : "";
    return `must be ${kinds[issue.expected] ?? issue.expected}, not ${found}${inQuotes}`;
  }
  if (issue.code === "invalid_value") {
    const values = issue.values.map(String);
    const one = `must be ${values.length > 1 ? "one of " : ""}${values.map((value) => `"${value}"`).join(", ")}`;
    if (issue.input === undefined) return "is missing";
    if (typeof issue.input !== "string") return `${one}, not ${kindOf(issue.input)}`;
    const guess = didYouMean(issue.input, values);
    return guess ? `${quoted(issue.input)} is none of its values; did you mean "${guess}"?` : one;
  }
  if (issue.code === "invalid_key") return "is no key that can be used";
  return undefined;
}

function kindOf(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  return { string: "text", number: "a number", boolean: "true or false" }[typeof value as string] ?? "a map";
}
