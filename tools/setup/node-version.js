"use strict";

/** The oldest Node.js that every dependency runs on (undici 7 asks for 20.18.1). */
const OLDEST = [20, 18, 1];

/** One line why this Node.js is too old, or undefined. `version` is like "20.18.1". */
function nodeVersionProblem(version) {
  const parts = version.split(".").map(Number);
  const at = OLDEST.findIndex((wanted, i) => parts[i] !== wanted);
  if (at < 0 || parts[at] > OLDEST[at]) return undefined;
  return `Node.js ${version} is too old: Tenantry needs ${OLDEST.join(".")} or later (https://nodejs.org).`;
}

module.exports = { nodeVersionProblem };
