import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

export interface Count {
  passed: number;
  failed: number;
}

const mocha = require.resolve("mocha/bin/mocha.js");
const reporter = path.join(__dirname, "summary-reporter.js");

/** Runs test files and counts. A mocha that ends badly without a failed test of its own counts as one failure. */
export async function runMocha(
  files: string[],
  options: { cwd: string; timeoutMs: number; jobs?: number; env?: NodeJS.ProcessEnv; args?: string[] },
): Promise<Count> {
  const { cwd, timeoutMs, jobs = 2, env = {}, args = [] } = options;
  const folder = await mkdtemp(path.join(tmpdir(), "tenantry-test-"));
  try {
    const to = path.join(folder, "count.json");
    const flags = ["--parallel", "--jobs", String(jobs), "--timeout", String(timeoutMs)];
    const report = ["--reporter", reporter, "--reporter-option", `to=${to}`];
    const code = await new Promise<number>((resolve, reject) => {
      const child = spawn(process.execPath, [mocha, ...flags, ...report, ...args, ...files], {
        cwd,
        env: { ...process.env, ...env },
        stdio: "inherit",
      });
      child.on("error", reject);
      child.on("close", (code) => resolve(code ?? 1));
    });
    const count = await readCount(to);
    return code !== 0 && count.failed === 0 ? { ...count, failed: 1 } : count;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function readCount(file: string): Promise<Count> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Count;
  } catch {
    // Mocha ended before its report, as when a file does not compile.
    return { passed: 0, failed: 1 };
  }
}

/** The last line and the exit code. No test at all is a failure: nothing was shown. */
export function summary(counts: Count[]): { line: string; code: number } {
  const passed = counts.reduce((sum, count) => sum + count.passed, 0);
  const failed = counts.reduce((sum, count) => sum + count.failed, 0);
  return { line: `${passed} passed, ${failed} failed`, code: failed > 0 || passed === 0 ? 1 : 0 };
}
