import { spawn } from "node:child_process";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import { parse } from "yaml";

const root = path.resolve(__dirname, "..", "..");

/** What a runner has around the files of an example: their folder, what commands mean, the pipeline's own variables. */
export interface Surroundings {
  readonly folder: string;
  /** Wins over what the file says: where the platform is, in a test. */
  readonly env: NodeJS.ProcessEnv;
}

export interface Ran {
  readonly code: number;
  /** Of all steps, as a log shows it. */
  readonly log: string;
}

/**
 * The programs that steps start, in front of everything on PATH: `npx tenantry` is the command of this build, `npm ci`
 * has been done, `npm run` starts the script with what is installed here.
 */
export async function withCommands(folder: string): Promise<string> {
  const bin = path.join(folder, ".bin");
  await mkdir(bin, { recursive: true });
  const typescript = require.resolve("ts-node/register/transpile-only");
  const commands = {
    npx: `[ "$1" = tenantry ] || { echo "npx $1: not in this test" >&2; exit 127; }
shift
exec "${process.execPath}" "${path.join(root, "dist", "sdk", "cli", "main.js")}" "$@"`,
    npm: `case "$*" in
ci) exit 0 ;;
"run try") TS_NODE_PROJECT="${path.join(root, "tsconfig.check.json")}" exec "${process.execPath}" -r "${typescript}" try.ts ;;
esac
echo "npm $*: not in this test" >&2; exit 127`,
    node: `exec "${process.execPath}" "$@"`,
  };
  for (const [name, text] of Object.entries(commands)) {
    await writeFile(path.join(bin, name), `#!/bin/sh\n${text}\n`);
    await chmod(path.join(bin, name), 0o755);
  }
  return bin;
}

/** As a runner starts a script: bash, which ends at the first command that fails. */
function runScript(script: string, folder: string, env: NodeJS.ProcessEnv): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn("bash", ["-e", "-c", script], { cwd: folder, env, stdio: ["ignore", "pipe", "pipe"] });
    let log = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text: Buffer) => (log += text.toString()));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, log }));
  });
}

interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly if?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Record<string, unknown>;
}

export interface Job {
  readonly if?: string;
  readonly env?: Record<string, unknown>;
  readonly environment?: string;
  readonly permissions?: Record<string, string>;
  readonly steps: readonly Step[];
}

export interface Workflow {
  readonly on: Record<string, unknown>;
  readonly permissions: Record<string, string>;
  readonly concurrency: { readonly group: string; readonly "cancel-in-progress": boolean };
  readonly env?: Record<string, unknown>;
  readonly jobs: Record<string, Job>;
}

/** What expressions of a workflow know: `github`, `secrets`, and what its steps have put out. */
export type Knowledge = Record<string, unknown>;

/** GitHub's expressions are JavaScript as far as these files go; a context that is not known is an error. */
function evaluate(expression: string, known: Knowledge): unknown {
  return new Function(...Object.keys(known), `"use strict"; return (${expression});`)(...Object.values(known));
}

const bare = (text: string): string => /^\s*\$\{\{(.*)\}\}\s*$/s.exec(text)?.[1] ?? text;

const filled = (text: unknown, known: Knowledge): string =>
  String(text).replace(/\$\{\{(.*?)\}\}/gs, (_all, expression: string) => String(evaluate(expression, known) ?? ""));

export const readWorkflow = async (file: string): Promise<Workflow> => parse(await readFile(file, "utf8")) as Workflow;

/** Which jobs an event starts. */
export const jobsFor = ({ jobs }: Workflow, known: Knowledge): string[] =>
  Object.keys(jobs).filter((name) => jobs[name]!.if === undefined || evaluate(jobs[name]!.if!, known));

