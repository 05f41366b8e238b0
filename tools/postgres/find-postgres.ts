import { execFile } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Where Debian's packages put it, the newest first. */
const debian = "/usr/lib/postgresql";

/**
 * The folder of PostgreSQL's programs: PG_BIN, PATH, or Debian's package, which is installed where this runs as root on
 * such a machine. Fails with what to do.
 */
export async function findPostgres(): Promise<string> {
  const found = lookAround();
  if (found) return found;
  const isRoot = process.getuid?.() === 0;
  if (isRoot && existsSync("/usr/bin/apt-get")) {
    process.stderr.write("PostgreSQL is not here: installing Debian's package.\n");
    await install();
    const installed = lookAround();
    if (installed) return installed;
  }
  throw new Error(
    "PostgreSQL is needed here and was not found. Install it (Debian: apt-get install postgresql), or name the folder of " +
      "its programs in PG_BIN.",
  );
}

function lookAround(): string | undefined {
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    process.env["PG_BIN"],
    ...versions.map((version) => path.join(debian, version, "bin")),
    ...(process.env["PATH"] ?? "").split(path.delimiter),
  ];
  return folders.find(
    (folder) => folder && ["initdb", "postgres"].every((name) => existsSync(path.join(folder, name))),
  );
}

async function install(): Promise<void> {
  // Its own cluster is nobody's here.
  mkdirSync("/etc/postgresql-common", { recursive: true });
  const settings = "/etc/postgresql-common/createcluster.conf";
  if (!existsSync(settings)) writeFileSync(settings, "create_main_cluster = false\n");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  try {
    await run("apt-get", ["update", "-q"], { env });
    await run("apt-get", ["install", "-y", "-q", "--no-install-recommends", "postgresql"], { env });
  } catch (error) {
    process.stderr.write(`Installing PostgreSQL failed: ${(error as Error).message}\n`);
  }
}
