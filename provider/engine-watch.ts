import { connect } from "node:net";

const interval = 500;

/**
 * Ends this process when the engine is gone. A killed engine does not take its provider along, and a provider without
 * an engine would go on writing while the next run is at work. `address` is host:port.
 */
export function watchEngine(address: string | undefined, exit: () => void = () => process.exit(1)): void {
  const [, host, port] = /^([\w.-]+):(\d+)$/.exec(address ?? "") ?? [];
  if (!host || !port) return;
  const timer = setInterval(() => {
    const socket = connect({ host, port: Number(port), timeout: interval });
    socket.once("connect", () => socket.destroy());
    socket.once("timeout", () => socket.destroy());
    socket.once("error", (error: NodeJS.ErrnoException) => {
      socket.destroy();
      if (error.code === "ECONNREFUSED") exit();
    });
  }, interval);
  timer.unref();
}
