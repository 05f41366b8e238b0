import { engineBuilt } from "./build";
import { engineInCache } from "./cache";
import { engineDownloaded } from "./download";
import { engineOnPath } from "./on-path";
import { INSTALL_PAGE, VERSION } from "./release";
import type { Way } from "./way";

/** The order: what costs nothing first. */
export const WAYS = (): Way[] => [engineOnPath(), engineInCache(), engineDownloaded(), engineBuilt()];

/** No way worked. The message has a line for each and says what to install. */
export class NoEngine extends Error {}

/**
 * The folders to put before PATH, so that `pulumi` and its parts for Node.js programs are found.
 * Each way that does not work is told in one line; the last failure says what to install.
 */
export async function findEngine(
  ways = WAYS(),
  say: (line: string) => void = (line) => process.stderr.write(`${line}\n`),
): Promise<string[]> {
  for (const way of ways) {
    const found = await way.find().catch((error: Error) => ({ why: error.message.split("\n")[0] ?? "failed" }));
    if ("folders" in found) return found.folders;
    say(`no Pulumi engine from ${way.name}: ${found.why}`);
  }
  throw new NoEngine(
    `No Pulumi engine. Install Pulumi ${VERSION} or later (${INSTALL_PAGE}), ` +
      "or Go 1.25.11 or later (https://go.dev/dl/) to have it built here, and run this again.",
  );
}
