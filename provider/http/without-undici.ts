/**
 * What `exchange` asks of undici, over the runtime's own `fetch`: package.json's "#undici" leads here where there is no
 * Node. Connections, proxies and the time to connect are then the runtime's affair.
 */
interface Asked {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
}

export class Agent {}
export class EnvHttpProxyAgent {}

export async function request(to: URL, { method, headers: { host, ...headers }, body, signal }: Asked) {
  // A fetch takes no Host header: the name stays in the address, and these runtimes know what is below "localhost".
  const url = new URL(to);
  if (host !== undefined) url.host = host;
  const response = await fetch(url, { method, headers, body, signal, redirect: "manual" });
  return {
    statusCode: response.status,
    headers: Object.fromEntries(response.headers) as Record<string, string>,
    body: bodyOf(response),
  };
}

function bodyOf({ body }: Response) {
  const abandoned = {
    on: () => abandoned,
    destroy: () => void body?.cancel().catch(() => undefined),
    async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
      const reader = body?.getReader();
      if (!reader) return;
      try {
        for (;;) {
          const { done, value } = (await reader.read()) as { done: boolean; value: Uint8Array };
          if (done) return;
          yield value;
        }
      } finally {
        // After the end it does nothing.
        reader.cancel().catch(() => undefined);
      }
    },
  };
  return abandoned;
}
