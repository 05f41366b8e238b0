import { type ZodType, z } from "zod";
import type { Capabilities } from "../platform/capabilities";
import { didYouMean } from "../platform/did-you-mean";
import { isReserved, reservedPrefix } from "../registry/reserved-names";
import type { Failure } from "./handler";
import { nameFrom } from "./name";
import { keysWithin } from "./schema-keys";
import { hasUnknown } from "./unknown";

/** What every resource takes, as in CommonInputs. */
export const commonShape = {
  self: z.string(),
  formerly: z.array(z.string()).optional(),
  connection: z.string().optional(),
};

/** What every resource with a name of its own takes. */
export const nameShape = { name: z.string(), nameIsDefault: z.boolean().optional() };

const label = z.string("must be a text");
const fits = (text: string): boolean => text.length >= 1 && text.length <= 63;

/** Words by which tenants are told apart, such as `{ ring: "beta" }`. */
export const labelsShape = z
  .record(label, label)
  .refine((labels) => Object.keys(labels).length <= 32, "there are at most 32")
  .refine((labels) => Object.entries(labels).flat().every(fits), "keys and values have 1 to 63 characters");

/**
 * What a zod schema has against the inputs, as sentences. A property that is not known yet is not judged; an unknown
 * key is an error, because an ignored one is a setting that silently does not hold.
 */
export function judge(schema: ZodType, news: Record<string, unknown>, known: readonly string[]): Failure[] {
  const result = schema.safeParse(news);
  const open = new Set(Object.keys(news).filter((key) => hasUnknown(news[key])));
  const failures = result.success
    ? []
    : result.error.issues
        .filter((issue) => !open.has(String(issue.path[0])))
        .flatMap((issue): Failure[] =>
          issue.code === "unrecognized_keys"
            ? issue.keys.map((key) => {
                const there = issue.path.length > 0 ? keysWithin(schema, issue.path) : known;
                return unknownKey([...issue.path, key].join("."), key, there);
              })
            : [`${issue.path.join(".") || "inputs"}: ${wordsOf(issue, news)}`],
        );
  return failures;
}

function unknownKey(path: string, key: string, known: readonly string[]): Failure {
  const guess = didYouMean(key, known);
  return `${path}: there is no such property${guess ? `; did you mean "${guess}"?` : "."}`;
}

function wordsOf(issue: z.core.$ZodIssue, news: unknown): string {
  // What a schema says in words of its own stands.
  if (issue.code !== "invalid_value" || !issue.message.startsWith("Invalid option"))
    return `${lowerFirst(issue.message)}.`;
  const given = issue.path.reduce((within, key) => (within as Record<PropertyKey, unknown> | undefined)?.[key], news);
  const values = issue.values.map(String);
  const one = `must be one of ${values.map((value) => `"${value}"`).join(", ")}`;
  const guess = typeof given === "string" && didYouMean(given, values);
  return guess ? `${one}; did you mean "${guess}"?` : `${one}.`;
}

const lowerFirst = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** What the platform has against a name. `path` is the property's. */
export function judgeName(path: string, name: unknown, { names }: Capabilities): Failure[] {
  if (typeof name !== "string" || hasUnknown(name)) return [];
  if (isReserved(name)) return [`${path}: "${name}" begins with "${reservedPrefix}", which Tenantry keeps for itself.`];
  if (names.pattern.test(name) && name.length <= names.maxLength) return [];
  const proposal = nameFrom(name, names.maxLength, names.separator);
  return [`${path}: "${name}" is not a valid name: ${names.rule}` + `${proposal ? `; "${proposal}" would be` : ""}.`];
}

/** A default name as the platform can have it: the program, which made it, does not know the platform. */
export function fitDefaultName<I extends { name?: string; nameIsDefault?: boolean }>(
  news: I,
  { names }: Capabilities,
): I {
  const { name } = news;
  if (!news.nameIsDefault || typeof name !== "string" || hasUnknown(name) || names.pattern.test(name)) return news;
  return { ...news, name: nameFrom(name, names.maxLength, names.separator) };
}

/** Keeps the name that a resource got by default when its Pulumi name changes (aliases). */
export function keepDefaultName<I extends { name?: string; nameIsDefault?: boolean }>(news: I, olds: I | undefined): I {
  return news.nameIsDefault && olds?.nameIsDefault && olds.name ? { ...news, name: olds.name } : news;
}
