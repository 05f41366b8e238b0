import type { Access } from "../hrana/access";
import type { StatementUsage } from "../hrana/meter";

// What the platform and a process that runs SQL for it say to each other, as JSON over Node's channel.

export type Verb = "pipeline" | "cursor" | "dump" | "check";

export type ToProcess =
  | { readonly type: "ask"; readonly n: number; readonly verb: Verb; readonly call: Call }
  /** The last part of an answer was taken: the next one may come. */
  | { readonly type: "more"; readonly n: number }
  /** Nobody reads the answer any more. */
  | { readonly type: "stop"; readonly n: number }
  /** Close every stream and file of a database. */
  | { readonly type: "forget"; readonly n: number; readonly databaseId: string };

export interface Call {
  readonly databaseId: string;
  readonly file: string;
  readonly access: Access;
  /** The request's body as it came. */
  readonly body: string;
}

export type FromProcess =
  | { readonly type: "answer"; readonly n: number; readonly answer: Part }
  | { readonly type: "forgotten"; readonly n: number }
  /** How many of the requests under way wait, for a lock or for whoever reads them, instead of running. */
  | { readonly type: "waiting"; readonly requests: number }
  /** A stream of a database has expired: so many are left. */
  | { readonly type: "streams"; readonly databaseId: string; readonly open: number }
  | {
      readonly type: "usage";
      readonly usage: readonly { readonly databaseId: string; readonly statements: readonly StatementUsage[] }[];
    };

/** An answer, or one part of a long one, of which the first has status and type. */
export interface Part {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
  readonly isLast: boolean;
  /** It failed after its first part: what was told is not all. */
  readonly isBroken?: boolean;
  /** How many streams the database has open in the process. */
  readonly streams: number;
}

/** How a process is started: in its arguments, as JSON. */
export interface ProcessOptions {
  /** Base64. */
  readonly batonKey: string;
  readonly maxOpen: number;
  readonly streamTimeout?: number;
  readonly busyTimeout?: number;
}
