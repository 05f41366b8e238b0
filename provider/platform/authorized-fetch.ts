import type { Clock } from "../http/clock";
import { pooledFetch } from "../http/fetch";
import type { WithBearer } from "./bearer";
import { strangerError } from "./sql-failure";

/** For `@libsql/client`: puts the token on each request. Answers with the token, since no message may repeat it. */
export function createAuthorizedFetch(withBearer: WithBearer, clock?: Clock) {
  return async (
    request: Request,
    timeout: number,
    origin: string,
  ): Promise<{ readonly reply: Response; readonly bearer: string }> => {
    const { url } = request;
    // A server may send its clients elsewhere; our token does not go along.
    if (new URL(url).origin !== origin) throw strangerError(url);
    const body = request.body ? new Uint8Array(await request.arrayBuffer()) : undefined;
    return withBearer((token) => {
      const headers = new Headers(request.headers);
      headers.set("authorization", `Bearer ${token}`);
      return pooledFetch(request, { timeout, clock, headers, body });
    });
  };
}
