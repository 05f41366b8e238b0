import { TenantryError } from "../../../provider/platform/errors";
import { type ManifestFiles, filesOnDisk } from "../../manifest/files";
import type { Side } from "../../manifest/changes";
import { loadManifest } from "../../manifest/load";
import { Problems, problemsText } from "../../manifest/problems";
import { resolveManifest } from "../../manifest/resolve";

/** For a manifest that leaves it to its program. */
export const groupOption = [
  "--group <name>",
  "of tenants for whom the manifest has none, as the fleet's `group`",
] as const;

/** Where a manifest is looked for when nobody says where it is. */
const usual = ["tenants.yaml", "tenants.yml", "tenants.json", "tenants"];

/** The path given, or the usual one in this folder. Fails with "invalid-input" where there is none. */
export function manifestPath(given: string | undefined): string {
  if (given !== undefined) return given;
  const found = usual.find((path) => filesOnDisk.kindOf(path) !== undefined);
  if (found !== undefined) return found;
  throw new TenantryError("invalid-input", "There is no manifest in this folder.", {
    fix: "Give its path, or write ./tenants.yaml.",
  });
}

/** Everything that is wrong with a manifest is in `problems`. `group`: that of the program. */
export function readManifest(
  path: string,
  group?: string,
  files: ManifestFiles = filesOnDisk,
): Side & { readonly problems: Problems } {
  const problems = new Problems();
  const manifest = loadManifest(path, { files, problems });
  const resolved = resolveManifest(manifest, { problems, group });
  return { manifest, resolved, problems };
}

/** The same, failing with "invalid-input" where anything is wrong. `where` is told then. */
export function requireManifest(path: string, group: string | undefined, files: ManifestFiles, where: string): Side {
  const { problems, ...side } = readManifest(path, group, files);
  if (problems.all.length === 0) return side;
  throw new TenantryError(
    "invalid-input",
    `${where} is no manifest that can be compared.\n${problemsText(problems.all)}`,
  );
}
