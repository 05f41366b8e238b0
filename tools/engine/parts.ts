import { chmod, copyFile, readdir, readFile, rename } from "node:fs/promises";
import path from "node:path";
import { HOST_FOLDER, LANGUAGE_HOST, PROVIDER_LAUNCHER, SDK_FOLDER } from "./release";

/**
 * Puts what an engine built from source lacks beside it: our language host, and the provider launcher of
 * @pulumi/pulumi. Only there does the engine take them for its own; from another folder on PATH it warns about each in
 * every run. `published` are the files that came with the engine. Files that are the same already are left alone.
 */
export async function placeParts(folder: string, published: string[]): Promise<void> {
  if (!published.includes(LANGUAGE_HOST)) {
    for (const name of await readdir(HOST_FOLDER)) await place(path.join(HOST_FOLDER, name), folder);
  }
  if (!published.includes(PROVIDER_LAUNCHER)) await place(path.join(SDK_FOLDER, PROVIDER_LAUNCHER), folder);
}

/** By renaming, so that an engine that is just starting one never reads half of it. */
async function place(source: string, folder: string): Promise<void> {
  const target = path.join(folder, path.basename(source));
  const present = await readFile(target).catch(() => undefined);
  if (present?.equals(await readFile(source))) return;
  const fresh = `${target}.${process.pid}`;
  await copyFile(source, fresh);
  await chmod(fresh, 0o755);
  await rename(fresh, target);
}
