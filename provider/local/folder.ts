import { constants } from "node:fs";
import { access, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { TenantryError } from "../platform/errors";

/**
 * Makes the platform's folder where it is missing: for its owner only, and out of version control, since keys and the API
 * token live there. A folder that was there before keeps its rules.
 */
export async function makeFolder(directory: string): Promise<void> {
  try {
    const made = await mkdir(directory, { recursive: true, mode: 0o700 });
    if (made !== undefined) await writeFile(join(directory, ".gitignore"), "*\n");
    await access(directory, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    throw unusable(directory, error);
  }
}

/** Opens what the folder holds. What fails there is the folder's trouble, and told as that. */
export function inFolder<Opened>(directory: string, open: () => Opened): Opened {
  try {
    return open();
  } catch (error) {
    throw unusable(directory, error);
  }
}

function unusable(directory: string, error: unknown): unknown {
  if (error instanceof TenantryError) return error;
  const why = error instanceof Error ? error.message : String(error);
  return new TenantryError("invalid-input", `The folder ${directory} cannot be used: ${why}.`, {
    fix: "Choose another folder, or repair this one: it must be writable, and what is in it the platform's own.",
    cause: error,
  });
}
