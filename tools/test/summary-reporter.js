"use strict";
// Mocha's own output, and the counts in a file for the sum at the end. Plain JavaScript: mocha loads it by path.
const fs = require("node:fs");
const { reporters, Runner } = require("mocha");

class SummaryReporter extends reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    runner.once(Runner.constants.EVENT_RUN_END, () => {
      const { passes, failures } = this.stats;
      fs.writeFileSync(options.reporterOptions.to, JSON.stringify({ passed: passes, failed: failures }));
    });
  }
}

module.exports = SummaryReporter;