/** Runs the steps of a job in their order. What it `uses` is taken for done: it sets up a machine that is set up here. */
export async function runGitHubJob(
  workflow: Workflow,
  name: string,
  known: Knowledge,
  { folder, env }: Surroundings,
): Promise<Ran> {
  const job = workflow.jobs[name]!;
  const bin = await withCommands(folder);
  const outputs: Record<string, { outputs: Record<string, string> }> = {};
  const context = { ...known, steps: outputs, cancelled: () => false };
  let [code, log] = [0, ""];
  for (const [at, step] of job.steps.entries()) {
    if (step.run === undefined) continue;
    // Without a condition of its own a step is skipped once one before it has failed.
    const begins = step.if === undefined ? code === 0 : Boolean(evaluate(bare(step.if), context));
    if (!begins) continue;
    const output = path.join(folder, `.output-${at}`);
    await writeFile(output, "");
    const given = { ...workflow.env, ...job.env, ...step.env };
    const own = Object.fromEntries(Object.entries(given).map(([key, value]) => [key, filled(value, context)]));
    const runner = {
      GITHUB_ACTIONS: "true",
      GITHUB_OUTPUT: output,
      GITHUB_STEP_SUMMARY: path.join(folder, "summary.md"),
    };
    const paths = { PATH: `${bin}${path.delimiter}${process.env["PATH"]}` };
    const ran = await runScript(filled(step.run, context), folder, { ...paths, ...runner, ...own, ...env });
    log += ran.log;
    if (ran.code !== 0) code = ran.code;
    if (step.id !== undefined) outputs[step.id] = { outputs: outputsIn(await readFile(output, "utf8")) };
  }
  return { code, log };
}

/** `name=value`, or `name<<END`, lines, `END`. */
function outputsIn(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const several = /^([^=]+?)<<(.+)$/.exec(lines[i]!);
    if (several) {
      const end = lines.indexOf(several[2]!, i + 1);
      found[several[1]!] = lines.slice(i + 1, end).join("\n");
      i = end;
    } else if (lines[i]!.includes("=")) {
      found[lines[i]!.split("=", 1)[0]!] = lines[i]!.slice(lines[i]!.indexOf("=") + 1);
    }
  }
  return found;
}

export interface GitLabJob {
  readonly extends?: string;
  readonly rules: readonly { readonly if: string; readonly when?: string }[];
  readonly variables?: Record<string, string>;
  readonly before_script?: readonly string[];
  readonly script: readonly string[];
  readonly after_script?: readonly string[];
  readonly resource_group?: string;
  readonly environment?: string | { readonly name: string; readonly on_stop?: string; readonly action?: string };
}

export interface GitLabFile {
  readonly variables: Record<string, string>;
  readonly jobs: Readonly<Record<string, GitLabJob>>;
}

const keywords = ["stages", "workflow", "variables", "default", "include"];

/** With what jobs extend written out. */
export async function readGitLab(file: string): Promise<GitLabFile> {
  const all = parse(await readFile(file, "utf8")) as Record<string, unknown>;
  const jobs = Object.entries(all).filter(([name]) => !keywords.includes(name) && !name.startsWith("."));
  const whole = (job: GitLabJob): GitLabJob => ({ ...(job.extends ? (all[job.extends] as GitLabJob) : {}), ...job });
  return {
    variables: all["variables"] as Record<string, string>,
    jobs: Object.fromEntries(jobs.map(([name, job]) => [name, whole(job as GitLabJob)])),
  };
}

/** Which jobs a pipeline with these variables has. */
export function gitLabJobsFor({ jobs }: GitLabFile, variables: Record<string, string>): string[] {
  const holds = (rule: string): boolean => {
    const script = rule.replace(/\$(\w+)/g, "(variables.$1 ?? null)");
    return Boolean(new Function("variables", `"use strict"; return (${script});`)(variables));
  };
  return Object.keys(jobs).filter((name) => jobs[name]!.rules.some((rule) => holds(rule.if)));
}

/** The script, and what comes after it in a shell of its own, whatever became of it. */
export async function runGitLabJob(
  file: GitLabFile,
  name: string,
  variables: Record<string, string>,
  { folder, env }: Surroundings,
): Promise<Ran> {
  const job = file.jobs[name]!;
  const bin = await withCommands(folder);
  const paths = { PATH: `${bin}${path.delimiter}${process.env["PATH"]}` };
  const all = { ...paths, GITLAB_CI: "true", ...file.variables, ...job.variables, ...variables, ...env };
  const lines = [...(job.before_script ?? []), ...job.script];
  const main = await runScript(["set -o pipefail", ...lines].join("\n"), folder, all);
  const after = job.after_script ? await runScript(job.after_script.join("\n"), folder, all) : { log: "" };
  return { code: main.code, log: main.log + after.log };
}

/** The `tenantry` commands in scripts, as words; what the shell does with their output is left out. */
export function commandsIn(scripts: readonly string[]): string[][] {
  const lines = scripts.flatMap((script) => script.split("\n"));
  const calls = lines.flatMap((line) => [...line.matchAll(/npx tenantry ([^>|;&]*)/g)].map(([, words]) => words!));
  return calls.map((words) => words.trim().split(/\s+/));
}
