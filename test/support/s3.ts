import { createHash } from "node:crypto";
import { once } from "node:events";
import { type IncomingMessage, type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** As much of S3 as libsql-server's backups use (S3 API Reference: CreateBucket, HeadBucket, ListObjects, Put-, Get-, DeleteObject). */
export interface S3 {
  readonly url: string;
  /** "bucket/key" of what is kept. */
  keys(): string[];
  read(key: string): Buffer | undefined;
  close(): Promise<void>;
}

interface Kept {
  readonly bytes: Buffer;
  readonly etag: string;
  readonly at: Date;
}

const page = 1_000;

/** Objects in memory, at "http://host/bucket/key". Whoever asks may do everything. */
export async function serveS3(): Promise<S3> {
  const buckets = new Set<string>();
  const objects = new Map<string, Kept>();

  const list = (bucket: string, query: URLSearchParams): string => {
    const prefix = query.get("prefix") ?? "";
    const after = query.get("marker") ?? "";
    const most = Math.min(Number(query.get("max-keys") ?? page), page);
    const all = [...objects.keys()]
      .filter((id) => id.startsWith(`${bucket}/${prefix}`))
      .map((id) => id.slice(bucket.length + 1))
      .filter((key) => key > after)
      .sort();
    const contents = all.slice(0, most).map((key) => {
      const { bytes, etag, at } = objects.get(`${bucket}/${key}`)!;
      return element("Contents", [
        ...[element("Key", escaped(key)), element("LastModified", at.toISOString()), element("ETag", escaped(etag))],
        element("Size", String(bytes.length)),
      ]);
    });
    return element("ListBucketResult", [
      ...[element("Name", escaped(bucket)), element("Prefix", escaped(prefix)), element("MaxKeys", String(most))],
      ...[element("IsTruncated", String(all.length > most)), ...contents],
    ]);
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const parts: Buffer[] = [];
    for await (const part of request as AsyncIterable<Buffer>) parts.push(part);
    const { pathname, searchParams } = new URL(request.url!, "http://s3");
    const [bucket = "", ...rest] = pathname.slice(1).split("/").map(decodeURIComponent);
    const key = rest.join("/");
    const end = (status: number, headers: Record<string, string> = {}, body?: Buffer | string): void =>
      void response.writeHead(status, headers).end(request.method === "HEAD" ? undefined : body);
    const fail = (code: string): void => end(404, xml, element("Error", element("Code", code)));

    if (key === "" && request.method === "PUT") return void (buckets.add(bucket), end(200));
    if (!buckets.has(bucket)) return fail("NoSuchBucket");
    if (key === "") return end(200, xml, list(bucket, searchParams));
    const id = `${bucket}/${key}`;
    if (request.method === "PUT") {
      const bytes = Buffer.concat(parts);
      const etag = `"${createHash("md5").update(bytes).digest("hex")}"`;
      objects.set(id, { bytes, etag, at: new Date() });
      return end(200, { etag });
    }
    if (request.method === "DELETE") return void (objects.delete(id), end(204));
    const kept = objects.get(id);
    if (!kept) return fail("NoSuchKey");
    end(
      200,
      { etag: kept.etag, "last-modified": kept.at.toUTCString(), "content-length": String(kept.bytes.length) },
      kept.bytes,
    );
  };

  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    keys: () => [...objects.keys()],
    read: (key) => objects.get(key)?.bytes,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

const xml = { "content-type": "application/xml" };

const element = (name: string, inside: string | readonly string[]): string =>
  `<${name}>${typeof inside === "string" ? inside : inside.join("")}</${name}>`;

const escaped = (text: string): string =>
  text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
