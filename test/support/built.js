// Before the first test: the embedded platform runs SQL in processes of its own, and those take what was built.
"use strict";
const path = require("node:path");
const { build, buildIsCurrent } = require("../../tools/setup/build.js");

const root = path.resolve(__dirname, "..", "..");

exports.mochaGlobalSetup = async () => {
  if (!buildIsCurrent(root)) await build(root);
};
