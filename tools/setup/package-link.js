"use strict";
const fs = require("node:fs");
const path = require("node:path");

/**
 * The examples, and the engine's provider process, import "tenantry" as a user's project does: from node_modules.
 * npm removes the links again at each install, therefore they are looked at in every run.
 */
const links = (root) => {
  const modules = path.join(root, "node_modules");
  const all = [{ link: path.join(modules, "tenantry"), target: root, type: "junction" }];
  // For `npx tenantry` inside this repository. Windows would need a .cmd file instead of a link.
  if (process.platform !== "win32") {
    const command = path.join(root, "tools", "setup", "tenantry");
    all.push({ link: path.join(modules, ".bin", "tenantry"), target: command, type: "file" });
  }
  return all;
};

const pointsThere = ({ link, target }) => {
  try {
    return fs.realpathSync(link) === fs.realpathSync(target);
  } catch {
    return false;
  }
};

const packageLinked = (root) => links(root).every(pointsThere);

function linkPackage(root) {
  for (const each of links(root).filter((each) => !pointsThere(each))) {
    fs.rmSync(each.link, { recursive: true, force: true });
    fs.mkdirSync(path.dirname(each.link), { recursive: true });
    fs.symlinkSync(each.target, each.link, each.type);
  }
}

module.exports = { packageLinked, linkPackage };
