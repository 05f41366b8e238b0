import {
  type LocalPlatform,
  type LocalPlatformOptions,
  type RequestEntry,
  startLocalPlatform,
} from "../../provider/local";
import { type ApiCaller, apiCaller, mint } from "../local/api-caller";

/** An embedded platform that counts what it is asked; what a test asks it for itself goes through `api` and `sql`. */
export interface CountedPlatform extends LocalPlatform {
  /** The Platform API of the default organization. */
  readonly api: ApiCaller;
  /** The environment of a project that works against it. */
  readonly env: Record<string, string>;
  /** Runs `work` and tells what the platform was asked meanwhile. */
  during<Result>(work: () => Promise<Result>): Promise<{ result: Result; asked: Asked }>;
  /** Runs one statement on a database, as its application would. */
  sql(group: string, database: string, statement: string): Promise<Record<string, unknown>[]>;
}

export interface Asked {
  /** Every request, SQL too. */
  readonly all: RequestEntry[];
  /** Those to the Platform API. */
  readonly control: RequestEntry[];
  /** Those that changed something there, by method and path within the organization; a template's name is "template". */
  readonly writes: Record<string, number>;
}

const organization = "/v1/organizations/local/";

export async function withCountedPlatform(
  options: LocalPlatformOptions,
  use: (platform: CountedPlatform) => Promise<void>,
): Promise<void> {
  let entries: RequestEntry[] = [];
  const onRequest = (entry: RequestEntry): void => {
    entries.push(entry);
    options.onRequest?.(entry);
  };
  const platform = await startLocalPlatform({ ...options, onRequest });
  const api = apiCaller(platform, "local");
  const tokens = new Map<string, Promise<string>>();
  try {
    await use({
      ...platform,
      api,
      env: { TENANTRY_PLATFORM: "local", TENANTRY_API_URL: platform.url, TENANTRY_API_TOKEN: platform.apiToken },
      async during(work) {
        entries = [];
        const result = await work();
        const all = entries;
        entries = [];
        return { result, asked: summary(all) };
      },
      async sql(group, database, statement) {
        const token = tokens.get(group) ?? mint(api, `groups/${group}`);
        tokens.set(group, token);
        // It is an ES module, which a CommonJS one can only import late.
        const { createClient } = await import("@libsql/client");
        const client = createClient({ url: platform.databaseUrl(database), authToken: await token });
        try {
          return (await client.execute(statement)).rows.map((row) => ({ ...row }));
        } finally {
          client.close();
        }
      },
    });
  } finally {
    await platform.close();
  }
}

function summary(all: RequestEntry[]): Asked {
  const control = all.filter(({ path }) => path.startsWith("/v1/"));
  const writes: Record<string, number> = {};
  for (const { method, path, status } of control) {
    if (method === "GET" || status >= 400) continue;
    const call = `${method} ${path.replace(organization, "").replace(/tenantry-template-[\w-]+/, "template")}`;
    writes[call] = (writes[call] ?? 0) + 1;
  }
  return { all, control, writes };
}
