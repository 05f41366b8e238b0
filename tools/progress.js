"use strict";
// Plain JavaScript, because tools/run.mjs needs it before any dependency is installed.

const QUIET_MS = 2_000;
const EVERY_MS = 5_000;

/** See progress.d.ts. */
async function withProgress(
  label,
  work,
  { usually = "", detail = () => "", write = (line) => process.stderr.write(line) } = {},
) {
  const started = Date.now();
  const say = () => {
    const seconds = Math.round((Date.now() - started) / 1_000);
    const more = [usually, detail()].filter(Boolean).join("; ");
    write(`${label}: ${seconds} s${more ? ` (${more})` : ""}\n`);
  };
  let every;
  const quiet = setTimeout(() => {
    say();
    every = setInterval(say, EVERY_MS);
  }, QUIET_MS);
  try {
    return await work();
  } finally {
    clearTimeout(quiet);
    clearInterval(every);
  }
}

module.exports = { withProgress };
