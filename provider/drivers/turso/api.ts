import type { HttpAnswer } from "../../http/answer";
import type { HttpCall, HttpClient } from "../../http/client";
import { TenantryError } from "../../platform/errors";
import { type Attempt, isAbsent, problemOf } from "./problems";

/** The calls of one organization; every failure is a TenantryError. */
export interface Api {
  /** A call whose answer must be a success. `path` is below the organization, or below `root` where that is "". */
  call(doing: Omit<Attempt, "organization">, call: HttpCall): Promise<HttpAnswer>;
  /** The same, where absence is an answer too. */
  find(doing: Omit<Attempt, "organization">, call: HttpCall): Promise<HttpAnswer | undefined>;
  /** Method, host and path, for messages. */
  where(method: HttpCall["method"], path: string): string;
}

export function createApi(client: HttpClient, organization: string, root = "/v1/organizations"): Api {
  const prefix = root && `${root}/${encodeURIComponent(organization)}`;
  // Every call of this driver may be sent twice after a lost reply: names are unique in an organization, changes name
  // absolute values, a second invite replaces the first, a token that nobody got expires by itself, and a rotation promises only that what was minted before
  // the call is invalid after it (README, "When things go wrong").
  const send = async (call: HttpCall): Promise<HttpAnswer> => {
    const answer = await client.send({ idempotent: true, ...call, path: prefix + call.path });
    if (answer.status < 300) refuseMixedMessage(answer);
    return answer;
  };
  return {
    where: (method, path) => client.where(method, prefix + path),
    async find(doing, call) {
      const answer = await send(call);
      if (answer.status < 300) return answer;
      if (isAbsent(answer)) return undefined;
      throw problemOf(answer, { ...doing, organization });
    },
    async call(doing, call) {
      const answer = await send(call);
      if (answer.status < 300) return answer;
      throw problemOf(answer, { ...doing, organization });
    },
  };
}

/** A success with an error in it: whether it was done, nobody can tell. */
function refuseMixedMessage({ where, status, problem, requestId }: HttpAnswer): void {
  if (!problem) return;
  throw new TenantryError("bad-answer", `${where} answered ${status} and an error at once: "${problem}".`, {
    fix: "Try again; if it lasts, check for a proxy in between, and tell the platform's operator.",
    requestId,
    afterLostReply: true,
  });
}
