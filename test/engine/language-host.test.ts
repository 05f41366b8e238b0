import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "mocha";
import { engineFolders, withProject } from "../support/engine";

/** Writes its process id and that of its parent, the language host, and stays. */
const staying = `
require("node:fs").writeFileSync("pids.json", JSON.stringify([process.pid, process.ppid]));
setInterval(() => {}, 1000);
`;

const DEADLINE_MS = 20_000;

async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${DEADLINE_MS / 1_000} s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A zombie has ended: only its parent has not asked for it yet. */
function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  // Systems without /proc reap orphans at once.
  const status = `/proc/${pid}/status`;
  return !existsSync(status) || !/^State:\s+Z/m.test(readFileSync(status, "utf8"));
}

describe("the language host", () => {
  for (const signal of ["SIGKILL", "SIGINT"] as const) {
    it(`ends with its program when the engine gets ${signal}`, async () => {
      await withProject({ files: { "index.js": staying } }, async ({ folder, env }) => {
        const args = ["--non-interactive", "preview", "--stack", "dev"];
        const engine = spawn("pulumi", args, { cwd: folder, env, stdio: "ignore" });
        const ended = new Promise((resolve) => engine.once("exit", resolve));
        try {
          const pids = await until("the program's start", async () => {
            const text = await readFile(path.join(folder, "pids.json"), "utf8").catch(() => "");
            return text.endsWith("]") ? (JSON.parse(text) as number[]) : undefined;
          });
          engine.kill(signal);
          await ended;
          await until("the end of program and host", () => (pids.some(lives) ? undefined : true));
        } finally {
          engine.kill("SIGKILL");
        }
      });
    });
  }

  it("runs the programs of several projects at once, each with its own config", async () => {
    const program = 'module.exports = { who: new (require("@pulumi/pulumi").Config)().require("who") };';
    const one = (who: string) =>
      withProject({ files: { "index.js": program }, config: { who } }, async (project) => {
        await project.up();
        assert.deepEqual(await project.outputs(), { who });
      });
    await Promise.all([one("first"), one("second")]);
  });

  it("says where @pulumi/pulumi is missing", async function () {
    const ours = engineFolders()
      .split(path.delimiter)
      .some((folder) => existsSync(path.join(folder, "language-host.js")));
    // The official host has words of its own.
    const expected = ours ? /@pulumi\/pulumi is not installed in .*: run npm install there/ : /npm install/;
    await withProject({ files: { "index.js": "" } }, async (project) => {
      await rm(path.join(project.folder, "node_modules"), { recursive: true, force: true });
      assert.match((await project.up({ fails: true })).output, expected);
    });
  });
});
