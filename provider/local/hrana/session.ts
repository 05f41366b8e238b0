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
  /** Gives the stream back and tells its next baton; undefined if it was closed. */
  pause(): Baton | undefined;
  end(): Promise<void>;
}

/** The streams between their requests. */
export interface Sessions {
  start(databaseId: string, stream: Stream): Session;
  /** @throws StreamExpired, or ProtocolError for a baton that was used before. */
  resume(baton: Baton): Session;
  /** Closes every stream of a database (of all without one), and waits until those in use have let go. */
  endAll(databaseId?: string): Promise<void>;
}

interface Entry {
  readonly databaseId: string;
  readonly stream: Stream;
  turn: number;
  timer: NodeJS.Timeout | undefined;
}

/** @param idleTimeout How long a stream lives without a request, in milliseconds. */
export function openSessions(idleTimeout: number): Sessions {
  const entries = new Map<string, Entry>();

  const end = async (id: string, entry: Entry): Promise<void> => {
    clearTimeout(entry.timer);
    entries.delete(id);
    await entry.stream.close();
  };

  const use = (id: string, entry: Entry): Session => {
    clearTimeout(entry.timer);
    entry.timer = undefined;
    entry.turn++;
    return {
      stream: entry.stream,
      pause: () => {
        if (entry.stream.closed) {
          entries.delete(id);
          return undefined;
        }
        entry.timer = setTimeout(() => void end(id, entry), idleTimeout);
        entry.timer.unref();
        return { streamId: id, turn: entry.turn };
      },
      end: () => end(id, entry),
    };
  };

  return {
    start: (databaseId, stream) => {
      const id = randomBytes(16).toString("base64url");
      const entry: Entry = { databaseId, stream, turn: 0, timer: undefined };
      entries.set(id, entry);
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
    endAll: async (databaseId) => {
      const chosen = [...entries].filter(([, entry]) => databaseId === undefined || entry.databaseId === databaseId);
      await Promise.all(chosen.map(([id, entry]) => end(id, entry)));
    },
  };
}
