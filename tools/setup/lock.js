"use strict";
const fs = require("node:fs");
const os = require("node:os");
const path = require("node:path");
const { withProgress } = require("../progress.js");

const POLL_MS = 200;
/** A lock folder without a readable owner is one whose maker was killed between two lines. */
const OWNERLESS_MS = 5_000;
/** On another computer (a shared folder) the owner cannot be asked. */
const FOREIGN_MS = 30 * 60_000;

const alive = (pid) => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === "EPERM";
  }
};

function isStale(folder) {
  let age;
  try {
    age = Date.now() - fs.statSync(folder).mtimeMs;
  } catch {
    return false; // gone: the next attempt takes it
  }
  try {
    const owner = JSON.parse(fs.readFileSync(path.join(folder, "owner.json"), "utf8"));
    return owner.host === os.hostname() ? !alive(owner.pid) : age > FOREIGN_MS;
  } catch {
    return age > OWNERLESS_MS;
  }
}

function tryTake(folder) {
  try {
    fs.mkdirSync(folder);
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    if (!isStale(folder)) return false;
    // Renamed first, so that of two who find it stale only one removes it.
    const aside = `${folder}-${process.pid}`;
    try {
      fs.renameSync(folder, aside);
      fs.rmSync(aside, { recursive: true, force: true });
    } catch {
      // another run was quicker
    }
    return false;
  }
  fs.writeFileSync(path.join(folder, "owner.json"), JSON.stringify({ pid: process.pid, host: os.hostname() }));
  return true;
}

/** Runs `work` while no other run of the set-up works in `root`; waits for one that does. */
async function withLock(root, work) {
  const folder = path.join(root, ".tenantry", "setup.lock");
  fs.mkdirSync(path.dirname(folder), { recursive: true });
  await withProgress("waiting for another set-up of this folder", async () => {
    while (!tryTake(folder)) await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  });
  try {
    return await work();
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

module.exports = { withLock };
