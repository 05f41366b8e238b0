import { execFile } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { ModuleKind, ScriptTarget, transpileModule } from "typescript";

const root = path.resolve(__dirname, "..", "..");
/** A whole `pulumi` command; far above what one takes, so that only a hang reaches it. */
const COMMAND_MS = 170_000;

/** What a finished command left behind. `output` is both streams, for searching and messages. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
  output: string;
}

/** One step of the engine: `op` is its word, such as "create", "same", "update", "delete", "replace", "refresh". */
export interface Operation {
  op: string;
  urn: string;
  type: string;
  name: string;
}

/** A command that ran the engine, with the steps it took (for a preview: would take), the stack itself left out. */
export interface Run extends Ended {
  operations: Operation[];
  /** Messages of the engine and the resources, as people see them, without colour. */
  diagnostics: { severity: string; message: string; urn: string }[];
  /** Steps by word: `{ create: 3, same: 1 }`. */
  counts: Record<string, number>;
}

export interface ProjectOptions {
  /** Files of the project by path; `index.ts` is the program, or `index.js`, which starts a second sooner. */
  files: Record<string, string>;
  /** Stack config by key; a value in `{ secret }` is set with `--secret`. Keys without ":" are the project's. */
  config?: Record<string, string | { secret: string }>;
  /** Added to the environment, which is otherwise built from nothing. */
  env?: Record<string, string>;
  /** Puts packages into the project's folder. Default: links to this repository and to its @pulumi/pulumi. */
  packages?: (folder: string) => Promise<void>;
  /** Default "test-project". */
  name?: string;
  /** Default "dev". */
  stack?: string;
  /** More lines for Pulumi.yaml, such as `main: program`. */
  settings?: string;
}

export interface Project {
  folder: string;
  stack: string;
  env: NodeJS.ProcessEnv;
  /** Runs `pulumi` with these arguments; never rejects because of its exit code. */
  pulumi(args: string[], env?: Record<string, string>): Promise<Ended>;
  /** These run without asking; a non-zero exit code rejects unless `fails` is set (then zero does). */
  up(options?: RunOptions): Promise<Run>;
  preview(options?: RunOptions): Promise<Run>;
  refresh(options?: RunOptions): Promise<Run>;
  destroy(options?: RunOptions): Promise<Run>;
  setConfig(config: NonNullable<ProjectOptions["config"]>): Promise<void>;
  outputs(options?: { showSecrets?: boolean }): Promise<Record<string, unknown>>;
  stackExport(): Promise<ExportedStack>;
  /** The checkpoint as the backend stores it: its bytes are what "state per resource" is measured on. */
  stateFile(): Promise<{ file: string; text: string }>;
  write(files: Record<string, string>): Promise<void>;
}

export interface RunOptions {
  args?: string[];
  env?: Record<string, string>;
  /** The command is expected to fail. */
  fails?: boolean;
}

export interface ExportedStack {
  deployment: {
    resources?: {
      urn: string;
      id?: string;
      type: string;
      inputs?: Record<string, unknown>;
      outputs?: Record<string, unknown>;
    }[];
    pending_operations?: unknown[];
  };
}

/** The folders with the engine, from tools/test.ts. */
export function engineFolders(): string {
  const folders = process.env["TENANTRY_ENGINE_PATH"];
  if (folders) return folders;
  throw new Error(
    "TENANTRY_ENGINE_PATH is not set: run the engine's tests with `npm test`, " +
      'or alone with `TENANTRY_ENGINE_PATH="$(npm run -s engine)" npx mocha test/engine/...`',
  );
}

