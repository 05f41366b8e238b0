import { randomBytes } from "node:crypto";
import type { Call, Part, Verb } from "./message";
import { type Listener, ProcessEnded, startSqlProcess, type SqlProcess, type SqlProcessEvents } from "./sql-process";

export interface SqlProcessesOptions {
  /** The most processes at a time. Default 8. */
  readonly most?: number;
  /** How long a process may work at one statement, in milliseconds, before it is ended. Default 60,000. */
  readonly statementTimeout?: number;
  /** How long a stream without requests lives, in milliseconds. Default 10,000. */
  readonly streamTimeout?: number;
  /** How long a statement waits for a lock, in milliseconds. Default 5,000. */
  readonly busyTimeout?: number;
  /** What statements have cost, by database, told a few times a second. */
  readonly onUsage?: SqlProcessEvents["onUsage"];
}

/** An answer over HTTP; a long one comes in parts, as they are asked for. */
export interface SqlAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | AsyncIterable<string>;
}

/**
 * The processes that run SQL, started as they are needed. A process runs the statements of one database at a time, and
 * a database keeps to one process for as long as it has requests under way or streams open there. So a slow statement
 * holds up its own database alone, and a process that dies costs the requests and the streams in it, nothing else.
 */
export interface SqlProcesses {
  ask(verb: Verb, call: Call): Promise<SqlAnswer>;
  /** Ends a database's streams, closes its files, and lets nobody in until `work` is done. */
  exclusively<Result>(databaseId: string, work: () => Promise<Result> | Result): Promise<Result>;
  /** `now`: requests under way are not waited for, and are answered that their process ended. Idempotent. */
  close(options?: { readonly now?: boolean }): Promise<void>;
}

interface Waiting {
  readonly call: Call;
  /** By the process's own clock, ms. */
  readonly since: number;
  go(process: SqlProcess): void;
}

/** Who has waited so long gets a process started, ms. */
const longWait = 25;
/** Files that stay open in a process while nobody uses them; a thousand databases are not a thousand files. */
const maxOpen = 32;
/** An idle process ends after this, ms. */
const idleTime = 30_000;

