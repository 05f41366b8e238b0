import { Server } from "node:net";

/** As the engine calls it on its providers when a run is cancelled (Pulumi, provider.proto: `rpc Cancel`). */
const cancelPath = "/pulumirpc.ResourceProvider/Cancel";

/**
 * Calls `cancel` when the engine is told to end the run, by Ctrl-C or in its name. The dynamic provider's host answers
 * that call by itself and tells nobody, so its server is listened to. Node has no public way to find it; where it is not
 * found, a cancelled run ends as before: when the calls under way have used up their patience.
 */
export function watchCancel(cancel: () => void): void {
  const { _getActiveHandles: handles } = process as { _getActiveHandles?: () => unknown[] };
  for (const server of handles?.call(process) ?? []) {
    if (!(server instanceof Server)) continue;
    // Only a server of HTTP/2 has this event.
    server.on("stream", (_stream: unknown, headers?: Record<string, unknown>) => {
      if (headers?.[":path"] === cancelPath) cancel();
    });
  }
}
