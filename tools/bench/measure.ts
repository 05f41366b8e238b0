import type { Extra, Result, Row, Sample } from "./row";

export interface MeasureOptions {
  /** Measurements of each side. */
  readonly repetitions: number;
  /** Told each measurement as it comes. */
  readonly say: (text: string) => void;
  readonly profile?: string;
}

/** Measures both sides in turn. */
export async function measure(row: Row, { repetitions, say, profile }: MeasureOptions): Promise<Result> {
  const ours: Sample[] = [];
  const reference: Sample[] = [];
  const contest = await row.open({ profile });
  try {
    for (let count = 1; count <= repetitions; count++) {
      ours.push(await contest.ours());
      reference.push(await contest.reference());
      const [mine, its] = [ours.at(-1)!.value, reference.at(-1)!.value];
      say(`${count} of ${repetitions}: ${shown(mine)} ${row.unit}, reference ${shown(its)} ${row.unit}`);
    }
  } finally {
    await contest.close();
  }
  return compare(row, ours, reference);
}

/** The row's result from its measurements. */
export function compare(
  { name, unit, goal }: Pick<Row, "name" | "unit" | "goal">,
  ours: Sample[],
  reference: Sample[],
) {
  const [mine, its] = [median(ours.map(value)), median(reference.map(value))];
  const ratio = mine / its;
  const result: Result = {
    ...{ name, unit, ours: mine, reference: its, ratio, goal },
    met: (goal.of === "ratio" ? ratio : mine) <= goal.atMost,
    extra: { ours: extra(ours), reference: extra(reference) },
    samples: { ours: ours.map(value), reference: reference.map(value) },
  };
  return result;
}

function extra(samples: Sample[]): Extra {
  const of = (key: keyof Extra) => {
    const known = samples.map((sample) => sample[key]).filter((each) => each !== undefined);
    return known.length > 0 ? median(known) : undefined;
  };
  return {
    ...{ apiCalls: of("apiCalls"), stateBytes: of("stateBytes"), peakMiB: of("peakMiB") },
    lessResource: of("lessResource"),
  };
}

const value = (sample: Sample): number => sample.value;

/** The middle one; of an even number, the mean of the two in the middle. */
export function median(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (sorted[Math.ceil(middle) - 1]! + sorted[Math.floor(middle)]!) / 2;
}

/** Three significant digits, without an exponent. */
export const shown = (number: number): string =>
  number >= 100 ? String(Math.round(number)) : String(Number(number.toPrecision(3)));
