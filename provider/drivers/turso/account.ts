import { z } from "zod";
import type { HttpAnswer } from "../../http/answer";
import type { HttpClient } from "../../http/client";
import type { Account, DatabaseUsage, Quota, TokenGrant } from "../../platform/account";
import type { Platform } from "../../platform/platform";
import { grantOf, listedToken } from "./grant";
import { isAbsent, problemOf } from "./problems";
import { read } from "./wire";

export interface AccountOptions {
  readonly client: HttpClient;
  readonly organization: string;
  readonly apiToken: string;
  /** What every token of the platform may do, where all are alike. Default: looked up in the list of tokens. */
  readonly grant?: TokenGrant;
}

const count = z.number().nonnegative();
/** Turso docs: null is "unlimited"; a field that is not there says nothing. */
const limit = z.number().nullable().optional().catch(undefined);
const validity = z.object({ exp: z.number() });
const tokens = z.object({ tokens: z.array(listedToken) });
const usage = z.object({
  organization: z.object({ usage: z.object({ databases: count.optional(), groups: count.optional() }) }),
});
const counted = z.object({
  rows_read: count.default(0),
  rows_written: count.default(0),
  storage_bytes: count.default(0),
  bytes_synced: count.default(0),
});
/** Turso docs say `total`; its own CLI and SDK read `usage`. */
const usageOfEach = z.object({
  organization: z.object({
    databases: z.array(z.object({ uuid: z.string(), total: counted.optional(), usage: counted.optional() })),
  }),
});
const subscription = z.object({ subscription: z.object({ plan: z.string().min(1) }) });
const plans = z.object({
  plans: z.array(z.object({ name: z.string(), quotas: z.object({ databases: limit, groups: limit }) })),
});

/** Turso docs: Platform API reference, API tokens, organization usage, plans and subscription. */
export function tursoAccount({
  client,
  organization,
  apiToken,
  grant,
}: AccountOptions): Pick<Platform, "account" | "usage"> {
  const get = (path: string): Promise<HttpAnswer> => client.send({ method: "GET", path });
  /** A part that may be refused, missing, or in a shape of tomorrow: then it is not known, and the rest still is. */
  const part = async <Schema extends z.ZodType>(
    schema: Schema,
    path: string,
  ): Promise<z.output<Schema> | undefined> => {
    const answer = await get(path);
    return answer.status < 300 ? schema.safeParse(answer.body).data : undefined;
  };
  const own = `/v1/organizations/${encodeURIComponent(organization)}`;
  return {
    async usage(): Promise<DatabaseUsage[]> {
      const answer = await get(`${own}/usage`);
      if (answer.status >= 300)
        throw problemOf(answer, {
          doing: `read the usage of organization "${organization}"`,
          kind: "look",
          organization,
        });
      return read(usageOfEach, answer).organization.databases.map(({ uuid, total, usage: its }) => {
        const { rows_read, rows_written, storage_bytes, bytes_synced } = total ?? its ?? counted.parse({});
        const rows = { rowsRead: rows_read, rowsWritten: rows_written };
        return { id: uuid, ...rows, storageBytes: storage_bytes, bytesSynced: bytes_synced };
      });
    },
    async account(): Promise<Account> {
      // Alone and first: what it says of a refused token is the explanation; the other calls would only repeat it.
      const tokenExpiry = await expiry(await get("/v1/auth/validate"), organization);
      const [listed, used, subscribed, offered] = await Promise.all([
        grant ? undefined : part(tokens, "/v1/auth/api-tokens"),
        part(usage, `${own}/usage`),
        part(subscription, `${own}/subscription`),
        part(plans, `${own}/plans`),
      ]);
      const plan = subscribed?.subscription.plan;
      const limits = offered?.plans.find(({ name }) => name.toLowerCase() === plan?.toLowerCase())?.quotas;
      const quota = (what: Quota["what"]): Quota => ({
        what,
        used: used?.organization.usage[what],
        limit: limits?.[what] === null ? "unlimited" : limits?.[what],
      });
      return {
        tokenExpiry,
        grant: grant ?? grantOf(apiToken, listed?.tokens ?? []),
        plan,
        quotas: [quota("databases"), quota("groups")],
      };
    },
  };
}

function expiry(answer: HttpAnswer, organization: string): Account["tokenExpiry"] {
  if (answer.status === 403 || isAbsent(answer)) return undefined;
  if (answer.status >= 300) throw problemOf(answer, { doing: "validate the API token", kind: "look", organization });
  const exp = validity.safeParse(answer.body).data?.exp;
  if (exp === undefined) return undefined;
  // Turso docs: -1 is "never".
  return exp < 0 ? "never" : new Date(exp * 1000);
}