/** Makes a project with a stack on a file backend in a temporary folder, runs `use` and removes all of it. */
export async function withProject(options: ProjectOptions, use: (project: Project) => Promise<void>): Promise<void> {
  const folders = engineFolders();
  const home = await mkdtemp(path.join(tmpdir(), "tenantry-engine-"));
  try {
    const project = await makeProject(home, folders, options);
    await use(project);
  } finally {
    // An engine's child may still be writing its last file.
    await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

async function makeProject(home: string, folders: string, options: ProjectOptions): Promise<Project> {
  const { files, config = {}, name = "test-project", stack = "dev", settings = "", packages = linkPackages } = options;
  // An example is run as it is; for a test's own program the compiler's start would take longer than the program.
  const isOther = (file: string): boolean =>
    file === "tsconfig.json" || file === "package.json" || (file.endsWith(".ts") && file !== "index.ts");
  const isCompiled = !Object.keys(files).some(isOther);
  const folder = path.join(home, "project");
  const backend = path.join(home, "backend");
  for (const each of [folder, backend, path.join(home, "pulumi"), path.join(home, "tmp")]) await mkdir(each);
  await packages(folder);
  const env = environment(home, backend, folders, options.env ?? {});

  const pulumi: Project["pulumi"] = (args, more = {}) =>
    execute("pulumi", ["--non-interactive", "--color", "never", ...args], { cwd: folder, env: { ...env, ...more } });
  const write: Project["write"] = async (texts) => {
    for (const [file, text] of Object.entries(texts)) {
      const isProgram = isCompiled && file === "index.ts";
      const target = path.join(folder, isProgram ? "index.js" : file);
      await mkdir(path.dirname(target), { recursive: true });
      await writeFile(target, isProgram ? compile(text) : text);
    }
  };
  let logs = 0;
  const run = async (command: string[], { args = [], env: more = {}, fails = false }: RunOptions = {}) => {
    const log = path.join(home, `events-${++logs}.json`);
    const whole = [...command, "--stack", stack, "--event-log", log, ...args];
    const ended = await pulumi(whole, more);
    if ((ended.code !== 0) !== fails) throw unexpected(whole, ended);
    return { ...ended, ...readEvents(await readFile(log, "utf8").catch(() => "")) };
  };
  const checked = async (args: string[]) => {
    const ended = await pulumi(args);
    if (ended.code !== 0) throw unexpected(args, ended);
    return ended;
  };

  const project: Project = {
    folder,
    stack,
    env,
    pulumi,
    write,
    // The event log of `up` with its preview would hold every step twice.
    up: (given) => run(["up", "--yes", "--skip-preview"], given),
    preview: (given) => run(["preview"], given),
    refresh: (given) => run(["refresh", "--yes", "--skip-preview"], given),
    destroy: (given) => run(["destroy", "--yes", "--skip-preview"], given),
    async setConfig(values) {
      for (const [key, value] of Object.entries(values)) {
        const [text, ...flag] = typeof value === "string" ? [value] : [value.secret, "--secret"];
        await checked(["config", "set", "--stack", stack, ...flag, key, "--", text ?? ""]);
      }
    },
    async outputs({ showSecrets = false } = {}) {
      const flags = showSecrets ? ["--show-secrets"] : [];
      return JSON.parse((await checked(["stack", "output", "--json", "--stack", stack, ...flags])).stdout);
    },
    async stackExport() {
      return JSON.parse((await checked(["stack", "export", "--stack", stack])).stdout);
    },
    async stateFile() {
      const file = path.join(backend, ".pulumi", "stacks", name, `${stack}.json`);
      return { file, text: await readFile(file, "utf8") };
    },
  };
  const isJavaScript = isCompiled || "index.js" in files;
  const runtime = isJavaScript ? "{ name: nodejs, options: { typescript: false } }" : "nodejs";
  await write({ "Pulumi.yaml": `name: ${name}\nruntime: ${runtime}\n${settings}\n`, ...files });
  await checked(["stack", "init", stack]);
  await project.setConfig(config);
  return project;
}

const compile = (program: string): string =>
  transpileModule(program, {
    compilerOptions: { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022, esModuleInterop: true },
  }).outputText;

/** As in a user's project: the package in node_modules, and one @pulumi/pulumi for program, package and provider. */
async function linkPackages(folder: string): Promise<void> {
  const modules = path.join(folder, "node_modules");
  await mkdir(path.join(modules, "@pulumi"), { recursive: true });
  await symlink(root, path.join(modules, "tenantry"), "junction");
  const sdk = path.join("@pulumi", "pulumi");
  await symlink(path.join(root, "node_modules", sdk), path.join(modules, sdk), "junction");
}

/** From nothing, so that neither the developer's accounts nor a CI's settings reach the engine or the resources. */
function environment(home: string, backend: string, folders: string, more: Record<string, string>): NodeJS.ProcessEnv {
  return {
    PATH: [folders, path.dirname(process.execPath), process.env["PATH"]].join(path.delimiter),
    ...(process.env["SystemRoot"] ? { SystemRoot: process.env["SystemRoot"] } : {}),
    HOME: home,
    USERPROFILE: home,
    TMPDIR: path.join(home, "tmp"),
    PULUMI_HOME: path.join(home, "pulumi"),
    PULUMI_BACKEND_URL: `file://${backend}`,
    PULUMI_CONFIG_PASSPHRASE: "test passphrase",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    // Makes the flag --event-log known.
    PULUMI_DEBUG_COMMANDS: "true",
    // Types are checked by the check of the whole repository, once.
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
    ...more,
  };
}

function execute(command: string, args: string[], options: { cwd: string; env: NodeJS.ProcessEnv }): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const limits = { timeout: COMMAND_MS, maxBuffer: 2 ** 28 };
    execFile(command, args, { ...options, ...limits }, (error, stdout, stderr) => {
      if (error && typeof error.code !== "number") {
        const why = error.killed ? `did not end within ${COMMAND_MS / 1_000} s` : error.message;
        return reject(new Error(`${command} ${args.join(" ")}: ${why}\n${stdout}\n${stderr}`));
      }
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr, output: `${stdout}\n${stderr}` });
    });
  });
}

function unexpected(args: string[], ended: Ended): Error {
  return new Error(`pulumi ${args.join(" ")} ended with exit code ${ended.code}\n${ended.output}`);
}

interface EngineEvent {
  resourcePreEvent?: { metadata: { op: string; urn: string; type: string } };
  diagnosticEvent?: { severity: string; message: string; urn?: string; ephemeral?: boolean };
}

function readEvents(log: string): Pick<Run, "operations" | "diagnostics" | "counts"> {
  // A line each; a killed engine may leave the last one unfinished.
  const events = log
    .split("\n")
    .filter((line) => line.endsWith("}"))
    .map((line) => JSON.parse(line) as EngineEvent);
  const operations = events
    .flatMap(({ resourcePreEvent: step }) => (step ? [step.metadata] : []))
    .filter(({ type }) => type !== "pulumi:pulumi:Stack" && !type.startsWith("pulumi:providers:"))
    .map(({ op, urn, type }) => ({ op, urn, type, name: urn.slice(urn.lastIndexOf("::") + 2) }));
  const diagnostics = events
    .flatMap(({ diagnosticEvent: told }) => (told && !told.ephemeral ? [told] : []))
    .map(({ severity, message, urn = "" }) => ({ severity, message: message.replace(/<\{%.*?%\}>/g, ""), urn }));
  const counts: Record<string, number> = {};
  for (const { op } of operations) counts[op] = (counts[op] ?? 0) + 1;
  return { operations, diagnostics, counts };
}
