// Run as a process of its own, to be killed: starts a platform on the folder given and prints its pid, url and token.
import { startLocalPlatform } from "../../provider/local";

void startLocalPlatform({ directory: process.argv[2] }).then(
  ({ url, apiToken, id }) => process.stdout.write(`${JSON.stringify({ url, apiToken, id })}\n`),
  (error: unknown) => {
    process.stderr.write(`${String(error)}\n`);
    process.exitCode = 1;
  },
);
