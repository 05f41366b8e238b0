import { planLargeFleet } from "../rollout/plan-large-fleet";
import type { Row } from "../row";

export const plan10000: Row = {
  name: "plan-10000",
  what: "plans a change of 10,000 tenants with 50 migrations, and writes the plan, beside a bare loop over their ledgers",
  unit: "s",
  goal: { of: "ours", atMost: 2 },
  async open() {
    return {
      ours: async () => ({ value: (await planLargeFleet()).seconds }),
      reference: async () => ({ value: (await planLargeFleet()).loop }),
      close: async () => {},
    };
  },
};
