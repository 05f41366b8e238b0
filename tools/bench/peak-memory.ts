import { readFileSync } from "node:fs";

/** The most memory that a process has had so far, in MiB; undefined where there is no /proc. */
export function peakMiB(pid: number): number | undefined {
  try {
    const kilobytes = /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];
    return kilobytes === undefined ? undefined : Number(kilobytes) / 1_024;
  } catch {
    return undefined;
  }
}
