import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/**
 * Makes the platform's folder where it is missing: for its owner only, and out of version control, since keys and the API
 * token live there. A folder that was there before keeps its rules.
 */
export async function makeFolder(directory: string): Promise<void> {
  const made = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (made !== undefined) await writeFile(join(directory, ".gitignore"), "*\n");
}
