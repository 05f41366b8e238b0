import { readFile, readdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Stack } from "../stack";
import { type Check, problem, warning } from "./check";

/** What the engine (3.250) writes into the lock of a run on a file backend. */
const lockShape = z.object({ pid: z.number(), username: z.string(), hostname: z.string(), timestamp: z.string() });
type Lock = z.infer<typeof lockShape>;

/** The locks on a stack: of a run that is at work, or left behind by one that was killed. */
export async function lockChecks(folder: string, { name }: Stack): Promise<Check[]> {
  const locks = join(folder, ".pulumi", "locks", ...name.split("/"));
  const files = (await readdir(locks).catch((): string[] => [])).filter((file) => file.endsWith(".json"));
  return Promise.all(files.map(async (file) => judge(await readLock(join(locks, file)), name)));
}

async function readLock(file: string): Promise<Lock | undefined> {
  try {
    return lockShape.parse(JSON.parse(await readFile(file, "utf8")));
  } catch {
    // Killed while it was written, or gone since.
    return undefined;
  }
}

function judge(lock: Lock | undefined, stack: string): Check {
  const cancel = `\`pulumi cancel --yes --stack ${stack}\``;
  if (!lock) return problem("lock", `"${stack}" is locked by a run that did not say who it is`, `Run ${cancel}.`);
  const { pid, username, timestamp } = lock;
  const who = `${username} on ${lock.hostname}, process ${pid}, since ${timestamp}`;
  const found = `"${stack}" is locked by ${who}`;
  if (lock.hostname !== hostname()) return warning("lock", found, `If that run has ended, run ${cancel}.`);
  if (!isAlive(pid)) return problem("lock", `${found}, which does not run any more`, `Run ${cancel}.`);
  return warning("lock", `${found}, which runs`, `Wait for it; if that process is no run of Pulumi, run ${cancel}.`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
