import { fork } from "node:child_process";
import path from "node:path";
import type { FromProcess, Part, ProcessOptions, ToProcess } from "./message";

/** A process ended before it answered. */
export class ProcessEnded extends Error {
  constructor(readonly reason: "died" | "overran" | "stopped") {
    super(`the process that ran the SQL ${reason === "died" ? "died" : "was ended"}`);
    this.name = "ProcessEnded";
  }
}

/** Hears the parts of an answer. */
export interface Listener {
  part(part: Part): void;
  failed(error: ProcessEnded): void;
}

/** One process that runs SQL. */
export interface SqlProcess {
  /** Requests that run: under way, and not waiting for a lock or a reader. */
  readonly running: number;
  /** True while a database has a request under way or a stream open here. */
  holds(databaseId: string): boolean;
  /** True while any database but this one has. */
  holdsOther(databaseId: string): boolean;
  ask(message: Omit<ToProcess & { type: "ask" }, "type" | "n">, listener: Listener): { more(): void; stop(): void };
  /** Closes a database's streams and files; a process that is busy with it, and does not come to it, is ended. */
  forget(databaseId: string): Promise<void>;
  /** Lets a statement under way go on for a moment, unless it is to end `now`. */
  end(now?: boolean): Promise<void>;
}

export interface SqlProcessEvents {
  /** It has become less busy, or ended. */
  onChange(): void;
  onUsage(usage: (FromProcess & { type: "usage" })["usage"]): void;
  onEnd(): void;
}

// The tests of this repository run its TypeScript, but a process of its own takes what was built of it.
const built = __filename.endsWith(".ts")
  ? path.join(__dirname, "..", "..", "..", "dist", "provider", "local", "processes")
  : __dirname;

/** How long `forget` and `end` wait for a process that is busy with a statement, ms. */
const patience = 2_000;

/** @param overrun How long a process may run without a sign of life, ms: longer is a statement without an end. */
export function startSqlProcess(options: ProcessOptions, overrun: number, events: SqlProcessEvents): SqlProcess {
  const child = fork(path.join(built, "main.js"), [JSON.stringify(options)], {
    execArgv: [],
    stdio: ["ignore", "ignore", "pipe", "ipc"],
  });
  let complaint = "";
  child.stderr?.on("data", (text: Buffer) => (complaint = (complaint + text.toString()).slice(0, 2000)));
  let hasSpoken = false;
  const served = new Set<string>();
  const asked = new Map<number, { databaseId: string; listener: Listener }>();
  const forgetting = new Map<number, () => void>();
  /** By database: requests under way, and streams open between them. */
  const guests = new Map<string, { requests: number; streams: number }>();
  let counter = 0;
  let waiting = 0;
  let reason: ProcessEnded["reason"] = "died";
  let watch: NodeJS.Timeout | undefined;

  const note = (databaseId: string, change: { requests?: number; streams?: number }): void => {
    const guest = guests.get(databaseId) ?? { requests: 0, streams: 0 };
    guest.requests += change.requests ?? 0;
    guest.streams = change.streams ?? guest.streams;
    if (guest.requests === 0 && guest.streams === 0) guests.delete(databaseId);
    else guests.set(databaseId, guest);
  };
  const running = (): number => asked.size - waiting;
  const rewatch = (): void => {
    clearTimeout(watch);
    watch = undefined;
    // Its own start is no statement's doing.
    if (running() <= 0 || !hasSpoken) return;
    watch = setTimeout(() => {
      reason = "overran";
      child.kill("SIGKILL");
    }, overrun);
    watch.unref();
  };
  const send = (message: ToProcess): void => {
    if (child.connected) child.send(message, () => undefined);
  };

  child.on("message", (message: FromProcess) => {
    hasSpoken = true;
    switch (message.type) {
      case "answer": {
        const entry = asked.get(message.n);
        if (!entry) break;
        const { isLast, streams } = message.answer;
        if (isLast) asked.delete(message.n);
        note(entry.databaseId, { requests: isLast ? -1 : 0, streams });
        entry.listener.part(message.answer);
        break;
      }
      case "forgotten":
        forgetting.get(message.n)?.();
        break;
      case "waiting":
        waiting = message.requests;
        break;
      case "streams":
        note(message.databaseId, { streams: message.open });
        break;
      case "usage":
        return events.onUsage(message.usage);
    }
    rewatch();
    events.onChange();
  });
  const ended = new Promise<void>((resolve) => {
    const finish = (): void => {
      clearTimeout(watch);
      // Not a statement's doing: nothing of it would be told anywhere else.
      if (!hasSpoken && complaint) process.stderr.write(`A process for SQL could not be started:\n${complaint}\n`);
      const lost = [...asked.values()];
      asked.clear();
      guests.clear();
      for (const done of forgetting.values()) done();
      resolve();
      events.onEnd();
      for (const { listener } of lost) listener.failed(new ProcessEnded(reason));
    };
    child.once("exit", finish);
    // It could not be started at all.
    child.once("error", () => child.pid === undefined && finish());
  });

  return {
    get running() {
      return running();
    },
    holds: (databaseId) => guests.has(databaseId),
    holdsOther: (databaseId) => guests.size > (guests.has(databaseId) ? 1 : 0),
    ask(message, listener) {
      const n = ++counter;
      const { databaseId } = message.call;
      asked.set(n, { databaseId, listener });
      served.add(databaseId);
      note(databaseId, { requests: 1 });
      send({ type: "ask", n, ...message });
      // A question is no sign of life: whoever asks again and again must not keep a statement running for ever.
      if (watch === undefined) rewatch();
      return { more: () => send({ type: "more", n }), stop: () => send({ type: "stop", n }) };
    },
    async forget(databaseId) {
      if (!served.delete(databaseId)) return;
      const n = ++counter;
      const done = new Promise<void>((resolve) => forgetting.set(n, resolve));
      send({ type: "forget", n, databaseId });
      await inTime(done, () => {
        // Busy with another database: it comes to this before anything else of this one, so nobody need wait for it.
        if (!guests.get(databaseId)?.requests) return;
        reason = "stopped";
        child.kill("SIGKILL");
        return done;
      });
      forgetting.delete(n);
    },
    async end(now = false) {
      if (child.connected) child.disconnect();
      reason = "stopped";
      const kill = () => {
        child.kill("SIGKILL");
        return ended;
      };
      await inTime(ended, kill, now ? 0 : patience);
    },
  };
}

async function inTime(done: Promise<void>, otherwise: () => Promise<void> | undefined, wait = patience): Promise<void> {
  let late: NodeJS.Timeout | undefined;
  const patient = new Promise<boolean>((resolve) => (late = setTimeout(() => resolve(true), wait)));
  if (await Promise.race([done.then(() => false), patient])) await otherwise();
  clearTimeout(late);
}
