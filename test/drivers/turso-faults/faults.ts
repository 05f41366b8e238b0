import { lies } from "./lies";
import { losses } from "./losses";
import { outages } from "./outages";
import { refusals } from "./refusals";
import { type FaultColumn, value } from "./situation";

/** What can go wrong with any call, and nothing. */
export const faultColumns: readonly FaultColumn[] = [
  { name: "no fault", meet: ({ answer }) => answer(), outcome: value, time: [0, 0] },
  {
    name: "an answer after 9 s",
    meet: ({ n, clock, answer }) => (n === 1 ? clock.pass(9_000) : undefined, answer()),
    outcome: value,
    time: [9_000, 9_000],
  },
  ...losses,
  ...lies,
  ...outages,
  ...refusals,
];
