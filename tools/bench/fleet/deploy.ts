import { type ChildProcess, execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { findEngine } from "../../engine/find-engine";
import type { Sample } from "../row";
import type { Program } from "./programs";
import { watchProviderMemory } from "./provider-memory";
import { type Delays, startStub } from "./stub";

export interface Deployment {
  readonly program: Program;
  readonly size: number;
  /** Undefined: no delay, and a reference makes no call. */
  readonly delays?: Delays;
  readonly parallel?: number;
  /** API calls of ours at the same time; undefined: Tenantry's default. */
  readonly concurrency?: number;
  /** The `pulumi up` that is measured: the one that makes all, or the next, which has nothing to do. Default "first". */
  readonly up?: "first" | "unchanged";
  /** Where the processes write CPU profiles. */
  readonly profile?: string;
}

const root = path.resolve(__dirname, "..", "..", "..");
/** Far above what one takes. */
const COMMAND_MS = 15 * 60_000;
const PROJECT = "bench";

let engine: Promise<string[]> | undefined;

/** One `pulumi up` of a new stack, in seconds, with a new project, backend and platform that are removed afterwards. */
export async function deploy({
  program,
  size,
  delays,
  parallel,
  concurrency,
  up = "first",
  profile,
}: Deployment): Promise<Sample> {
  engine ??= findEngine();
  const folders = await engine;
  const home = await mkdtemp(path.join(tmpdir(), "tenantry-bench-"));
  const stub = await startStub(delays ?? { control: 0, data: 0 });
  try {
    const env = environment(home, folders, {
      TENANTRY_PLATFORM: "turso",
      TURSO_API_URL: stub.url,
      TURSO_API_TOKEN: "bench",
      TURSO_ORGANIZATION: "bench",
      TENANTRY_DATABASE_URL: `${stub.url}/db/{name}/`,
      ...(concurrency === undefined ? {} : { TENANTRY_CONCURRENCY: String(concurrency) }),
      BENCH_URL: stub.url,
      BENCH_CALLS: delays ? "1" : "0",
      ...(profile && profiling(profile)),
    });
    const folder = await makeProject(home, program.files(size));
    await pulumi(["stack", "init", "dev"], folder, env).done;
    const flags = ["--yes", "--skip-preview", "--suppress-outputs", "--suppress-progress", "--stack", "dev"];
    const once = async () => {
      const before = await stub.calls();
      const began = performance.now();
      const run = pulumi(["up", ...flags, ...(parallel ? ["--parallel", String(parallel)] : [])], folder, env);
      const peak = watchProviderMemory(run.child.pid);
      await run.done.finally(peak);
      const value = (performance.now() - began) / 1_000;
      const after = await stub.calls();
      const calls = after.control + after.data - before.control - before.data;
      return { value, apiCalls: calls / Math.max(1, size), peakMiB: peak() };
    };
    let sample = await once();
    if (up === "unchanged") sample = await once();
    if (size === 0) return { value: sample.value };
    return { ...sample, stateBytes: await bytesOf(program, size, path.join(home, "backend")) };
  } finally {
    await stub.close();
    await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

function pulumi(args: string[], cwd: string, env: NodeJS.ProcessEnv): { child: ChildProcess; done: Promise<void> } {
  let child!: ChildProcess;
  const done = new Promise<void>((resolve, reject) => {
    const limits = { timeout: COMMAND_MS, maxBuffer: 2 ** 28 };
    child = execFile("pulumi", ["--non-interactive", ...args], { cwd, env, ...limits }, (error, stdout, stderr) => {
      if (!error) return resolve();
      reject(
        new Error(
          `pulumi ${args[0]} failed: ${error.message.split("\n")[0]}\n${stdout.slice(-2_000)}${stderr.slice(-2_000)}`,
        ),
      );
    });
  });
  return { child, done };
}

/** As in a user's project: installed packages, and one @pulumi/pulumi for program, package and provider. */
async function makeProject(home: string, files: Record<string, string>): Promise<string> {
  const folder = path.join(home, "project");
  for (const each of ["backend", "pulumi", "tmp"]) await mkdir(path.join(home, each));
  const settings = `name: ${PROJECT}\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n`;
  for (const [file, text] of Object.entries({ "Pulumi.yaml": settings, "package.json": "{}", ...files })) {
    const target = path.join(folder, file);
    await mkdir(path.dirname(target), { recursive: true });
    await writeFile(target, text);
  }
  const modules = path.join(folder, "node_modules");
  await mkdir(path.join(modules, "@pulumi"), { recursive: true });
  await symlink(root, path.join(modules, "tenantry"), "junction");
  const sdk = path.join("@pulumi", "pulumi");
  await symlink(path.join(root, "node_modules", sdk), path.join(modules, sdk), "junction");
  return folder;
}

/** From nothing, so that neither the developer's accounts nor a CI's settings count. */
function environment(home: string, folders: string[], more: Record<string, string>): NodeJS.ProcessEnv {
  return {
    PATH: [...folders, path.dirname(process.execPath), process.env["PATH"]].join(path.delimiter),
    ...(process.env["SystemRoot"] ? { SystemRoot: process.env["SystemRoot"] } : {}),
    HOME: home,
    USERPROFILE: home,
    TMPDIR: path.join(home, "tmp"),
    PULUMI_HOME: path.join(home, "pulumi"),
    PULUMI_BACKEND_URL: `file://${path.join(home, "backend")}`,
    PULUMI_CONFIG_PASSPHRASE: "bench",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    // A file backend writes its whole state at every step, which takes longer than all else: here it is written once.
    PULUMI_EXPERIMENTAL: "true",
    PULUMI_SKIP_CHECKPOINTS: "true",
    ...more,
  };
}

const profiling = (folder: string): Record<string, string> => ({
  NODE_OPTIONS: `--require ${path.join(__dirname, "profile.js")}`,
  BENCH_PROFILE: path.resolve(folder),
});

/** Bytes of the program's resources for each of `size`, as the backend keeps them, without the white space between. */
async function bytesOf({ kind, isOne }: Program, size: number, backend: string): Promise<number> {
  const file = path.join(backend, ".pulumi", "stacks", PROJECT, "dev.json");
  const { checkpoint } = JSON.parse(await readFile(file, "utf8")) as {
    checkpoint: { latest: { resources: { type: string }[] } };
  };
  const ours = checkpoint.latest.resources.filter(({ type }) => type.endsWith(`:${kind}`));
  const expected = isOne ? 1 : size;
  if (ours.length !== expected) throw new Error(`${ours.length} of ${expected} resources are in the state`);
  return ours.reduce((sum, one) => sum + Buffer.byteLength(JSON.stringify(one)), 0) / size;
}
