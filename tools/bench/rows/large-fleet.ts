import { deploy } from "../fleet/deploy";
import { FLEET, FLEET_WITH_SCHEMA, NOTHING, type Program } from "../fleet/programs";
import type { Delays } from "../fleet/stub";
import type { Row, Sample } from "../row";

const AWAY: Delays = { control: 50, data: 20 };
const IN_FLIGHT = 64;

/** An `up` of nothing, so that what every `up` takes can be left out. */
const empty = async (): Promise<number> => (await deploy({ program: NOTHING, size: 0, delays: AWAY })).value;

/**
 * A fleet's first `up` at the engine's default parallelism, less that of an empty one, beside what the API alone takes:
 * `chain` ms for each tenant, so many at a time.
 */
function fleetRow(name: string, what: string, of: { program: Program; size: number; chain: number }): Row {
  const { program, size, chain } = of;
  return {
    name,
    what,
    unit: "s",
    goal: { of: "ratio", atMost: 1.5 },
    open: async ({ profile }) => ({
      async ours() {
        const sample = await deploy({ program, size, delays: AWAY, concurrency: IN_FLIGHT, profile });
        return { ...sample, value: sample.value - (await empty()) };
      },
      reference: async () => ({ value: (size * chain) / IN_FLIGHT / 1_000 }),
      close: async () => {},
    }),
  };
}

const work = `at 50 ms a Platform API call and 20 ms a query, ${IN_FLIGHT} calls at a time`;

/** What ten times as many tenants cost. */
const growth: Row = {
  name: "fleet-growth",
  what: "up of a fleet of 10,000, beside one of 1,000",
  unit: "s",
  goal: { of: "ratio", atMost: 11 },
  async open() {
    const less = async (size: number): Promise<Sample> => {
      const sample = await deploy({ program: FLEET, size, delays: AWAY, concurrency: IN_FLIGHT });
      return { ...sample, value: sample.value - (await empty()) };
    };
    return { ours: () => less(10_000), reference: () => less(1_000), close: async () => {} };
  },
};

const unchanged: Row = {
  name: "fleet-10000-unchanged",
  what: "up of an unchanged fleet of 10,000, less that of an empty stack",
  unit: "s",
  goal: { of: "ours", atMost: 2 },
  async open({ profile }) {
    const again = (program: Program, size: number, to?: string) =>
      deploy({ program, size, delays: AWAY, up: "unchanged", profile: to });
    return {
      async ours() {
        const sample = await again(FLEET, 10_000, profile);
        return { ...sample, value: sample.value - (await again(NOTHING, 0)).value };
      },
      reference: () => again(NOTHING, 0),
      close: async () => {},
    };
  },
};

export const largeFleetRows: readonly Row[] = [
  fleetRow("fleet-1000", `up of a fleet of 1,000 ${work}, beside their creates alone`, {
    ...{ program: FLEET, size: 1_000, chain: AWAY.control },
  }),
  fleetRow("fleet-1000-schema", `the same with a schema, beside a create and a query each`, {
    ...{ program: FLEET_WITH_SCHEMA, size: 1_000, chain: AWAY.control + AWAY.data },
  }),
  fleetRow("fleet-10000", `up of a fleet of 10,000 ${work}, beside their creates alone`, {
    ...{ program: FLEET, size: 10_000, chain: AWAY.control },
  }),
  growth,
  unchanged,
];
