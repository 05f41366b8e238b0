/** One measurement of one side. */
export interface Sample {
  /** In the row's unit; less is better, in every row. */
  readonly value: number;
  /** Requests to the platform's API and to databases, for each resource. */
  readonly apiCalls?: number;
  /** Of one resource, as the backend keeps it, without white space. */
  readonly stateBytes?: number;
  /**
   * Where an empty `up` was taken off: the value less an `up` with one resource that does nothing instead, which starts a
   * provider process too.
   */
  readonly lessResource?: number;
  /** The most memory that the process which does the work had, in MiB. */
  readonly peakMiB?: number;
}

/** Two sides, ready to be measured in turn. */
export interface Contest {
  ours(): Promise<Sample>;
  reference(): Promise<Sample>;
  close(): Promise<void>;
}

export interface Goal {
  /** What is held against the bound: the ratio ours / reference, or our own value. */
  readonly of: "ratio" | "ours";
  readonly atMost: number;
}

export interface ContestOptions {
  /** A folder to which our processes write CPU profiles. Timings are then not comparable. */
  readonly profile?: string;
}

export interface Row {
  readonly name: string;
  /** One line for people: what is done, and what it is held against. */
  readonly what: string;
  readonly unit: string;
  readonly goal: Goal;
  open(options: ContestOptions): Promise<Contest>;
}

/** A row with its medians. */
export interface Result {
  readonly name: string;
  readonly unit: string;
  readonly ours: number;
  readonly reference: number;
  /** ours / reference */
  readonly ratio: number;
  readonly goal: Goal;
  readonly met: boolean;
  /** The extra columns of both sides, where they mean something. */
  readonly extra: { readonly ours: Extra; readonly reference: Extra };
  /** Every value, in the order in which they were measured. */
  readonly samples: { readonly ours: number[]; readonly reference: number[] };
}

export type Extra = Omit<Sample, "value">;
