/**
 * What may leave a handler. The host turns undefined, functions, symbols and BigInt into an error *after* the remote
 * object exists, makes Date and Map into `{}`, and rounds what it cannot hold; so every reply is cleaned here.
 */
export function respond(outputs: object): Record<string, unknown> {
  return clean(outputs, "") as Record<string, unknown>;
}

function clean(value: unknown, path: string): unknown {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number") {
    if (Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value))) return value;
    throw new TypeError(`${path}: ${value} cannot be kept in state`);
  }
  if (typeof value === "bigint") return value.toString();
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map((item, i) => clean(item ?? null, `${path}[${i}]`));
  if (value instanceof Map) return clean(Object.fromEntries(value), path);
  if (
    typeof value === "object" &&
    (Object.getPrototypeOf(value) === Object.prototype || Object.getPrototypeOf(value) === null)
  ) {
    return Object.fromEntries(
      Object.entries(value)
        .filter(([, item]) => item !== undefined)
        .map(([key, item]) => [key, clean(item, path ? `${path}.${key}` : key)]),
    );
  }
  throw new TypeError(`${path}: a ${typeof value} cannot be kept in state`);
}
