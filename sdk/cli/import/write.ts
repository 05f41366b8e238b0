import { existsSync, linkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { TenantryError } from "../../../provider/platform/errors";
import type { ManifestFiles } from "../../manifest/files";
import { loadManifest } from "../../manifest/load";
import { resolveManifest } from "../../manifest/resolve";
import type { ImportedTenant } from "./plan";

/** Fails with "already-exists" before anything is asked, where a file would be overwritten that nobody said may be. */
export function requireFree(file: string, force: boolean | undefined): void {
  if (!force && existsSync(file)) throw inTheWay(file);
}

/** Whole or not at all. */
export function writeManifest(file: string, text: string, force: boolean | undefined): void {
  const part = `${file}.${process.pid}.part`;
  try {
    writeFileSync(part, text);
    if (force) renameSync(part, file);
    else linkSync(part, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") throw inTheWay(file);
    throw new TenantryError(
      "invalid-input",
      `${file}: it cannot be written (${(error as NodeJS.ErrnoException).code}).`,
      { fix: "Choose another one with --out." },
    );
  } finally {
    rmSync(part, { force: true });
  }
}

const inTheWay = (file: string): TenantryError =>
  new TenantryError("already-exists", `${file} exists already, and was left as it is.`, {
    fix: "Choose another one with --out, or pass --force to overwrite it.",
  });

/** Reads the manifest as a deploy will: it must come to exactly these databases. Fails with "invalid-input". */
export function requireSame(file: string, text: string, tenants: readonly ImportedTenant[]): void {
  const bytes = Buffer.from(text);
  const files: ManifestFiles = { kindOf: () => "file", namesIn: () => [], read: () => bytes };
  const resolved = new Map(resolveManifest(loadManifest(file, { files })).tenants.map((one) => [one.id, one]));
  for (const { id, name, group } of tenants) {
    const found = resolved.get(id);
    if (found?.name !== name || found.group !== group || found.adopt !== "unowned") {
      throw new TenantryError(
        "invalid-input",
        `${name}: the manifest cannot say this database, so it was not written.`,
        { fix: "Leave it out by names or --group, and report this." },
      );
    }
  }
}
