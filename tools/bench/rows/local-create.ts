import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { createNamespace } from "../../sqld/namespace";
import { startSqld } from "../../sqld/server";
import { startLocal } from "../local/platform";
import { peakMiB } from "../peak-memory";
import type { Row, Sample } from "../row";

const DATABASES = 1_000;
const IN_FLIGHT = 16;

export const localCreate: Row = {
  name: "local-create-1000",
  what: "creates 1,000 databases through the API of `tenantry local`, 16 in flight, beside namespaces of libsql-server",
  unit: "ms/database",
  goal: { of: "ours", atMost: 10 },
  async open() {
    return {
      ours: () =>
        inNewFolder(async (folder) => {
          const local = await startLocal(folder);
          try {
            const value = await timeEach((name) => local.call("POST", "/databases", { name, group: "bench" }));
            return { value, apiCalls: 1, peakMiB: peakMiB(local.pid) };
          } finally {
            await local.close();
          }
        }),
      reference: () =>
        inNewFolder(async (folder) => {
          const sqld = await startSqld({ directory: folder, namespaces: true });
          try {
            const value = await timeEach((name) => createNamespace(sqld.adminUrl, name));
            return { value, apiCalls: 1, peakMiB: peakMiB(sqld.pid) };
          } finally {
            await sqld.close();
          }
        }),
      close: async () => {},
    };
  },
};

async function inNewFolder(use: (folder: string) => Promise<Sample>): Promise<Sample> {
  const home = await mkdtemp(path.join(tmpdir(), "tenantry-bench-"));
  try {
    return await use(path.join(home, "files"));
  } finally {
    await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

/** Mean milliseconds of one. */
async function timeEach(create: (name: string) => Promise<unknown>): Promise<number> {
  let next = 0;
  const worker = async () => {
    while (next < DATABASES) await create(`tenant-${++next}`);
  };
  const began = performance.now();
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return (performance.now() - began) / DATABASES;
}
