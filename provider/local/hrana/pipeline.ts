import { type Access, opensReadOnly } from "./access";
import { batonSigner, newBatonKey } from "./baton";
import { type WireError, wireError } from "./batch";
import { DatabaseMissing, ProtocolError } from "./fault";
import { createPool } from "./pool";
import { readPipeline, type WireRequest } from "./protocol";
import { openSessions, StreamExpired } from "./session";
import { openStream, type Stream, type WireResponse } from "./stream";

export type { Access } from "./access";

export interface PipelineOptions {
  /** How many databases are kept open while nobody uses them. Default 64. */
  readonly maxOpen?: number;
  /** How long a stream without requests lives, in milliseconds. Default 10,000, as on a libSQL server. */
  readonly streamTimeout?: number;
  /** How long a statement waits for another connection's lock before SQLITE_BUSY, in milliseconds. Default 5,000. */
  readonly busyTimeout?: number;
}

/**
 * What to send over HTTP. `body` is text when `contentType` says so and is else to be written as JSON. The content
 * type must be sent as it is: `@libsql/client` reads an error only if it is exactly `application/json`.
 */
export interface PipelineAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly contentType?: string;
}

/** libSQL over HTTP (`POST /v2/pipeline`, `POST /v3/pipeline` in JSON) on files. */
export interface Pipelines {
  handle(databaseId: string, file: string, access: Access, body: unknown): Promise<PipelineAnswer>;
  /** Closes every connection and stream of a database, as before its file is deleted. */
  forget(databaseId: string): Promise<void>;
  /** Closes everything; `handle` answers 503 from then on. Idempotent. */
  close(): Promise<void>;
}

type WireOutcome = { type: "ok"; response: WireResponse } | { type: "error"; error: WireError };

export function createPipelines(options: PipelineOptions = {}): Pipelines {
  const pool = createPool({ maxOpen: options.maxOpen ?? 64, busyTimeout: options.busyTimeout ?? 5000 });
  const sessions = openSessions(options.streamTimeout ?? 10_000);
  const key = newBatonKey();
  let closed = false;

  const answer = async (databaseId: string, file: string, access: Access, body: unknown): Promise<PipelineAnswer> => {
    const { baton, requests } = readPipeline(body);
    const signer = batonSigner(key, databaseId, access);
    const known = baton == null ? undefined : signer.verify(baton);
    if (baton != null && known === undefined) throw new ProtocolError("Received an invalid baton");
    const connect = () => pool.connect(databaseId, file, opensReadOnly(access));
    const session =
      known === undefined ? sessions.start(databaseId, openStream(access, connect)) : sessions.resume(known);
    try {
      const results = await respondAll(session.stream, requests);
      const next = session.pause();
      return json(200, { baton: next === undefined ? null : signer.sign(next), base_url: null, results });
    } catch (error) {
      await session.end();
      throw error;
    }
  };

  return {
    handle: async (databaseId, file, access, body) => {
      if (closed) return text(503, "the platform is stopping");
      try {
        return await answer(databaseId, file, access, body);
      } catch (error) {
        return refusal(error);
      }
    },
    forget: async (databaseId) => {
      await sessions.endAll(databaseId);
      pool.release(databaseId);
    },
    close: async () => {
      closed = true;
      await sessions.endAll();
      pool.close();
    },
  };
}

/** Each request has its own outcome: one that fails does not keep the next from running. */
async function respondAll(stream: Stream, requests: readonly WireRequest[]): Promise<WireOutcome[]> {
  const outcomes: WireOutcome[] = [];
  for (const request of requests) {
    try {
      outcomes.push({ type: "ok", response: await stream.respond(request) });
    } catch (error) {
      outcomes.push({ type: "error", error: wireError(error) });
    }
  }
  return outcomes;
}

function refusal(error: unknown): PipelineAnswer {
  if (error instanceof StreamExpired) return json(400, { message: error.message, code: "STREAM_EXPIRED" });
  if (error instanceof ProtocolError) return text(400, error.message);
  if (error instanceof DatabaseMissing) return json(404, { error: error.message });
  throw error;
}

function json(status: number, body: unknown): PipelineAnswer {
  return { status, body, contentType: "application/json" };
}

function text(status: number, body: string): PipelineAnswer {
  return { status, body, contentType: "text/plain" };
}
