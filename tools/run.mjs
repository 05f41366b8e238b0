// The entry of every npm script: does what is still to do after a clone, then runs one TypeScript tool.
// Plain JavaScript without dependencies, so that it works before anything is installed.
// Usage: node tools/run.mjs [quickstart | test | engine | build | ...] [arguments]
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { nodeVersionProblem } = require("./setup/node-version.js");
const { setUp } = require("./setup/set-up.js");

const [tool = "build", ...rest] = process.argv.slice(2);
const fail = (message) => {
  process.stderr.write(`${message}\n`);
  // The tests' last line is read by machines, also when there was nothing to run them on.
  if (tool === "test") process.stdout.write("0 passed, 1 failed\n");
  process.exitCode = 1;
};
const problem = nodeVersionProblem(process.versions.node);
if (problem) fail(problem);
else
  await setUp(root).then(
    () => tool !== "build" && start(),
    (error) => fail(error.message),
  );

function start() {
  const args = ["-r", "ts-node/register/transpile-only", path.join(root, "tools", `${tool}.ts`), ...rest];
  const env = { ...process.env, TS_NODE_PROJECT: path.join(root, "tsconfig.check.json") };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: "inherit" });
  // The terminal sends Ctrl-C to the child as well: it cleans up, this process waits for it.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("exit", (code, signal) => (process.exitCode = signal ? 1 : code));
}
