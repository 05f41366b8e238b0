import { randomBytes } from "node:crypto";
import type { Baton } from "./baton";
import { ProtocolError } from "./fault";
import type { Stream } from "./stream";

export class StreamExpired extends Error {
  constructor() {
    super("The stream has expired due to inactivity");
    this.name = "StreamExpired";
  }
}

/** A stream while one request has the use of it. */
export interface Session {
  readonly stream: Stream;
  /** The baton that is good once the stream was given back. */
  readonly next: Baton;
  /** Gives the stream back and tells its next baton; undefined if it was closed. */
  pause(): Baton | undefined;
  end(): void;
}

/** The streams between their requests. */
export interface Sessions {
  start(databaseId: string, stream: Stream): Session;
  /** @throws StreamExpired, or ProtocolError for a baton that was used before. */
  resume(baton: Baton): Session;
  /** How many streams of a database there are. */
  count(databaseId: string): number;
  /** Closes every stream of a database (of all without one). */
  endAll(databaseId?: string): void;
}

interface Entry {
  readonly databaseId: string;
  readonly stream: Stream;
  turn: number;
  timer: NodeJS.Timeout | undefined;
}

/**
 * @param idleTimeout How long a stream lives without a request, in milliseconds.
 * @param onExpired Called when a stream of a database has expired.
 */
export function openSessions(idleTimeout: number, onExpired: (databaseId: string) => void): Sessions {
  const entries = new Map<string, Entry>();
  const counts = new Map<string, number>();

  const add = (databaseId: string, change: 1 | -1): void => {
    const count = (counts.get(databaseId) ?? 0) + change;
    if (count === 0) counts.delete(databaseId);
    else counts.set(databaseId, count);
  };
  const end = (id: string, entry: Entry): void => {
    clearTimeout(entry.timer);
    if (entries.delete(id)) add(entry.databaseId, -1);
    entry.stream.close();
  };
  const expire = (id: string, entry: Entry): void => {
    end(id, entry);
    onExpired(entry.databaseId);
  };

  const use = (id: string, entry: Entry): Session => {
    clearTimeout(entry.timer);
    entry.timer = undefined;
    entry.turn++;
    const next = { streamId: id, turn: entry.turn };
    return {
      stream: entry.stream,
      next,
      pause: () => {
        if (entry.stream.isClosed()) {
          end(id, entry);
          return undefined;
        }
        entry.timer = setTimeout(() => expire(id, entry), idleTimeout);
        entry.timer.unref();
        return next;
      },
      end: () => end(id, entry),
    };
  };

  return {
    start: (databaseId, stream) => {
      const id = randomBytes(16).toString("base64url");
      const entry: Entry = { databaseId, stream, turn: 0, timer: undefined };
      entries.set(id, entry);
      add(databaseId, 1);
      return use(id, entry);
    },
    resume: ({ streamId, turn }) => {
      const entry = entries.get(streamId);
      if (entry === undefined) throw new StreamExpired();
      // A stream in use has no timer, and its turn is the one that this baton wants.
      if (entry.turn !== turn || entry.timer === undefined) {
        throw new ProtocolError("Received a baton that has already been used");
      }
      return use(streamId, entry);
    },
    count: (databaseId) => counts.get(databaseId) ?? 0,
    endAll: (databaseId) => {
      for (const [id, entry] of [...entries]) {
        if (databaseId === undefined || entry.databaseId === databaseId) end(id, entry);
      }
    },
  };
}
