import { CLASSES, type Program, THIN, TENANTS } from "../fleet/programs";
import { deploy } from "../fleet/deploy";
import type { Delays } from "../fleet/stub";
import type { Goal, Row } from "../row";

interface Fleet {
  readonly size: number;
  readonly delays?: Delays;
  /** Undefined: the engine's own default, four for each core. */
  readonly parallel?: number;
  readonly reference: Program;
  readonly goal: number;
}

const AWAY: Delays = { control: 50, data: 20 };

function fleetRow(name: string, what: string, { size, delays, parallel, reference, goal }: Fleet): Row {
  const bound: Goal = { of: "ratio", atMost: goal };
  return {
    name,
    what,
    unit: "s",
    goal: bound,
    async open({ profile }) {
      const fleet = { size, delays, parallel };
      return {
        ours: () => deploy({ ...fleet, program: TENANTS, profile }),
        reference: () => deploy({ ...fleet, program: reference }),
        close: async () => {},
      };
    },
  };
}

const engineFloor = (size: number): Row =>
  fleetRow(
    `engine-floor-${size}`,
    `up of ${size} TenantDatabases on a platform that answers at once, beside ${size} resources that do nothing`,
    { size, parallel: 64, reference: THIN, goal: 1.3 },
  );

const far = "at 50 ms a Platform API call and 20 ms a query";

export const fleetRows: readonly Row[] = [
  engineFloor(200),
  engineFloor(1_000),
  fleetRow("latency-1000", `up of 1,000 ${far}, beside resources that make one such call`, {
    ...{ size: 1_000, delays: AWAY, parallel: 64, reference: THIN, goal: 1.5 },
  }),
  fleetRow("latency-1000-default", `the same at the engine's default parallelism`, {
    ...{ size: 1_000, delays: AWAY, reference: THIN, goal: 1.5 },
  }),
  fleetRow("naive-1000", `up of 1,000 ${far}, beside a provider written as a class, one object a resource`, {
    ...{ size: 1_000, delays: AWAY, parallel: 64, reference: CLASSES, goal: 0.7 },
  }),
];
