import { mkdir, mkdtemp, readFile, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { isExecutable, onPath, outputOf } from "../engine/command";
import { withProgress } from "../progress";

const PACKAGE = "github.com/rhysd/actionlint/cmd/actionlint";
/** It takes seconds, after its modules are downloaded. */
const BUILD_MS = 5 * 60_000;

/**
 * The program that checks workflow files of GitHub Actions: ACTIONLINT_BIN, `actionlint` on PATH, the one of an earlier
 * run, or a build from its Go module, pinned by go.mod and go.sum beside this file.
 * Fails with one line that says what to do.
 */
export async function findActionlint(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const given = env["ACTIONLINT_BIN"];
  if (given) {
    if (isExecutable(given)) return given;
    throw new Error(`ACTIONLINT_BIN: ${given} is not a program.`);
  }
  const found = onPath("actionlint", env["PATH"]);
  if (found) return found;
  const cached = await cachedActionlint(env);
  if (isExecutable(cached)) return cached;
  try {
    const go = onPath("go", env["PATH"]);
    if (!go) throw new Error("no go on PATH");
    await withProgress("building actionlint from its Go module", () => build(go, cached, env));
    return cached;
  } catch (error) {
    throw new Error(`No actionlint: ${(error as Error).message}. Install it, or set ACTIONLINT_BIN to the program.`);
  }
}

/** `${TENANTRY_CACHE ?? XDG_CACHE_HOME ?? ~/.cache}/tenantry/actionlint/<version>-<platform>-<arch>/actionlint`. */
async function cachedActionlint(env: NodeJS.ProcessEnv): Promise<string> {
  const pinned = await readFile(path.join(__dirname, "go.mod"), "utf8");
  const version = /rhysd\/actionlint v(\S+)/.exec(pinned)![1]!;
  const base = env["TENANTRY_CACHE"] || env["XDG_CACHE_HOME"] || path.join(homedir(), ".cache");
  const folder = `${version}-${process.platform}-${process.arch}`;
  return path.resolve(base, "tenantry", "actionlint", folder, "actionlint");
}

async function build(go: string, target: string, env: NodeJS.ProcessEnv): Promise<void> {
  const folder = path.dirname(target);
  await mkdir(folder, { recursive: true });
  // Beside its final place, so that it is put there by renaming: a kill leaves no half file.
  const fresh = await mkdtemp(path.join(folder, ".new-"));
  try {
    const program = path.join(fresh, "actionlint");
    const args = ["build", "-mod=readonly", "-buildvcs=false", "-trimpath", "-o", program, PACKAGE];
    await outputOf(go, args, { ms: BUILD_MS, cwd: __dirname, env: { ...env, CGO_ENABLED: "0", GOWORK: "off" } });
    await rename(program, target);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}
