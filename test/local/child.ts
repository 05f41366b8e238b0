import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

export interface Child {
  readonly process: ChildProcess;
  /** All it has written so far. */
  output(): { readonly stdout: string; readonly stderr: string };
  /** Resolves when its standard output matches; rejects when it ends before. */
  printed(pattern: RegExp): Promise<string>;
  /** Sends a signal if it still runs, and waits for its end: the exit code, or null after a signal. */
  end(signal: NodeJS.Signals): Promise<number | null>;
  /** Waits for its end by itself. */
  ended(): Promise<number | null>;
}

const root = join(__dirname, "..", "..");

/** Runs a file of this repository as a process of its own: JavaScript that was built, or TypeScript as it stands. */
export function runChild(file: string, ...args: string[]): Child {
  const register = file.endsWith(".ts") ? ["-r", "ts-node/register/transpile-only"] : [];
  const command = [...register, join(root, file), ...args];
  const child = spawn(process.execPath, command, {
    cwd: root,
    env: { ...process.env, TS_NODE_PROJECT: join(root, "tsconfig.check.json") },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const written = { stdout: "", stderr: "" };
  const heard = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (chunk: Buffer) => {
      written[name] += chunk.toString();
      for (const listener of heard) listener();
    });
  }
  const closed = once(child, "close").then(([code]) => code as number | null);
  return {
    process: child,
    output: () => ({ ...written }),
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = pattern.exec(written.stdout)?.[0];
          if (found === undefined) return;
          heard.delete(look);
          resolve(found);
        };
        heard.add(look);
        look();
        void closed.then((code) => reject(new Error(`ended (${code}): ${written.stderr}`)));
      }),
    end: (signal) => {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      return closed;
    },
    ended: () => closed,
  };
}
