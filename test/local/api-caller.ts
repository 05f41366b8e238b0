import assert from "node:assert/strict";
import type { LocalPlatform } from "../../provider/local";

export interface Answer {
  readonly status: number;
  /** Parsed JSON; an empty body is "". */
  readonly body: unknown;
}

export interface ApiCaller {
  (method: string, path: string, body?: unknown): Promise<Answer>;
  /** The same, for calls that must succeed: gives the body. */
  ok<Body = Record<string, unknown>>(method: string, path: string, body?: unknown): Promise<Body>;
}

/** Calls the Platform API of a running platform; paths begin after `/v1`, or after the organization when `organization` is given. */
export function apiCaller(platform: LocalPlatform, organization?: string, token = platform.apiToken): ApiCaller {
  const root = `${platform.url}/v1${organization === undefined ? "" : `/organizations/${organization}`}`;
  const call = async (method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(root + path, {
      method,
      headers: { authorization: `Bearer ${token}` },
      body: body === undefined ? undefined : typeof body === "string" ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return { status: response.status, body: text === "" ? "" : (JSON.parse(text) as unknown) };
  };
  return Object.assign(call, {
    async ok<Body>(method: string, path: string, body?: unknown): Promise<Body> {
      const answer = await call(method, path, body);
      assert.equal(answer.status, 200, `${method} ${path}: ${JSON.stringify(answer.body)}`);
      return answer.body as Body;
    },
  });
}

/** A token of a database or a group, as `auth/tokens` gives it. */
export async function mint(api: ApiCaller, subject: string, query = ""): Promise<string> {
  return (await api.ok<{ jwt: string }>("POST", `/${subject}/auth/tokens${query && `?${query}`}`)).jwt;
}
