import { z } from "zod";
import type { Clock } from "../http/clock";
import { exchange, isFault } from "../http/exchange";
import { faultError } from "../http/network-fault";
import { userAgent } from "../http/user-agent";
import type { WithBearer } from "./bearer";
import { SqlError } from "./errors";
import { Refusal } from "./sql-failure";

/** `SELECT 1` and the end of its stream, as libSQL over HTTP takes them (Hrana 2, "Execute a pipeline of requests"). */
const body = JSON.stringify({
  baton: null,
  requests: [{ type: "execute", stmt: { sql: "SELECT 1", want_rows: true } }, { type: "close" }],
});

const answer = z.object({
  results: z.tuple(
    [
      z.union([
        z.object({ type: z.literal("ok") }),
        z.object({ type: z.literal("error"), error: z.object({ message: z.string(), code: z.string().nullish() }) }),
      ]),
    ],
    z.unknown(),
  ),
});

/** The longest answer that can be one. */
const maxBytes = 64 * 1024;

/**
 * Asks a database `SELECT 1`, once. Fails as a client's call does. One plain request, because each new tenant is asked:
 * a client for each of them was a third of what the provider did for a fleet.
 */
export async function probe(
  { origin, path }: { readonly origin: string; readonly path: string },
  withBearer: WithBearer,
  { timeout, clock }: { readonly timeout: number; readonly clock: Clock },
): Promise<void> {
  const url = new URL(`${origin}${path}/v2/pipeline`);
  const { reply, bearer } = await withBearer(async (token) => {
    const headers = { "user-agent": userAgent, "content-type": "application/json", authorization: `Bearer ${token}` };
    const result = await exchange({ method: "POST", url, headers, body, timeout, maxBytes, clock });
    if (isFault(result)) throw faultError(result, `POST ${url.origin}${url.pathname}`, false);
    return result;
  });
  const text = new TextDecoder().decode(reply.bytes);
  if (reply.status < 200 || reply.status > 299) {
    throw new Refusal({ status: reply.status, body: text, retryAfter: reply.headers["retry-after"] }, bearer);
  }
  const [first] = answer.parse(JSON.parse(text)).results;
  if (first.type === "error") throw new SqlError(first.error.message, first.error.code ?? "", undefined);
}
