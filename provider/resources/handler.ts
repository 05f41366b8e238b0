import type { Capabilities } from "../platform/capabilities";
import type { Context } from "../context";

/** What every resource takes. */
export interface CommonInputs {
  readonly self: string;
  /** Former addresses, from Pulumi aliases. */
  readonly formerly?: readonly string[];
  readonly connection?: string;
}

/** What check found wrong: one sentence that begins with the property's path. */
export type Failure = string;

export interface CheckRequest<Inputs> {
  readonly news: Partial<Inputs>;
  /** The inputs of the last deployment, if there was one. */
  readonly olds: Partial<Inputs> | undefined;
  readonly capabilities: Capabilities;
  /** The platform's name, for sentences. */
  readonly platform: string;
}

export interface Diff {
  readonly changes: boolean;
  /** Properties for which the engine must replace. */
  readonly replaces?: readonly string[];
  readonly deleteBeforeReplace?: boolean;
  /** A line for the reader, shown with the resource. */
  readonly note?: string;
}

/**
 * One kind of resource, as the engine drives it: one request in, one reply out. Outputs are a superset of inputs, since
 * read and delete see nothing else. A handler knows no stack and no URN beyond `self`.
 */
export interface Handler<Inputs extends CommonInputs, Outputs extends Inputs> {
  /** Validates and fills in defaults; no I/O (the engine checks one resource at a time). */
  check(request: CheckRequest<Inputs>): { inputs: Partial<Inputs>; failures: Failure[]; note?: string };
  /** Told of a new resource that check has let pass, so that its create can be prepared once there is one; no I/O. */
  expect?(request: { inputs: Inputs; context: Context }): void;
  /** Compares desired with observed; no I/O. News may hold unknowns in a preview. */
  diff(request: { id: string; olds: Outputs; news: Inputs; context: Context }): Diff | Promise<Diff>;
  create(request: { inputs: Inputs; context: Context }): Promise<{ id: string; outputs: Outputs }>;
  /** Undefined: it is gone, and that was confirmed. */
  read(request: { id: string; outputs: Outputs; context: Context }): Promise<Outputs | undefined>;
  update(request: { id: string; olds: Outputs; news: Inputs; context: Context }): Promise<Outputs>;
  /** Answers a line for the reader, if there is something to say. Absence is success. */
  delete(request: { id: string; outputs: Outputs; context: Context }): Promise<string | void>;
}

/** The remote object exists but is not yet as declared: the engine keeps what is known, and the next `up` goes on. */
export class Unfinished<Outputs> extends Error {
  constructor(
    readonly reason: unknown,
    readonly id: string,
    readonly outputs: Outputs,
  ) {
    super(reason instanceof Error ? reason.message : String(reason));
  }
}
