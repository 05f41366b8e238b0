import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";

export interface ExampleApp {
  readonly process: ChildProcess;
  /** All it has written so far. */
  output(): string;
  /** Resolves when what it has written matches; rejects when it ends before. */
  printed(pattern: RegExp): Promise<string>;
  stop(): Promise<void>;
}

const root = path.resolve(__dirname, "..", "..");

/** Starts a file of `examples/` as its user would, against a platform that the environment names. */
export function startExample(
  file: string,
  { url, apiToken }: { readonly url: string; readonly apiToken: string },
  more: NodeJS.ProcessEnv = {},
): ExampleApp {
  const env = {
    ...process.env,
    ...{ TENANTRY_PLATFORM: "local", TENANTRY_API_URL: url, TENANTRY_API_TOKEN: apiToken },
    ...{ TS_NODE_PROJECT: path.join(root, "tsconfig.check.json"), ...more },
  };
  const command = ["-r", "ts-node/register/transpile-only", path.join(root, "examples", file)];
  const child = spawn(process.execPath, command, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  let heard = (): void => undefined;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      heard();
    });
  }
  const closed = once(child, "close");
  return {
    process: child,
    output: () => text,
    printed: (pattern) =>
      new Promise((resolve, reject) => {
        heard = () => {
          const found = pattern.exec(text)?.[0];
          if (found !== undefined) resolve(found);
        };
        void closed.then(() => reject(new Error(`it ended: ${text}`)));
        heard();
      }),
    async stop() {
      child.kill("SIGTERM");
      await closed;
    },
  };
}
