import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const markers = ["Pulumi.yaml", "Pulumi.yml", "Pulumi.json"];

/**
 * The Pulumi project's folder, from which state names files. The host starts in the program's folder, which `main:` may
 * have put below it.
 */
export function projectFolder(from = process.cwd()): string {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (markers.some((marker) => existsSync(join(folder, marker)))) return folder;
    if (folder === dirname(folder)) return resolve(from);
  }
}
