import { existsSync } from "node:fs";
import { chmod, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";
import { isExecutable, onPath, outputOf } from "../engine/command";

const UPDATE_MS = 3 * 60_000;
const DOWNLOAD_MS = 10 * 60_000;
const UNPACK_MS = 2 * 60_000;

/** `${TENANTRY_CACHE ?? XDG_CACHE_HOME ?? ~/.cache}/tenantry/postgres`; root's is where whom it runs as can look. */
export function cachedPostgres(env: NodeJS.ProcessEnv = process.env, isRoot = process.getuid?.() === 0): string {
  const own = isRoot ? "/var/cache" : env["XDG_CACHE_HOME"] || path.join(homedir(), ".cache");
  return path.resolve(env["TENANTRY_CACHE"] || own, "tenantry", "postgres");
}

/** The folder of its programs in what Debian's packages hold, unpacked at `root`; the newest. */
export async function programsIn(root: string): Promise<string | undefined> {
  const base = path.join(root, "usr", "lib", "postgresql");
  const versions = existsSync(base) ? await readdir(base) : [];
  const folders = versions.sort((a, b) => Number(b) - Number(a)).map((version) => path.join(base, version, "bin"));
  return folders.find((folder) => ["initdb", "postgres"].every((name) => isExecutable(path.join(folder, name))));
}

/** Where unpacked programs find their libraries; undefined for those that are installed. */
export async function librariesOf(programs: string): Promise<string | undefined> {
  const root = /^(.+)\/usr\/lib\/postgresql\/[^/]+\/bin\/?$/.exec(programs)?.[1];
  if (root === undefined) return undefined;
  const found: string[] = [];
  for (const base of [path.join(root, "usr", "lib"), path.join(root, "lib")]) {
    const names = existsSync(base) ? await readdir(base) : [];
    found.push(...names.filter((name) => name.endsWith("-linux-gnu")).map((name) => path.join(base, name)));
  }
  return found.join(path.delimiter) || undefined;
}

/**
 * Downloads Debian's packages with the machine's own sources and unpacks them at `target`: nothing is installed, and the
 * package manager's own records are neither read for lists nor written. `options` go to apt-get too.
 */
export async function unpackDebian(target: string, options: readonly string[] = []): Promise<void> {
  for (const program of ["apt-get", "apt-cache", "dpkg-deb"]) {
    if (!onPath(program)) throw new Error(`${program} is not here`);
  }
  await mkdir(path.dirname(target), { recursive: true });
  // Beside its final place, so that it is put there by renaming: a kill leaves nothing half-done.
  const fresh = await mkdtemp(path.join(path.dirname(target), ".new-"));
  try {
    const [lists, cache, packages, root] = ["lists", "cache", "packages", "root"].map((name) => path.join(fresh, name));
    for (const folder of [path.join(lists!, "partial"), path.join(cache!, "archives", "partial"), packages!, root!]) {
      await mkdir(folder, { recursive: true });
    }
    const own = ["-q", "-o", `Dir::State::Lists=${lists!}`, "-o", `Dir::Cache=${cache!}`, "-o", "Debug::NoLocking=1"];
    // Apt's own user cannot write into a private folder, and says so at length.
    const apt = [...own, "-o", "APT::Sandbox::User=root", ...options];
    await outputOf("apt-get", [...apt, "update"], { ms: UPDATE_MS });
    const depends = await outputOf("apt-cache", [...apt.slice(1), "depends", "postgresql"], { ms: UPDATE_MS });
    const server = /Depends: (postgresql-\d+)$/m.exec(depends)?.[1];
    if (server === undefined) throw new Error("apt knows no package of PostgreSQL");
    const simulated = [...apt, "install", "--simulate", "--no-install-recommends", server];
    const plan = await outputOf("apt-get", simulated, { ms: UPDATE_MS });
    // What is installed and would become newer has its older version in brackets: the one that is here will do.
    const missing = [...plan.matchAll(/^Inst (\S+) \(/gm)].map(([, name]) => name!);
    const wanted = [...new Set([server, ...missing])];
    await outputOf("apt-get", [...apt, "download", ...wanted], { ms: DOWNLOAD_MS, cwd: packages! });
    for (const file of await readdir(packages!)) {
      await outputOf("dpkg-deb", ["--extract", path.join(packages!, file), root!], { ms: UNPACK_MS });
    }
    if (!(await programsIn(root!)))
      throw new Error(`the packages hold no programs of PostgreSQL: ${wanted.join(", ")}`);
    await chmod(root!, 0o755);
    await rename(root!, target).catch(async (error: unknown) => {
      // Another run was first.
      if (!(await programsIn(target))) throw error;
    });
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}
