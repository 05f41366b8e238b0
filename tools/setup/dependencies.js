"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { runQuietly } = require("./run-quietly.js");

const packagesOf = (file) => {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")).packages ?? {};
  } catch {
    return undefined;
  }
};

/**
 * Compares the lockfile with the record npm leaves in node_modules at the end of an install (so a killed install
 * has none). Optional packages may be missing: they are for other platforms.
 */
function dependenciesInstalled(root) {
  const locked = packagesOf(path.join(root, "package-lock.json"));
  const installed = packagesOf(path.join(root, "node_modules", ".package-lock.json"));
  if (!locked || !installed) return false;
  return Object.entries(locked).every(([folder, wanted]) => {
    if (folder === "") return true;
    const present = installed[folder];
    return present ? present.version === wanted.version && present.integrity === wanted.integrity : wanted.optional;
  });
}

async function installDependencies(root) {
  // The npm that started us, where there is one: it is the one the user chose.
  const own = process.env.npm_execpath;
  const npm = own && /npm-cli\.c?js$/.test(own) ? [process.execPath, own] : ["npm"];
  // --include=dev: NODE_ENV=production would leave out the compiler.
  await runQuietly([...npm, "ci", "--include=dev", "--no-audit", "--no-fund"], {
    cwd: root,
    label: "installing the locked dependencies (npm ci)",
    usually: "about half a minute",
  });
}

module.exports = { dependenciesInstalled, installDependencies };
