import { existsSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";
import { TenantryError } from "../../platform/errors";
import { startCommand } from "./unreachable";

/** What a running embedded platform publishes in its folder. */
export type LocalEndpoint = z.infer<typeof shape>;

const shape = z.object({
  url: z.url({ protocol: /^https?$/ }),
  apiToken: z.string().min(1),
  id: z.string(),
  pid: z.number(),
});

/**
 * Looks for `.tenantry/local/endpoint.json` in `directory` and above, because a Pulumi program may run in a subfolder of
 * its project. The search ends at the repository's root, the home folder, or the file system's root.
 */
export function findEndpoint(directory: string): LocalEndpoint | undefined {
  const home = homedir();
  for (let folder = resolve(directory); ; folder = dirname(folder)) {
    const found = readEndpoint(join(folder, ".tenantry", "local", "endpoint.json"));
    if (found) return found;
    if (folder === home || folder === dirname(folder) || isRepositoryRoot(folder)) return undefined;
  }
}

function readEndpoint(path: string): LocalEndpoint | undefined {
  const text = textOf(path);
  if (text === undefined) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  const parsed = shape.safeParse(value);
  if (parsed.success) return parsed.data;
  throw new TenantryError("not-configured", `${path} is damaged.`, {
    fix: `Start the platform again with \`${startCommand}\`.`,
  });
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new TenantryError("not-configured", `${path} cannot be read (${code}).`, {
      fix: "Run as the user who started the local platform.",
    });
  }
}

function isRepositoryRoot(folder: string): boolean {
  return existsSync(join(folder, ".git"));
}
