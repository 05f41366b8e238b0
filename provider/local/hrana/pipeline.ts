import { type Access, opensReadOnly } from "./access";
import { batonSigner } from "./baton";
import { type WireError, wireError } from "./batch";
import { type Budget, newBudget } from "./budget";
import type { CursorEntry } from "./cursor";
import { dump } from "./dump";
import { DatabaseMissing, ProtocolError, StatementError } from "./fault";
import { createMeters, type Meters } from "./meter";
import { createPool } from "./pool";
import { readCursor, readPipeline, type WireRequest } from "./protocol";
import { openSessions, type Session, StreamExpired } from "./session";
import { openStream, type Stream, type WireResponse } from "./stream";

export type { Access } from "./access";

export interface PipelineOptions {
  /** Signs batons. All processes that serve a database share it. */
  readonly batonKey: Buffer;
  /** How many files are kept open while nobody uses them. Default 64. */
  readonly maxOpen?: number;
  /** How long a stream without requests lives, in milliseconds. Default 10,000, as on a libSQL server. */
  readonly streamTimeout?: number;
  /** How long a statement waits for another connection's lock before SQLITE_BUSY, in milliseconds. Default 5,000. */
  readonly busyTimeout?: number;
  /** Called with true when a request begins to wait for a lock, and with false when it goes on. */
  readonly onWait?: (waits: boolean) => void;
  /** Called when a stream of a database has expired. */
  readonly onExpired?: (databaseId: string) => void;
  /** Called when usage was counted for the first time since it was taken last. */
  readonly onUsage?: () => void;
}

/** Whose database, and what may be done with it. */
export interface Target {
  readonly databaseId: string;
  readonly file: string;
  readonly access: Access;
}

/**
 * What to send over HTTP. The content type must be sent as it is: `@libsql/client` reads an error only if it is exactly
 * `application/json`.
 */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string | AsyncIterable<string>;
}

/** libSQL over HTTP on files. */
export interface Pipelines {
  /** `POST /v2/pipeline`, `POST /v3/pipeline` in JSON. */
  pipeline(target: Target, body: string): Promise<Answer>;
  /** `POST /v3/cursor` in JSON. */
  cursor(target: Target, body: string): Promise<Answer>;
  /** `GET /dump`: SQL that makes the database's content anew. */
  dump(target: Target): Promise<Answer>;
  /** How many streams of a database are open. */
  streams(databaseId: string): number;
  readonly usage: Pick<Meters, "take">;
  /** Closes every connection and stream of a database, as before its file is deleted. */
  forget(databaseId: string): void;
  /** Closes everything; requests are answered with 503 from then on. Idempotent. */
  close(): void;
}

type WireOutcome = { type: "ok"; response: WireResponse } | { type: "error"; error: WireError };

export function createPipelines(options: PipelineOptions): Pipelines {
  const { batonKey, onWait = () => undefined, onExpired = () => undefined, onUsage = () => undefined } = options;
  const pool = createPool({ maxOpen: options.maxOpen ?? 64, busyTimeout: options.busyTimeout ?? 5000, onWait });
  const sessions = openSessions(options.streamTimeout ?? 10_000, onExpired);
  const meters = createMeters(onUsage);
  let closed = false;

  const connect = ({ databaseId, file, access }: Target) => pool.connect(databaseId, file, opensReadOnly(access));
  const sessionOf = (target: Target, baton: string | null | undefined) => {
    const { databaseId, access } = target;
    const signer = batonSigner(batonKey, databaseId, access);
    const known = baton == null ? undefined : signer.verify(baton);
    if (baton != null && known === undefined) throw new ProtocolError("Received an invalid baton");
    const session =
      known === undefined
        ? sessions.start(
            databaseId,
            openStream(access, meters.of(databaseId), () => connect(target)),
          )
        : sessions.resume(known);
    return { session, signer };
  };
  const answer = async (work: () => Promise<Answer>): Promise<Answer> => {
    if (closed) return text(503, "the platform is stopping");
    try {
      return await work();
    } catch (error) {
      return refusal(error);
    }
  };

  return {
    pipeline: (target, body) =>
      answer(async () => {
        const { baton, requests } = readPipeline(body);
        const { session, signer } = sessionOf(target, baton);
        try {
          const results = await respondAll(session.stream, requests, newBudget());
          const next = session.pause();
          return json(200, { baton: next === undefined ? null : signer.sign(next), base_url: null, results });
        } catch (error) {
          session.end();
          throw error;
        }
      }),
    cursor: (target, body) =>
      answer(async () => {
        const { baton, batch } = readCursor(body);
        const { session, signer } = sessionOf(target, baton);
        const head = { baton: signer.sign(session.next), base_url: null };
        const entries = session.stream.cursor(batch)[Symbol.asyncIterator]();
        try {
          // The first entry before the status: a file that is gone is still answered with 404.
          const first = await entries.next();
          return { status: 200, contentType: "text/plain", body: linesOf(head, first, entries, session) };
        } catch (error) {
          session.end();
          throw error;
        }
      }),
    dump: (target) =>
      answer(async () => {
        if (target.access.blockReads) throw new StatementError("BLOCKED", "Operation was blocked: reads are blocked");
        return { status: 200, contentType: "text/plain", body: dump(connect(target)) };
      }),
    streams: (databaseId) => sessions.count(databaseId),
    usage: meters,
    forget: (databaseId) => {
      sessions.endAll(databaseId);
      pool.release(databaseId);
    },
    close: () => {
      closed = true;
      sessions.endAll();
      pool.close();
    },
  };
}

/** Each request has its own outcome: one that fails does not keep the next from running. */
async function respondAll(stream: Stream, requests: readonly WireRequest[], budget: Budget): Promise<WireOutcome[]> {
  const outcomes: WireOutcome[] = [];
  for (const request of requests) {
    try {
      outcomes.push({ type: "ok", response: await stream.respond(request, budget) });
    } catch (error) {
      outcomes.push({ type: "error", error: wireError(error) });
    }
  }
  return outcomes;
}

/** A reader that goes away in the middle ends the stream: nobody has its baton. */
async function* linesOf(
  head: object,
  first: IteratorResult<CursorEntry>,
  entries: AsyncIterator<CursorEntry>,
  session: Session,
): AsyncGenerator<string> {
  let finished = false;
  try {
    yield line(head);
    for (let entry = first; !entry.done; entry = await entries.next()) yield line(entry.value);
    finished = true;
  } catch (error) {
    yield line({ type: "error", error: { message: error instanceof Error ? error.message : "failed", code: "ERROR" } });
  } finally {
    await entries.return?.();
    if (finished) session.pause();
    else session.end();
  }
}

const line = (value: object): string => `${JSON.stringify(value)}\n`;

function refusal(error: unknown): Answer {
  if (error instanceof StreamExpired) return json(400, { message: error.message, code: "STREAM_EXPIRED" });
  if (error instanceof ProtocolError) return text(400, error.message);
  if (error instanceof DatabaseMissing) return json(404, { error: error.message });
  // Conditions of a batch may be nested as deep as a text goes; a thread's stack is not that deep.
  if (error instanceof RangeError && error.message.includes("call stack")) return text(400, "nested too deeply");
  if (error instanceof StatementError) return json(400, { message: error.message, code: error.code });
  throw error;
}

function json(status: number, body: unknown): Answer {
  return { status, body: JSON.stringify(body), contentType: "application/json" };
}

function text(status: number, body: string): Answer {
  return { status, body, contentType: "text/plain" };
}
