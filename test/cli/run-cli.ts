import { execFile } from "node:child_process";
import { dirname, join } from "node:path";

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const root = join(__dirname, "..", "..");

/** Runs the `tenantry` command in a folder. The environment holds what is given, and Node on PATH, alone. */
export function runCli(args: string[], options: { cwd: string; env?: NodeJS.ProcessEnv }): Promise<Ended> {
  const env = { PATH: dirname(process.execPath), ...options.env, TS_NODE_PROJECT: join(root, "tsconfig.check.json") };
  const command = [join(root, "dist/sdk/cli/main.js"), ...args];
  return new Promise((resolve, reject) => {
    execFile(process.execPath, command, { cwd: options.cwd, env, timeout: 60_000 }, (error, stdout, stderr) => {
      if (error && typeof error.code !== "number") return reject(error);
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr });
    });
  });
}
