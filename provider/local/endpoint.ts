import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** What `endpoint.json` holds while a platform runs on its folder: how to reach it, and who it is. */
export interface Endpoint {
  /** Base address, e.g. "http://127.0.0.1:7117", without a slash at the end. */
  readonly url: string;
  readonly apiToken: string;
  /** Identity of the folder, e.g. "local-5f0c2a9be1d4"; the same for as long as the folder lives. */
  readonly id: string;
  readonly pid: number;
}

/** Writes the file whole or not at all, readable by its owner only: it holds the API token. */
export function writeEndpoint(directory: string, endpoint: Endpoint): void {
  const file = join(directory, "endpoint.json");
  const temporary = `${file}.${process.pid}.tmp`;
  writeFileSync(temporary, `${JSON.stringify(endpoint, undefined, 2)}\n`, { mode: 0o600 });
  chmodSync(temporary, 0o600);
  renameSync(temporary, file);
}

export function removeEndpoint(directory: string): void {
  rmSync(join(directory, "endpoint.json"), { force: true });
}

/** The platform that runs on a folder; undefined when none does (also when a killed one left its file behind). */
export function readEndpoint(directory: string): Endpoint | undefined {
  let found: Partial<Endpoint>;
  try {
    found = JSON.parse(readFileSync(join(directory, "endpoint.json"), "utf8")) as Partial<Endpoint>;
  } catch {
    return undefined;
  }
  const { url, apiToken, id, pid } = found;
  if (typeof url !== "string" || typeof apiToken !== "string" || typeof id !== "string") return undefined;
  if (typeof pid !== "number" || !isAlive(pid)) return undefined;
  return { url, apiToken, id, pid };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives, under another user.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
