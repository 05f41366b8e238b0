import { randomBytes } from "node:crypto";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Client, createClient } from "../../provider/platform/libsql-client";
import {
  type Access,
  type Answer,
  createPipelines,
  type PipelineOptions,
  type Pipelines,
} from "../../provider/local/hrana/pipeline";

export const full: Access = { write: true, blockReads: false, blockWrites: false };

/** A served folder of databases: `/{id}/v2/pipeline`, `/{id}/v3/cursor`, with the access that the test has set. */
export interface HranaServer {
  readonly url: string;
  readonly directory: string;
  readonly pipelines: Pipelines;
  /** What every request from now on may do. */
  access: Access;
  file(databaseId: string): string;
  create(databaseId: string): Promise<void>;
  client(databaseId: string): Client;
  /** @param path Default "v2/pipeline". */
  post(
    databaseId: string,
    body: unknown,
    path?: string,
  ): Promise<{ status: number; type: string | null; text: string }>;
  close(): Promise<void>;
}

export async function startHranaServer(options: Partial<PipelineOptions> = {}): Promise<HranaServer> {
  const directory = await mkdtemp(join(tmpdir(), "tenantry-hrana-"));
  const pipelines = createPipelines({ batonKey: randomBytes(32), ...options });
  const clients: Client[] = [];
  const file = (databaseId: string): string => join(directory, `${databaseId}.db`);

  const http = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const databaseId = decodeURIComponent(request.url?.split("/")[1] ?? "");
      const target = { databaseId, file: file(databaseId), access: server.access };
      const verb = request.url?.endsWith("cursor") ? "cursor" : "pipeline";
      void pipelines[verb](target, Buffer.concat(chunks).toString()).then((answer) => send(response, answer));
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
    post: async (databaseId, body, path = "v2/pipeline") => {
      const response = await fetch(`${url}/${databaseId}/${path}`, { method: "POST", body: JSON.stringify(body) });
      return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
    },
    close: async () => {
      for (const client of clients) client.close();
      pipelines.close();
      await new Promise<void>((resolve) => {
        http.close(() => resolve());
        http.closeAllConnections();
      });
      await rm(directory, { recursive: true, force: true });
    },
  };
  return server;
}

async function send(response: ServerResponse, { status, contentType, body }: Answer): Promise<void> {
  response.writeHead(status, { "content-type": contentType });
  if (typeof body === "string") return void response.end(body);
  for await (const part of body) response.write(part);
  response.end();
}