export function createSqlProcesses(options: SqlProcessesOptions = {}): SqlProcesses {
  const { most = 8, statementTimeout = 60_000, streamTimeout, busyTimeout, onUsage = () => undefined } = options;
  const batonKey = randomBytes(32).toString("base64");
  const processes = new Set<SqlProcess>();
  /** Where a database was served last: its files are open there. */
  const homes = new Map<string, SqlProcess>();
  const closedTo = new Map<string, Promise<void>>();
  let queue: Waiting[] = [];
  let impatience: NodeJS.Timeout | undefined;
  let lastStart = -Infinity;
  let idle: NodeJS.Timeout | undefined;
  let closed = false;

  const start = (): SqlProcess => {
    const settings = { batonKey, maxOpen, streamTimeout, busyTimeout };
    const started: SqlProcess = startSqlProcess(settings, statementTimeout, {
      onUsage,
      onChange: () => serveQueue(),
      onEnd: () => {
        processes.delete(started);
        for (const [databaseId, home] of homes) if (home === started) homes.delete(databaseId);
        serveQueue();
      },
    });
    processes.add(started);
    lastStart = performance.now();
    return started;
  };

  /** The process for a database's next request; undefined: it has to wait. */
  const choose = (databaseId: string, mayStart: boolean): SqlProcess | undefined => {
    const home = homes.get(databaseId);
    if (home?.holds(databaseId)) return home;
    const free = [...processes].filter((each) => each.running === 0);
    const empty = free.filter((each) => !each.holdsOther(databaseId));
    const best = home && empty.includes(home) ? home : empty[0];
    if (best) return best;
    // Starting a process takes as long as a hundred queries: most waits are over before.
    if (processes.size === 0 || (mayStart && processes.size < most)) return start();
    // A process where others have transactions open is the last choice: this database's statement may be slow.
    return processes.size < most ? undefined : free[0];
  };

  /** How long until somebody has waited for long, and since the last start of a process too: one may be started. */
  const untilLate = ({ since }: Waiting): number => Math.max(since, lastStart) + longWait - performance.now();

  const serveQueue = (): void => {
    const left: Waiting[] = [];
    for (const waiting of queue) {
      const mayStart = untilLate(waiting) <= 0;
      const chosen = closedTo.has(waiting.call.databaseId) ? undefined : choose(waiting.call.databaseId, mayStart);
      if (!chosen) {
        left.push(waiting);
        continue;
      }
      homes.set(waiting.call.databaseId, chosen);
      waiting.go(chosen);
    }
    queue = left;
    clearTimeout(impatience);
    const [first] = queue;
    // Who is late already is looked at again soon, and whenever a process has something to say.
    if (first) impatience = setTimeout(serveQueue, untilLate(first) > 0 ? Math.ceil(untilLate(first)) : longWait);
    scheduleIdle();
  };

  const scheduleIdle = (): void => {
    idle ??= setTimeout(() => {
      idle = undefined;
      const unused = [...processes].filter((each) => each.running === 0 && !each.holdsOther(""));
      // One stays, with its files open.
      for (const each of unused.slice(processes.size > unused.length ? 0 : 1)) {
        processes.delete(each);
        void each.end();
      }
    }, idleTime).unref();
  };

  const ask: SqlProcesses["ask"] = async (verb, call) => {
    for (let wait = closedTo.get(call.databaseId); wait; wait = closedTo.get(call.databaseId)) await wait;
    if (closed) return { status: 503, contentType: "text/plain", body: "the platform is stopping" };
    return new Promise((resolve) => {
      queue.push({ call, since: performance.now(), go: (process) => hear(process, verb, call, resolve) });
      serveQueue();
    });
  };

  return {
    ask,
    async exclusively(databaseId, work) {
      for (let wait = closedTo.get(databaseId); wait; wait = closedTo.get(databaseId)) await wait;
      let open = (): void => undefined;
      closedTo.set(databaseId, new Promise((resolve) => (open = resolve)));
      try {
        await Promise.all([...processes].map((each) => each.forget(databaseId)));
        return await work();
      } finally {
        closedTo.delete(databaseId);
        homes.delete(databaseId);
        open();
        serveQueue();
      }
    },
    async close({ now = false } = {}) {
      closed = true;
      clearTimeout(impatience);
      clearTimeout(idle);
      await Promise.all([...processes].map((each) => each.end(now)));
    },
  };
}

/** Turns the parts of an answer into one. */
function hear(process: SqlProcess, verb: Verb, call: Call, resolve: (answer: SqlAnswer) => void): void {
  const parts: Part[] = [];
  let failure: ProcessEnded | undefined;
  let heard = (): void => undefined;
  const listener: Listener = {
    part: (part) => {
      parts.push(part);
      heard();
    },
    failed: (error) => {
      failure = error;
      heard();
    },
  };
  const line = process.ask({ verb, call }, listener);

  async function* rest(): AsyncGenerator<string> {
    let isLast = false;
    try {
      for (;;) {
        const part = parts.shift();
        if (part) {
          isLast = part.isLast;
          if (part.isBroken) throw new Error(`the answer broke off: ${part.body}`);
          yield part.body;
          if (isLast) return;
          line.more();
        } else {
          if (failure) throw failure;
          await new Promise<void>((resolve) => (heard = resolve));
        }
      }
    } finally {
      if (!isLast) line.stop();
    }
  }

  heard = () => {
    const [first] = parts;
    if (first) {
      const { status, contentType } = first;
      resolve({ status, contentType, body: first.isLast ? first.body : rest() });
    } else if (failure) {
      resolve(explain(failure));
    }
    heard = () => undefined;
  };
}

/** As a libSQL client shows it: a code, and what it means for the caller. */
function explain({ reason }: ProcessEnded): SqlAnswer {
  const message = {
    overran: "The statement ran too long and was ended; an open transaction was rolled back.",
    stopped: "The database was deleted or replaced, or the platform stops: what was not committed was rolled back.",
    died:
      "The process that ran this SQL ended. A result with text that is not valid UTF-8 does that: read it as a blob, " +
      "with CAST(... AS BLOB). What was not committed was rolled back.",
  }[reason];
  const code = reason === "overran" ? "SQL_TIMEOUT" : "SQL_PROCESS_ENDED";
  return { status: 500, contentType: "application/json", body: JSON.stringify({ message, code }) };
}
