import { createHash } from "node:crypto";

/** A name valid everywhere, made from a resource's name; stable, and empty only where no letter or digit is left. */
export function nameFrom(resourceName: string, maxLength = 64, separator: "-" | "_" = "-"): string {
  const slug = resourceName
    .normalize("NFKD")
    .toLowerCase()
    .replace(/[\u0300-\u036f]/g, "")
    .replace(/[^a-z0-9]+/g, separator)
    .replace(/^[-_]+|[-_]+$/g, "");
  if (slug.length <= maxLength) return slug;
  const tail = createHash("sha256").update(resourceName).digest("hex").slice(0, 8);
  return `${slug.slice(0, maxLength - 9).replace(/[-_]+$/, "")}${separator}${tail}`;
}
