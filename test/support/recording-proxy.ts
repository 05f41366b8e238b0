import { createServer, request as send, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";

/** One exchange as it went over the line, bodies as text. */
export interface Exchange {
  method: string;
  path: string;
  requestHeaders: IncomingHttpHeaders;
  requestBody: string;
  status: number;
  answer: string;
}

export interface RecordingProxy {
  /** Its address, without a slash at the end: whatever is asked here is asked at the target. */
  readonly url: string;
  readonly exchanges: Exchange[];
  close(): Promise<void>;
}

/** Stands between a client and a server, on a free port, and keeps all that passes. */
export async function startRecordingProxy(target: string): Promise<RecordingProxy> {
  const exchanges: Exchange[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = "GET", url = "/", headers } = incoming;
    void textOf(incoming).then((requestBody) => {
      const onward = send(target + url, { method, headers }, (answer) => {
        void textOf(answer).then((text) => {
          const { statusCode: status = 0 } = answer;
          exchanges.push({ method, path: url, requestHeaders: headers, requestBody, status, answer: text });
          const { "transfer-encoding": _, ...rest } = answer.headers;
          outgoing.writeHead(status, rest).end(text);
        });
      });
      onward.once("error", () => outgoing.destroy());
      onward.end(requestBody);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    exchanges,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of stream) parts.push(part);
  return Buffer.concat(parts).toString("utf8");
}
