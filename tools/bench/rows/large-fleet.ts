import { deploy } from "../fleet/deploy";
import { FLEET, FLEET_WITH_SCHEMA, NOTHING, type Program, THIN } from "../fleet/programs";
import type { Delays } from "../fleet/stub";
import type { Row, Sample } from "../row";

const AWAY: Delays = { control: 50, data: 20 };
const IN_FLIGHT = 64;

/**
 * A fleet's `up`, less what it has in common with others that are measured beside it: an empty one, and one with a single
 * resource that does nothing. The engine starts a Node.js process for any resource of a kind that is written in
 * JavaScript, and Pulumi's SDK is loaded in it, whatever the resource does.
 */
async function less(sample: Sample, up: "first" | "unchanged" = "first"): Promise<Sample> {
  const common = async (program: Program, size: number): Promise<number> => (await deploy({ program, size, up })).value;
  const { value } = sample;
  return { ...sample, value: value - (await common(NOTHING, 0)), lessResource: value - (await common(THIN, 1)) };
}

/**
 * A fleet's first `up` at the engine's default parallelism, less that of others, beside what the API alone takes:
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
      ours: async () => less(await deploy({ program, size, delays: AWAY, concurrency: IN_FLIGHT, profile })),
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
    const up = async (size: number): Promise<Sample> =>
      less(await deploy({ program: FLEET, size, delays: AWAY, concurrency: IN_FLIGHT }));
    return { ours: () => up(10_000), reference: () => up(1_000), close: async () => {} };
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
      ours: async () => less(await again(FLEET, 10_000, profile), "unchanged"),
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
