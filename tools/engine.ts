// `npm run -s engine`: finds or makes the Pulumi engine and prints, as the last line of standard output, the folders
// to put before PATH. Everything else goes to standard error.
//   PATH="$(npm run -s engine):$PATH" pulumi up
import path from "node:path";
import { findEngine } from "./engine/find-engine";

findEngine().then(
  (folders) => process.stdout.write(`${folders.join(path.delimiter)}\n`),
  (error: Error) => {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  },
);
