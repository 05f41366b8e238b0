import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import type { ManifestFiles } from "../../sdk/manifest/files";
import { loadManifest } from "../../sdk/manifest/load";
import { Problems, inOrder, problemLine } from "../../sdk/manifest/problems";
import { resolveManifest } from "../../sdk/manifest/resolve";

/** Files by path, as on a disk. */
export function filesOf(texts: Readonly<Record<string, string>>): ManifestFiles {
  const isFolder = (of: string) => Object.keys(texts).some((file) => file.startsWith(`${of}/`));
  return {
    kindOf: (of) => (of in texts ? "file" : isFolder(of) ? "folder" : undefined),
    namesIn: (folder) =>
      Object.keys(texts)
        .filter((file) => file.startsWith(`${folder}/`))
        .map((file) => file.slice(folder.length + 1)),
    read: (file) => new TextEncoder().encode(texts[file]),
  };
}

/** A manifest of one file, with what it comes to; fails where anything is wrong with it. */
export function resolved(yaml: string) {
  const manifest = loadManifest("tenants.yaml", { files: filesOf({ "tenants.yaml": `version: 1\n${yaml}` }) });
  return { manifest, resolved: resolveManifest(manifest) };
}

export const tenantsOf = (yaml: string) => resolved(yaml).resolved.tenants;

/** All that is wrong with a manifest's files, a line each. */
export function problemsOf(texts: Readonly<Record<string, string>> | string, at = "tenants.yaml"): string[] {
  const files = filesOf(typeof texts === "string" ? { [at]: texts } : texts);
  const problems = new Problems();
  resolveManifest(loadManifest(at, { files, problems }), { problems });
  return inOrder(problems.all).map(problemLine);
}

/** A folder with these files, gone afterwards. */
export async function withFolder<T>(texts: Record<string, string>, use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(path.join(tmpdir(), "tenantry-manifest-"));
  try {
    writeFiles(folder, texts);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function writeFiles(folder: string, texts: Record<string, string>): void {
  for (const [name, text] of Object.entries(texts)) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), text);
  }
}
