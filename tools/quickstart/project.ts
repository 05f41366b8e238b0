import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";

const root = path.resolve(__dirname, "..", "..");
/** A copy to play with, ignored by git: the story edits the program. Modules are found upwards, in this repository. */
export const FOLDER = path.join(root, ".tenantry", "quickstart");
/** Where the provider looks for a local platform by itself. */
export const PLATFORM_FOLDER = path.join(FOLDER, ".tenantry", "local");
/** The stack's state, as plain files. */
export const BACKEND_FOLDER = path.join(FOLDER, ".tenantry", "state");

/** A fresh copy of examples/quickstart with its own Pulumi.yaml and platform; an earlier one is removed. */
export async function freshProject(): Promise<void> {
  const endpoint = await runningPlatform();
  if (endpoint) {
    throw new Error(
      `The platform of an earlier quickstart is still running at ${endpoint} (folder ${relative(PLATFORM_FOLDER)}). ` +
        "Stop it (Ctrl-C where it was started), then run this again.",
    );
  }
  await rm(FOLDER, { recursive: true, force: true });
  await mkdir(BACKEND_FOLDER, { recursive: true });
  await cp(path.join(root, "examples", "quickstart"), FOLDER, {
    recursive: true,
    filter: (source) => path.basename(source) !== "node_modules",
  });
  const project = await readFile(path.join(root, "Pulumi.yaml"), "utf8");
  await writeFile(path.join(FOLDER, "Pulumi.yaml"), project.replace(/^main:.*\n/m, ""));
}

/** The url of the platform that still serves the folder, or undefined. */
async function runningPlatform(): Promise<string | undefined> {
  try {
    const { url } = JSON.parse(await readFile(path.join(PLATFORM_FOLDER, "endpoint.json"), "utf8")) as { url: string };
    await fetch(url, { signal: AbortSignal.timeout(2_000) });
    return url;
  } catch {
    return undefined;
  }
}

/** What a user would do in an editor. Returns a line for each change. */
export async function editProject(): Promise<string[]> {
  const program = path.join(FOLDER, "index.ts");
  const before = await readFile(program, "utf8");
  const after = before.replace('"initech"]', '"initech", "umbrella"]');
  if (after === before) throw new Error('examples/quickstart/index.ts no longer has the list that ends in "initech"]');
  await writeFile(program, after);
  const migration = path.join("migrations", "0003_pinned.sql");
  const sql = "ALTER TABLE notes ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0;";
  await writeFile(path.join(FOLDER, migration), `${sql}\n`);
  return [`${relative(program)}: a fourth tenant, "umbrella"`, `${relative(path.join(FOLDER, migration))}: ${sql}`];
}

export function relative(file: string): string {
  return path.relative(root, file);
}
