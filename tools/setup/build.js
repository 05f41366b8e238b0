"use strict";
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { makePackage } = require("./package.js");
const { runQuietly } = require("./run-quietly.js");

const SOURCES = ["sdk", "provider"];
const SETTINGS = ["tsconfig.json", "package-lock.json", "tools/setup/package.js", "tools/setup/declarations.js"];
/** Inside dist/, so that stamp and output are always swapped together. */
const STAMP = path.join("dist", ".inputs");

function inputsDigest(root) {
  const files = SOURCES.flatMap((folder) =>
    fs
      .readdirSync(path.join(root, folder), { recursive: true })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => path.join(folder, name)),
  ).sort();
  const hash = createHash("sha256");
  for (const file of [...SETTINGS, ...files]) {
    const content = fs.readFileSync(path.join(root, file));
    hash.update(`${file.split(path.sep).join("/")}\0${content.length}\0`).update(content);
  }
  return hash.digest("hex");
}

function buildIsCurrent(root) {
  try {
    return fs.readFileSync(path.join(root, STAMP), "utf8") === inputsDigest(root);
  } catch {
    return false;
  }
}

/** Compiles beside and swaps: a run that uses dist/ meanwhile sees the old or the new one, never a half. */
async function build(root) {
  const digest = inputsDigest(root);
  const fresh = path.join(root, ".tenantry", `build-${process.pid}`);
  const old = `${fresh}-old`;
  const dist = path.join(root, "dist");
  try {
    const tsc = path.join(root, "node_modules", "typescript", "bin", "tsc");
    const command = [process.execPath, tsc, "-p", "tsconfig.json", "--outDir", fresh];
    await runQuietly(command, { cwd: root, label: "building dist/ (tsc)", usually: "about 10 s" });
    if (fs.existsSync(path.join(root, "sdk", "cli"))) await makePackage(root, fresh);
    fs.writeFileSync(path.join(fresh, path.basename(STAMP)), digest);
    if (fs.existsSync(dist)) fs.renameSync(dist, old);
    fs.renameSync(fresh, dist);
  } finally {
    for (const folder of [fresh, old]) fs.rmSync(folder, { recursive: true, force: true });
  }
}

module.exports = { buildIsCurrent, build };
