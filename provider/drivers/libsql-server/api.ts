import { z } from "zod";
import type { HttpAnswer } from "../../http/answer";
import type { Clock } from "../../http/clock";
import { systemClock } from "../../http/clock";
import type { HttpCall, HttpClient } from "../../http/client";
import { TenantryError } from "../../platform/errors";
import { problemOf } from "./problems";

/** A namespace's settings, with whatever else the server has: it is sent back as it came. */
const config = z.looseObject({ block_reads: z.boolean(), block_writes: z.boolean(), jwt_key: z.string().nullish() });
export type NamespaceConfig = z.infer<typeof config>;

const count = z.number().nonnegative();
const stats = z.object({
  rows_read_count: count,
  rows_written_count: count,
  storage_bytes_used: count,
  embedded_replica_frames_replicated: count.optional(),
});

/** The admin API (libSQL: libsql-server/src/http/admin). Failures are TenantryErrors. */
export interface AdminApi {
  /** Whether somebody answers, and takes the key. */
  ping(): Promise<void>;
  /** Undefined: there is no such namespace. `surely`: the catalogue says that there is, so that is asked again. */
  config(name: string, surely: boolean): Promise<NamespaceConfig | undefined>;
  /** Replaces nearly all of it: what is left out is reset. False: there is no such namespace. */
  setConfig(name: string, to: NamespaceConfig): Promise<boolean>;
  /** Fails with "already-exists". */
  create(name: string, of: { readonly jwt_key: string; readonly max_db_size?: number }): Promise<void>;
  /**
   * A copy with rows, schema and settings; `at`: as of then, ISO 8601. Fails with "already-exists", "database-not-found" of
   * the source, or "unsupported".
   */
  fork(source: string, name: string, at?: string): Promise<void>;
  /** Absence is success. */
  remove(name: string): Promise<void>;
  stats(name: string): Promise<z.infer<typeof stats> | undefined>;
}

/**
 * While more namespaces are in use than the server keeps open (`--max-active-namespaces`), it denies now and then that one
 * exists: of 0.24.32 one answer in a hundred, for some milliseconds. What is known to exist is asked for again.
 */
const secondLooks = [5, 20, 50, 150, 300];

export function adminApi(client: HttpClient, clock: Clock = systemClock): AdminApi {
  const at = (name: string) => `/v1/namespaces/${encodeURIComponent(name)}`;
  // Every call may be sent twice: names are unique, settings are whole, and what is gone is gone.
  const send = async (doing: string, call: HttpCall): Promise<HttpAnswer> => {
    const answer = await client.send({ idempotent: true, ...call });
    if (answer.status >= 300 && answer.status !== 404) throw problemOf(answer, doing);
    return answer;
  };
  /** An absence that was confirmed, or the answer. */
  const known = async (doing: string, call: HttpCall, surely = true): Promise<HttpAnswer | undefined> => {
    for (const pause of surely ? secondLooks : []) {
      const answer = await send(doing, call);
      if (answer.status !== 404) return answer;
      absent(answer);
      await clock.sleep(pause);
    }
    const answer = await send(doing, call);
    return answer.status === 404 ? absent(answer) : answer;
  };

  return {
    async ping() {
      const answer = await send("reach the admin API", { method: "GET", path: "/v1/diagnostics" });
      if (answer.status === 404 || !Array.isArray(answer.body)) throw unexpected(answer);
    },
    async config(name, surely) {
      const doing = `read the settings of database "${name}"`;
      const answer = await known(doing, { method: "GET", path: `${at(name)}/config` }, surely);
      return answer && read(config, answer);
    },
    async setConfig(name, to) {
      const doing = `configure database "${name}"`;
      const answer = await known(doing, { method: "POST", path: `${at(name)}/config`, body: to });
      if (answer) requireEmpty(answer);
      return answer !== undefined;
    },
    async create(name, of) {
      const doing = `create database "${name}"`;
      const answer = await send(doing, { method: "POST", path: `${at(name)}/create`, body: of });
      if (answer.status === 404) throw unexpected(answer);
      requireEmpty(answer);
    },
    async fork(source, name, moment) {
      const doing = `create database "${name}" as a copy of "${source}"`;
      // In UTC and without a "Z": what the server cannot read it leaves out, and copies the present.
      const body = moment === undefined ? undefined : { timestamp: new Date(moment).toISOString().slice(0, -1) };
      const path = `${at(source)}/fork/${encodeURIComponent(name)}`;
      const answer = await known(doing, { method: "POST", path, body });
      if (!answer) throw noSource(name, source);
      requireEmpty(answer);
    },
    async remove(name) {
      const answer = await known(`delete database "${name}"`, { method: "DELETE", path: at(name) });
      if (answer) requireEmpty(answer);
    },
    async stats(name) {
      const doing = `read what database "${name}" uses`;
      const answer = await known(doing, { method: "GET", path: `${at(name)}/stats` });
      return answer && read(stats, answer);
    },
  };
}

export function noSource(name: string, source: string): TenantryError {
  return new TenantryError(
    "database-not-found",
    `Could not create database "${name}": there is no database "${source}" to copy.`,
    { fix: "Check its name, and whether it was deleted meanwhile." },
  );
}

/** Absence in the server's own words; any other 404 comes from somewhere else, and says nothing. */
function absent(answer: HttpAnswer): undefined {
  if (!/\bnamespace\b.*doesn't exist/i.test(answer.problem)) throw unexpected(answer);
  return undefined;
}

function read<Schema extends z.ZodType>(schema: Schema, answer: HttpAnswer): z.output<Schema> {
  const result = schema.safeParse(answer.body);
  if (result.success && !answer.problem) return result.data;
  throw unexpected(answer);
}

/** The server answers nothing to a change; what does was not the server. */
function requireEmpty(answer: HttpAnswer): void {
  if (answer.body !== undefined) throw unexpected(answer);
}

const unexpected = (answer: HttpAnswer): TenantryError =>
  new TenantryError(
    "bad-answer",
    `${answer.where} answered ${answer.status} and something unexpected${answer.problem ? `: ${answer.problem}` : ""}.`,
    {
      fix: "Check that tenantry:apiUrl is the address of libsql-server's admin API, and for a proxy in between.",
      requestId: answer.requestId,
      afterLostReply: true,
    },
  );
