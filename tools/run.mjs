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

const fail = (message) => {
  process.stderr.write(`${message}\n`);
  process.exit(1);
};

const [tool = "build", ...rest] = process.argv.slice(2);
const problem = nodeVersionProblem(process.versions.node);
if (problem) fail(problem);
await setUp(root).catch((error) => fail(error.message));
if (tool !== "build") {
  const args = ["-r", "ts-node/register/transpile-only", path.join(root, "tools", `${tool}.ts`), ...rest];
  const env = { ...process.env, TS_NODE_PROJECT: path.join(root, "tsconfig.check.json") };
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: "inherit" });
  // The terminal sends Ctrl-C to the child as well: it cleans up, this process waits for it.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  child.on("exit", (code, signal) => process.exit(signal ? 1 : code));
}
