import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "../../provider/platform/libsql-client";
import {
  type Access,
  createPipelines,
  type PipelineOptions,
  type Pipelines,
} from "../../provider/local/hrana/pipeline";

export const full: Access = { write: true, blockReads: false, blockWrites: false };

/** A served folder of databases: `/{id}/v2/pipeline`, with the access that the test has set. */
export interface HranaServer {
  readonly url: string;
  readonly directory: string;
  readonly pipelines: Pipelines;
  /** What every request from now on may do. */
  access: Access;
  file(databaseId: string): string;
  create(databaseId: string): Promise<void>;
  client(databaseId: string): Client;
  post(databaseId: string, body: unknown): Promise<{ status: number; type: string | null; text: string }>;
  close(): Promise<void>;
}

export async function startHranaServer(options?: PipelineOptions): Promise<HranaServer> {
  const directory = await mkdtemp(join(tmpdir(), "tenantry-hrana-"));
  const pipelines = createPipelines(options);
  const clients: Client[] = [];
  const file = (databaseId: string): string => join(directory, `${databaseId}.db`);

  const http = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const databaseId = decodeURIComponent(request.url?.split("/")[1] ?? "");
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
      void pipelines.handle(databaseId, file(databaseId), server.access, body).then((answer) => {
        response.writeHead(answer.status, { "content-type": answer.contentType ?? "application/json" });
        response.end(typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
      });
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;

  const server: HranaServer = {
    url,
    directory,
    pipelines,
    access: full,
    file,
    create: (databaseId) => writeFile(file(databaseId), ""),
    client: (databaseId) => {
      const client = createClient({ url: `${url}/${databaseId}/` });
      clients.push(client);
      return client;
    },
    post: async (databaseId, body) => {
      const response = await fetch(`${url}/${databaseId}/v2/pipeline`, { method: "POST", body: JSON.stringify(body) });
      return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
    },
    close: async () => {
      for (const client of clients) client.close();
      await pipelines.close();
      await new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      });
      await rm(directory, { recursive: true, force: true });
    },
  };
  return server;
}
