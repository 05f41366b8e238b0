/** A thread that ends its process, whatever the main thread does, within a second of its parent's death. */
import { workerData } from "node:worker_threads";

const { parent } = workerData as { parent: number };

setInterval(() => {
  // An orphan gets another parent (where there are parents: not on Windows).
  if (process.ppid !== parent) process.kill(process.pid, "SIGKILL");
}, 500);
