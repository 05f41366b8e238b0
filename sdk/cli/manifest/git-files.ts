import { spawnSync } from "node:child_process";
import { TenantryError } from "../../../provider/platform/errors";
import type { ManifestFiles } from "../../manifest/files";

const most = 64 * 1024 * 1024;

/**
 * The files of a commit, by the same paths as on disk. Needs `git` on PATH, and a repository here. Fails with
 * "invalid-input" for what is no commit.
 */
export function filesInGit(ref: string): ManifestFiles {
  // What begins with a dash would be an option.
  const commit = ref.startsWith("-") ? undefined : git(["rev-parse", "--verify", "--quiet", `${ref}^{commit}`]);
  if (commit === undefined) {
    throw new TenantryError("invalid-input", `git:${ref}: there is no such commit in this repository.`, {
      fix: "A checkout for a pull request may lack the branch: `git fetch origin main`, then git:origin/main.",
    });
  }
  const id = commit.toString().trim();
  const at = (path: string): string => `${id}:${fromHere(path)}`;
  return {
    kindOf: (path) => {
      const type = git(["cat-file", "-t", at(path)])
        ?.toString()
        .trim();
      return type === "blob" ? "file" : type === "tree" ? "folder" : undefined;
    },
    namesIn: (folder) =>
      required(git(["ls-tree", "--full-tree", "--name-only", "-z", at(folder)]), ref, folder)
        .toString()
        .split("\0")
        .filter(Boolean),
    read: (file) => required(git(["cat-file", "blob", at(file)]), ref, file),
  };
}

/** As git takes a path of the working folder, wherever in the repository that is. */
function fromHere(path: string): string {
  const plain = path.replaceAll("\\", "/");
  return plain.startsWith("../") || plain.startsWith("./") ? plain : `./${plain}`;
}

function required(found: Buffer | undefined, ref: string, path: string): Buffer {
  if (found) return found;
  throw new TenantryError("invalid-input", `git:${ref}: ${path} is not in that commit.`, {
    fix: "Name a commit that has it.",
  });
}

function git(args: readonly string[]): Buffer | undefined {
  const { status, stdout, error } = spawnSync("git", args, { maxBuffer: most, stdio: ["ignore", "pipe", "ignore"] });
  if (error && "code" in error && error.code === "ENOENT") {
    throw new TenantryError("invalid-input", "`git` is not on PATH.", { fix: "Compare two files, or install it." });
  }
  return status === 0 ? stdout : undefined;
}
