import { type Clock, systemClock } from "../http/clock";
import { pooledFetch } from "../http/fetch";
import type { WithBearer } from "./bearer";
import { strangerError } from "./sql-failure";

/** For `@libsql/client`: puts the token on each request. Answers with the token, since no message may repeat it. */
export function createAuthorizedFetch(withBearer: WithBearer, clock: Clock = systemClock) {
  return async (
    request: Request,
    timeout: number,
    origin: string,
  ): Promise<{ readonly reply: Response; readonly bearer: string }> => {
    const { url } = request;
    // A server may send its clients elsewhere; our token does not go along.
    if (new URL(url).origin !== origin) throw strangerError(url);
    const body = request.body ? new Uint8Array(await request.arrayBuffer()) : undefined;
    return withBearer(async (token) => {
      const headers = new Headers(request.headers);
      headers.set("authorization", `Bearer ${token}`);
      const send = () => pooledFetch(request, { timeout, clock, headers, body });
      for (const pause of secondLooks) {
        const reply = await send();
        if (reply.status !== 404 || !/namespace .* doesn't exist/i.test(await reply.clone().text())) return reply;
        await clock.sleep(pause);
      }
      return send();
    });
  };
}

/**
 * Where more namespaces are in use than libsql-server keeps open (`--max-active-namespaces`), it denies now and then that one
 * exists, for some milliseconds (tried on 0.24.32). Such a request did nothing, so that any may be sent again. In ms.
 */
const secondLooks = [5, 20, 50, 150, 300];
