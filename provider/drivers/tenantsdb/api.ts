import type { HttpAnswer } from "../../http/answer";
import type { HttpCall, HttpClient } from "../../http/client";
import { TenantryError } from "../../platform/errors";
import { type Attempt, problemOf } from "./problems";

/** The calls of one project, which is the API key's; every failure is a TenantryError. */
export interface Api {
  /** A call whose answer must be a success. */
  call(attempt: Attempt, call: HttpCall): Promise<HttpAnswer>;
  /** The same, where absence is an answer too. */
  find(attempt: Attempt, call: HttpCall): Promise<HttpAnswer | undefined>;
}

export function createApi(client: HttpClient): Api {
  const send = async (call: HttpCall): Promise<HttpAnswer> => {
    const answer = await client.send(call);
    if (answer.status < 300) refuseMixedMessage(answer);
    return answer;
  };
  return {
    async call(attempt, call) {
      const answer = await send(call);
      if (answer.status < 300) return answer;
      throw problemOf(answer, attempt);
    },
    async find(attempt, call) {
      const answer = await send(call);
      if (answer.status < 300) return answer;
      if (answer.status === 404) return undefined;
      throw problemOf(answer, attempt);
    },
  };
}

/**
 * TenantsDB docs, envelope: `success` and `http_status` say the same as the status; where they do not, or where there is
 * none to have them, nobody knows.
 */
function refuseMixedMessage({ where, status, problem, body, requestId }: HttpAnswer): void {
  const isRecord = typeof body === "object" && body !== null;
  const failed = isRecord && "success" in body && body.success === false;
  if (!failed && !problem && (isRecord || body === undefined)) return;
  const what = problem ? `an error: "${problem}"` : failed ? `"success": false` : "something that is no answer";
  throw new TenantryError("bad-answer", `${where} answered ${status} and ${what} at once.`, {
    fix: "Try again; if it lasts, check for a proxy in between, and tell the platform's operator.",
    requestId,
    afterLostReply: true,
  });
}
