import { type ChildProcess, spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { type Socket, createServer } from "node:net";
import path from "node:path";
import type { Project } from "./engine";

/** A `pulumi` command whose processes a test kills, or sees die of something else. */
export interface DoomedRun {
  /** The engine goes as in a power cut, without a word to its children. */
  killEngine(): void;
  /** The same for the process that runs the resources' code. */
  killProvider(): void;
  /** Ctrl-C: the signal goes to every process of the command, as a terminal sends it. */
  interrupt(): void;
  /** Provider processes that have called in and live. */
  providersAlive(): number;
  /** When the engine's process is gone, as a date. */
  readonly died: Promise<number>;
  /** When the engine has ended and its output is closed; null: it was killed. */
  readonly ended: Promise<{ code: number | null; output: string }>;
  /** Waits until the engine and every provider process have ended; answers how long providers outlived the engine, ms. */
  providersEnded(): Promise<number>;
}

/** Processes of one command must end within this after the engine, ms; a busy machine is no reason to fail. */
const patience = 10_000;
const isProvider = (script: string): boolean => script.includes("dynamic-provider");

/**
 * Runs `pulumi` with these arguments while `use` looks on. Every Node process of the command calls in over a socket when
 * it starts; the system closes that socket when it ends, however it ends. That tells process ids and deaths everywhere,
 * without a process table, also where nobody reaps orphans.
 */
export async function withDoomedRun<Result>(
  project: Project,
  args: string[],
  use: (run: DoomedRun) => Promise<Result>,
  env: Record<string, string> = {},
): Promise<Result> {
  const living = new Map<Socket, { pid: number; script: string }>();
  let onEnd = (): void => undefined;
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", (data) => {
      const { pid, script } = JSON.parse(String(data)) as { pid: number; script: string };
      living.set(socket, { pid, script });
    });
    socket.once("close", () => {
      living.delete(socket);
      onEnd();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const hook = path.join(project.folder, "call-in.cjs");
  await writeFile(hook, callIn((server.address() as { port: number }).port));

  const engine = spawn("pulumi", ["--non-interactive", "--color", "never", ...args, "--stack", project.stack], {
    cwd: project.folder,
    env: { ...project.env, ...env, NODE_OPTIONS: `--require ${JSON.stringify(hook)}` },
    stdio: ["ignore", "pipe", "pipe"],
    // A process group of its own, as a shell makes it.
    detached: true,
  });
  const died = new Promise<number>((resolve) => engine.once("exit", () => resolve(Date.now())));
  const providers = () => [...living.values()].filter(({ script }) => isProvider(script));
  const ended = endOf(engine);
  try {
    return await use({
      died,
      ended,
      killEngine: () => void engine.kill("SIGKILL"),
      killProvider: () => providers().forEach(({ pid }) => kill(pid)),
      interrupt: () => void process.kill(-engine.pid!, "SIGINT"),
      providersAlive: () => providers().length,
      async providersEnded() {
        const since = await died;
        await new Promise<void>((resolve, reject) => {
          const late = setTimeout(
            () => reject(new Error(`a provider still runs ${patience} ms after its engine`)),
            patience,
          );
          onEnd = () => {
            if (providers().length > 0) return;
            clearTimeout(late);
            resolve();
          };
          onEnd();
        });
        return Date.now() - since;
      },
    });
  } finally {
    engine.kill("SIGKILL");
    await ended;
    for (const [socket, { pid }] of living) {
      kill(pid);
      socket.destroy();
    }
    server.close();
  }
}

/** The process must be able to end as if the socket were not there. */
const callIn = (port: number): string => `
const socket = require("node:net").connect(${port}, "127.0.0.1");
socket.on("error", () => undefined);
socket.unref();
socket.write(JSON.stringify({ pid: process.pid, script: process.argv[1] ?? "" }));
`;

/** It may have ended by itself, and its socket's close be still to come. */
function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

function endOf(engine: ChildProcess): DoomedRun["ended"] {
  let output = "";
  for (const stream of [engine.stdout, engine.stderr]) stream?.on("data", (data) => (output += String(data)));
  return new Promise((resolve, reject) => {
    engine.once("error", reject);
    engine.once("close", (code) => resolve({ code, output }));
  });
}
