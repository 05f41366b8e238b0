import { Command } from "commander";
import { run } from "../../sdk/cli/run";
import type { Ended } from "./run-cli";

/**
 * Runs `tenantry ...` in this process, one at a time: for what is asked again and again, without the half second that each
 * start takes. That the command starts and ends is `runCli`'s to show. What cannot be parsed would end this process.
 */
export async function runHere(
  verbs: readonly Command[],
  args: readonly string[],
  { cwd, env }: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Ended> {
  const before = { cwd: process.cwd(), env: process.env, exitCode: process.exitCode };
  const said = { stdout: "", stderr: "" };
  const writes = { stdout: process.stdout.write, stderr: process.stderr.write };
  const listen = (stream: "stdout" | "stderr"): void => {
    process[stream].write = (text: string | Uint8Array) => {
      said[stream] += String(text);
      return true;
    };
  };
  const program = new Command("tenantry");
  for (const verb of verbs) program.addCommand(verb);
  try {
    process.chdir(cwd);
    process.env = { ...env };
    process.exitCode = 0;
    listen("stdout");
    listen("stderr");
    await run(program, [process.execPath, "tenantry", ...args]);
    return { code: Number(process.exitCode), ...said };
  } finally {
    process.stdout.write = writes.stdout;
    process.stderr.write = writes.stderr;
    process.exitCode = before.exitCode;
    process.env = before.env;
    process.chdir(before.cwd);
  }
}
