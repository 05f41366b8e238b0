// Run as a process of its own, to be killed: rolls out over the tenants that it is given, and prints how each ended.
"use strict";
const { createContext } = require("../../../dist/provider/context.js");
const { selectPlatform } = require("../../../dist/provider/platform/select.js");
const { readSettings } = require("../../../dist/provider/platform/settings.js");
const { prepareRollout, runRollout } = require("../../../dist/provider/rollout/fleet/rollout.js");

async function main({ apiUrl, apiToken, request }) {
  const settings = readSettings({ platform: "local", apiUrl, apiToken, organization: "local" }, {});
  const context = createContext(selectPlatform(settings), settings);
  const report = await runRollout(await prepareRollout({ ...request, context }));
  process.stdout.write(`${JSON.stringify(report.outcomes)}\n`);
}

main(JSON.parse(process.argv[2])).catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exitCode = 1;
});
