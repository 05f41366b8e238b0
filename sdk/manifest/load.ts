import { basename, dirname, extname, join, normalize } from "node:path";
import { TenantryError } from "../../provider/platform/errors";
import { Assembly } from "./assembly";
import type { Manifest } from "./definition";
import { readDocument } from "./document";
import { type ManifestFiles, filesOnDisk } from "./files";
import { Problems } from "./problems";
import { readRows } from "./rows";

/** Of all files together: 20,000 tenants with six settings each are 3 MB. */
const mostBytes = 4 * 1024 * 1024;
const mostFiles = 1_000;
const endings = [".yaml", ".yml", ".json", ".csv"];

export interface LoadOptions {
  /** @default the disk */
  readonly files?: ManifestFiles;
  /** What is wrong is put here, and not thrown: then it is the caller's to look. */
  readonly problems?: Problems;
}

/**
 * Reads a manifest: a YAML or JSON file, or a folder of such files and of CSV files. Paths in it are taken from where it
 * stands, and are relative to where `path` is. Fails with "invalid-input": all that is wrong, each with file, line and
 * column.
 */
export function loadManifest(path: string, options: LoadOptions = {}): Manifest {
  const { files = filesOnDisk } = options;
  const problems = options.problems ?? new Problems();
  const manifest = new Loading(files, problems).load(normalize(path));
  if (!options.problems) problems.throwIfAny();
  return manifest;
}

class Loading {
  private bytes = 0;

  constructor(
    private readonly files: ManifestFiles,
    private readonly problems: Problems,
  ) {}

  load(path: string): Manifest {
    const assembly = new Assembly(this.problems);
    for (const file of this.filesAt(path)) {
      if (extname(file) === ".csv") this.addRows(file, assembly);
      else this.addDocument(file, assembly);
    }
    return assembly.finish(path);
  }

  private filesAt(path: string): string[] {
    const kind = this.files.kindOf(path);
    if (kind === undefined) {
      throw new TenantryError("invalid-input", `${path}: there is no such file or folder.`, {
        fix: "Give the path of a manifest, such as ./tenants.yaml.",
      });
    }
    if (kind === "file") {
      if (extname(path) !== ".csv") return [path];
      throw new TenantryError("invalid-input", `${path}: rows alone are no manifest.`, {
        fix: `Write one beside that names it: \`tenants: ${basename(path)}\`.`,
      });
    }
    const names = this.files.namesIn(path).filter((name) => !name.startsWith(".") && endings.includes(extname(name)));
    if (names.length === 0 || names.length > mostFiles) {
      throw new TenantryError(
        "invalid-input",
        `${path}: there are ${names.length || "no"} .yaml, .json or .csv files in it.`,
        { fix: names.length === 0 ? "Write a manifest there." : `At most ${mostFiles} make a manifest.` },
      );
    }
    return [...names].sort().map((name) => join(path, name));
  }

  private addDocument(file: string, assembly: Assembly): void {
    const text = this.textOf(file);
    const read = text === undefined ? undefined : readDocument(file, text, this.problems);
    if (read)
      assembly.addDocument(file, read, {
        fromFile: (path) => join(dirname(file), path),
        isFile: (csv) => this.files.kindOf(csv) === "file",
        rows: (csv) => this.addRows(csv, assembly),
      });
  }

  private addRows(file: string, assembly: Assembly): void {
    const text = this.textOf(file);
    if (text !== undefined) assembly.addRows(readRows(file, text, this.problems));
  }

  private textOf(file: string): string | undefined {
    const bytes = this.files.read(file);
    this.bytes += bytes.length;
    if (this.bytes > mostBytes) {
      throw new TenantryError("invalid-input", `${file}: the manifest is larger than ${mostBytes / 1024 / 1024} MB.`, {
        fix: "Put what tenants have in common into plans and defaults, or split the fleet.",
      });
    }
    try {
      return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    } catch {
      this.problems.add({ file }, [], "it is not UTF-8 text.");
      return undefined;
    }
  }
}
