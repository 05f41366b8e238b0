"use strict";
const { dependenciesInstalled, installDependencies } = require("./dependencies.js");
const { buildIsCurrent, build } = require("./build.js");
const { packageLinked, linkPackage } = require("./package-link.js");
const { withLock } = require("./lock.js");

/** In this order: each needs the ones before it. `done` is cheap and has no effect. */
const STEPS = [
  { done: dependenciesInstalled, run: installDependencies },
  { done: packageLinked, run: linkPackage },
  { done: buildIsCurrent, run: build },
];

/** Does what is still to do in `root`; well under a second when there is nothing. */
async function setUp(root) {
  if (STEPS.every((step) => step.done(root))) return;
  await withLock(root, async () => {
    // Asked again under the lock: another run may just have done it.
    for (const step of STEPS) if (!step.done(root)) await step.run(root);
  });
}

module.exports = { setUp };
