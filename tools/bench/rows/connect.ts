import { createTenantry } from "../../../sdk/client";
import type { Row, Sample } from "../row";

const TENANTS = 500;
const ROUNDS = 2_000;

/** Nothing is sent: the clients are there, and nobody asks them anything. */
export const connect: Row = {
  name: "connect",
  what: "connects to 500 warm tenants in turn through createTenantry, beside a promise looked up in a Map",
  unit: "ns/connect",
  goal: { of: "ours", atMost: 5_000 },
  async open() {
    const tenantry = createTenantry({ urlFor: () => "https://tenant.example", tokenFor: () => "none" });
    const names = Array.from({ length: TENANTS }, (_, i) => `tenant-${i}`);
    const clients = new Map<string, Promise<unknown>>();
    for (const name of names) {
      await tenantry.connect(name);
      clients.set(name, Promise.resolve({}));
    }
    return {
      ours: () => each(names, (name) => tenantry.connect(name)),
      reference: () => each(names, (name) => clients.get(name)!),
      close: async () => tenantry.close(),
    };
  },
};

async function each(names: readonly string[], look: (name: string) => Promise<unknown>): Promise<Sample> {
  const began = performance.now();
  for (let round = 0; round < ROUNDS; round++) {
    for (const name of names) await look(name);
  }
  return { value: ((performance.now() - began) * 1_000_000) / (ROUNDS * names.length) };
}
