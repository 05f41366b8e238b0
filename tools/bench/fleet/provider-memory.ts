import { readFileSync, readdirSync } from "node:fs";
import { peakMiB } from "../peak-memory";

const EVERY_MS = 200;

/**
 * Looks at the engine's provider process as long as the engine lives; the answer is the most memory it had, in MiB.
 * Undefined where there is no /proc.
 */
export function watchProviderMemory(engine: number | undefined): () => number | undefined {
  let peak: number | undefined;
  let provider: number | undefined;
  const timer = setInterval(() => {
    if (engine === undefined) return;
    provider ??= descendants(engine).find((pid) => read(pid, "cmdline").includes("dynamic-provider/index.js\0"));
    // The last answer stays when the process has ended.
    peak = (provider === undefined ? undefined : peakMiB(provider)) ?? peak;
  }, EVERY_MS);
  timer.unref();
  return () => {
    clearInterval(timer);
    return peak;
  };
}

/** Everybody who was started by the process, directly or not: not every kernel lists a process's children. */
function descendants(of: number): number[] {
  const parents = new Map(processes().map((pid) => [pid, parentOf(pid)]));
  const isBelow = (pid: number | undefined): boolean =>
    pid !== undefined && pid > 1 && (parents.get(pid) === of || isBelow(parents.get(pid)));
  return [...parents.keys()].filter(isBelow);
}

function processes(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

/** The fourth field of `stat`; the second, the name, may hold anything but ends with the last ")". */
const parentOf = (pid: number): number | undefined =>
  Number(read(pid, "stat").split(") ").at(-1)?.split(" ")[1]) || undefined;

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    // It has ended meanwhile.
    return "";
  }
}
