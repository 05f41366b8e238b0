"use strict";
const { spawn } = require("node:child_process");
const { withProgress } = require("../progress.js");

/** Runs a command with progress on standard error; its own output is shown only when it fails. */
async function runQuietly([command, ...args], { cwd, label, usually }) {
  const output = [];
  const code = await withProgress(
    label,
    () =>
      new Promise((resolve, reject) => {
        const shell = process.platform === "win32" && command === "npm";
        const child = spawn(command, args, { cwd, shell, stdio: ["ignore", "pipe", "pipe"] });
        child.stdout.on("data", (chunk) => output.push(chunk));
        child.stderr.on("data", (chunk) => output.push(chunk));
        child.on("error", reject);
        child.on("close", resolve);
      }),
    { usually },
  );
  if (code !== 0) throw new Error(`${Buffer.concat(output)}\n${label} failed (exit code ${code}), see above.`);
}

module.exports = { runQuietly };
