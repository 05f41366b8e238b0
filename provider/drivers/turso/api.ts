import type { HttpAnswer } from "../../http/answer";
import type { HttpCall, HttpClient } from "../../http/client";
import { type Attempt, isAbsent, problemOf } from "./problems";

/** The calls of one organization; every failure is a TenantryError. */
export interface Api {
  /** A call whose answer must be a success. `path` is below the organization. */
  call(doing: Omit<Attempt, "organization">, call: HttpCall): Promise<HttpAnswer>;
  /** The same, where absence is an answer too. */
  find(doing: Omit<Attempt, "organization">, call: HttpCall): Promise<HttpAnswer | undefined>;
}

export function createApi(client: HttpClient, organization: string): Api {
  const prefix = `/v1/organizations/${encodeURIComponent(organization)}`;
  const find: Api["find"] = async (doing, call) => {
    // Every call of this driver may be sent twice: names are unique in an organization, changes name absolute values,
    // and a token or a rotation whose reply was lost harms nobody when it is asked for again.
    const answer = await client.send({ idempotent: true, ...call, path: prefix + call.path });
    if (answer.status < 300) return answer;
    if (isAbsent(answer)) return undefined;
    throw problemOf(answer, { ...doing, organization });
  };
  return {
    find,
    async call(doing, call) {
      const answer = await client.send({ idempotent: true, ...call, path: prefix + call.path });
      if (answer.status < 300) return answer;
      throw problemOf(answer, { ...doing, organization });
    },
  };
}
