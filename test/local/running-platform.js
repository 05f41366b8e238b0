// Run as a process of its own, to be killed: starts a platform on the folder given and prints its url, token and id.
"use strict";
const { startLocalPlatform } = require("../../dist/provider/local/index.js");

startLocalPlatform({ directory: process.argv[2] }).then(
  ({ url, apiToken, id }) => process.stdout.write(`${JSON.stringify({ url, apiToken, id })}\n`),
  (error) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  },
);
