import { spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";
import { BACKEND_FOLDER, FOLDER } from "./project";

export const STACK = "dev";
/** Protects nothing but this playground's state; a real stack has a passphrase or key of its own. */
export const PASSPHRASE = "quickstart";

export interface Step {
  op: string;
  name: string;
}

export interface Pulumi {
  /** Runs a command and shows it with its output, indented. */
  show(args: string[]): Promise<void>;
  /** Runs `up` the same way; resolves to what it did to each resource. */
  up(): Promise<Step[]>;
  /** Runs a command unseen; resolves to its standard output. */
  quiet(args: string[]): Promise<string>;
}

/** The user's environment without what would lead to other accounts, stacks or platforms. */
export function environment(engine: string[], from: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const kept = Object.entries(from).filter(([name]) => !/^(TURSO_|TENANTRY_|PULUMI_)/.test(name));
  return {
    ...Object.fromEntries(kept),
    PATH: [...engine, from["PATH"]].join(path.delimiter),
    ...settings(),
    // The user's logins and selected stacks stay as they are.
    PULUMI_HOME: path.join(FOLDER, ".tenantry", "pulumi"),
    PULUMI_SKIP_UPDATE_CHECK: "true",
    // Makes the flag --event-log known.
    PULUMI_DEBUG_COMMANDS: "true",
    // The program's types are checked with the rest of the repository.
    PULUMI_NODEJS_TRANSPILE_ONLY: "true",
  };
}

/** What a user has to set to go on by hand. */
export function settings(): Record<string, string> {
  return { PULUMI_BACKEND_URL: `file://${BACKEND_FOLDER}`, PULUMI_CONFIG_PASSPHRASE: PASSPHRASE };
}

export function createPulumi(engine: string[], write: (text: string) => void): Pulumi {
  const env = environment(engine);
  const color = process.stdout.isTTY && !process.env["NO_COLOR"] ? "always" : "never";
  const run = (args: string[], line: (text: string) => void) =>
    new Promise<string>((resolve, reject) => {
      const whole = ["--non-interactive", "--color", color, ...args];
      const child = spawn("pulumi", whole, { cwd: FOLDER, env, stdio: ["ignore", "pipe", "pipe"] });
      const output: string[] = [];
      createInterface(child.stdout).on("line", (text) => {
        output.push(text);
        line(text);
      });
      createInterface(child.stderr).on("line", line);
      child.on("error", reject);
      child.on("close", (code) => {
        if (code === 0) resolve(output.join("\n"));
        else reject(new Error(`pulumi ${args.join(" ")} failed (exit code ${code})`));
      });
    });
  const show = async (args: string[], hidden: string[] = []) => {
    write(`    $ pulumi ${args.join(" ")}\n`);
    await run([...args, ...hidden], (text) => text.trim() && write(`    ${text}\n`));
  };
  return {
    show: (args) => show(args),
    async up() {
      const log = path.join(FOLDER, ".tenantry", "events.json");
      // The preview was shown, or would show the same: the plan and its doing in one would list everything twice.
      const hidden = ["--suppress-outputs", "--suppress-progress", "--event-log", log];
      await show(["up", "--yes", "--skip-preview"], hidden);
      return readSteps(await readFile(log, "utf8"));
    },
    async quiet(args) {
      const errors: string[] = [];
      return await run(args, (text) => errors.push(text)).catch((error: Error) => {
        throw new Error([error.message, ...errors].join("\n"));
      });
    },
  };
}

interface EngineEvent {
  resourcePreEvent?: { metadata: { op: string; urn: string; type: string } };
}

function readSteps(log: string): Step[] {
  return log
    .split("\n")
    .filter(Boolean)
    .map((line) => (JSON.parse(line) as EngineEvent).resourcePreEvent?.metadata)
    .flatMap((step) => (step && !/^pulumi:(pulumi:Stack|providers:)/.test(step.type) ? [step] : []))
    .map(({ op, urn }) => ({ op, name: urn.slice(urn.lastIndexOf("::") + 2) }));
}
