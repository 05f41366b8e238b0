import { TenantryError } from "../../provider/platform/errors";

/**
 * What a name says when it is read by a pattern, such as `tenant-{id}-{label:tier}` on "tenant-acme-gold": the parts in
 * braces, by what is in them. Each takes as little as it can, the last one all there is.
 */
export type NamePattern = (name: string) => Readonly<Record<string, string>> | undefined;

/** Fails with "invalid-input" where a part is not one of `allowed` (a name, or a beginning that ends in ":"). */
export function parseNamePattern(text: string, flag: string, allowed: readonly string[]): NamePattern {
  const keys: string[] = [];
  const pieces = text.split(/(\{[^{}]*\})/);
  const source = pieces.map((piece, i) => {
    if (i % 2 === 0) return piece.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    const key = piece.slice(1, -1).trim();
    keys.push(key);
    return "(.+?)";
  });
  const isAllowed = (key: string): boolean =>
    allowed.some((one) => (one.endsWith(":") ? key.startsWith(one) && key.length > one.length : key === one));
  const stranger = keys.find((key) => !isAllowed(key));
  const twice = keys.find((key, i) => keys.indexOf(key) !== i);
  const touching = /\}\{/.test(text);
  const wrong =
    stranger !== undefined
      ? `{${stranger}} is nothing that a name can say; there is ${allowed.map((one) => `{${one.endsWith(":") ? `${one}...` : one}}`).join(", ")}`
      : twice !== undefined
        ? `{${twice}} is in it twice`
        : !keys.includes("id")
          ? "it has no {id}"
          : touching
            ? "two parts touch each other, so that nobody can tell where one ends"
            : undefined;
  if (wrong !== undefined) {
    throw new TenantryError("invalid-input", `${flag}: "${text}": ${wrong}.`, { fix: 'Such as "tenant-{id}".' });
  }
  const whole = new RegExp(`^${source.join("")}$`);
  return (name) => {
    const match = whole.exec(name);
    return match ? Object.fromEntries(keys.map((key, i) => [key, match[i + 1]!])) : undefined;
  };
}

/** Whether a name fits one of the globs: `*` stands for any letters, `?` for one. No globs: every name does. */
export function globs(patterns: readonly string[]): (name: string) => boolean {
  const all = patterns.map(
    (text) =>
      new RegExp(
        `^${text
          .replace(/[.+^${}()|[\]\\]/g, "\\$&")
          .replaceAll("*", ".*")
          .replaceAll("?", ".")}$`,
      ),
  );
  return (name) => all.length === 0 || all.some((one) => one.test(name));
}
