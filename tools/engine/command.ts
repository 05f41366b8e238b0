import { execFile } from "node:child_process";
import { constants, accessSync, statSync } from "node:fs";
import path from "node:path";

/** The file that `name` starts on a PATH-like list, or undefined. */
export function onPath(name: string, searchPath = process.env["PATH"] ?? ""): string | undefined {
  return searchPath
    .split(path.delimiter)
    .filter(Boolean)
    .map((folder) => path.join(folder, name))
    .find(isExecutable);
}

export function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}

/** Standard output of a short command, trimmed; rejects with one line when it fails or lasts longer than `ms`. */
export function outputOf(file: string, args: string[], options: { ms: number; cwd?: string; env?: NodeJS.ProcessEnv }) {
  const { ms, ...rest } = options;
  return new Promise<string>((resolve, reject) => {
    execFile(file, args, { ...rest, timeout: ms, killSignal: "SIGKILL" }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout.trim());
      const told = error.killed ? `no answer within ${ms / 1_000} s` : stderr.trim().split("\n").pop() || error.message;
      reject(new Error(told.split("\n")[0]));
    });
  });
}

/** True when dotted number `version` ("v" in front allowed, pre-release ignored) is at least `wanted`. */
export function atLeast(version: string, wanted: string): boolean {
  const numbers = (text: string) => (/^v?(\d+(?:\.\d+)*)/.exec(text)?.[1] ?? "0").split(".").map(Number);
  const [a, b] = [numbers(version), numbers(wanted)];
  const at = b.findIndex((number, i) => number !== (a[i] ?? 0));
  return at < 0 || (a[at] ?? 0) > b[at]!;
}
