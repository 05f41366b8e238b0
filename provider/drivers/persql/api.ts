import type { HttpAnswer } from "../../http/answer";
import type { HttpCall, HttpClient } from "../../http/client";
import { TenantryError } from "../../platform/errors";
import { type Attempt, problemOf } from "./problems";
import { type Me, type WireDatabase, databases, me, read, unexpected } from "./wire";

/** The calls of one namespace with its token; every failure is a TenantryError. */
export interface Api {
  /** A call whose answer must be a success. */
  call(doing: Attempt, call: HttpCall): Promise<HttpAnswer>;
  /** Whom the token belongs to; asked once. */
  me(): Promise<Me>;
  /** What is in the namespace, branches too: as much as the platform shows at once. */
  list(): Promise<WireDatabase[]>;
}

/** The first is what the vendor's own clients ask for; how to ask for the page after it is documented nowhere. */
const pageSizes = [100, 1_000, 10_000, 100_000];

export function createApi(client: HttpClient, organization: string | undefined): Api {
  let known: Promise<Me> | undefined;

  const call: Api["call"] = async (doing, request) => {
    // Every call may be sent twice after a lost reply: a subject has one database, a slug is unique, a token that nobody
    // got expires by itself. What may not (claiming a branch) says so.
    return succeeded(await client.send({ idempotent: true, ...request }), doing);
  };

  const whoami = async (): Promise<Me> => {
    const doing = { doing: "ask whom the API token belongs to", kind: "look" } as const;
    const found = read(me, await call(doing, { method: "GET", path: "/v1/me" }));
    if (organization === undefined || found.namespaceSlug === organization) return found;
    throw new TenantryError(
      "wrong-scope",
      `tenantry:organization is "${organization}", and the API token belongs to namespace "${found.namespaceSlug}".`,
      { fix: "Use a token of that namespace, or correct tenantry:organization (it may be left out)." },
    );
  };

  return {
    call,
    me() {
      if (!known) {
        known = whoami();
        known.catch(() => (known = undefined));
      }
      return known;
    },
    async list() {
      const doing = { doing: "list databases", kind: "look" } as const;
      let rows: WireDatabase[] = [];
      for (const size of pageSizes) {
        const answer = await client.send({ method: "GET", path: "/v1/databases", query: { pageSize: String(size) } });
        // Perhaps a larger page than it has.
        if (answer.status === 400 && rows.length > 0) break;
        rows = read(databases, succeeded(answer, doing));
        if (new Set(rows.map(({ id }) => id)).size < rows.length) throw unexpected(answer, "one database twice");
        if (rows.length < size) break;
      }
      return rows;
    },
  };
}

function succeeded(answer: HttpAnswer, doing: Attempt): HttpAnswer {
  if (answer.status >= 300) throw problemOf(answer, doing);
  if (answer.problem) throw unexpected(answer, `a success and an error at once: "${answer.problem}"`);
  return answer;
}
