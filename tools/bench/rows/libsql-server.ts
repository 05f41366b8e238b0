import { generateKeyPairSync, sign } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import path from "node:path";
import { libsqlServerPlatform } from "../../../provider/drivers/libsql-server";
import { openSql } from "../../../provider/platform/sql";
import { inTurn } from "../../../provider/rollout/fleet/pool";
import { newSigningKey } from "../../../provider/signing-key";
import { startSqld } from "../../sqld/server";
import { peakMiB } from "../peak-memory";
import type { Row, Sample } from "../row";

const TENANTS = 1_000;
const IN_FLIGHT = 32;
const KEY = "bench";
const SCHEMA = [
  "CREATE TABLE notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL)",
  "CREATE INDEX notes_by_text ON notes (text)",
];

/** Namespace, schema and a token for each of 1,000 tenants, the server on the same machine; a new server each time. */
export const libsqlServer1000: Row = {
  name: "libsql-server-1000",
  what: "makes 1,000 tenants on a libsql-server: namespace, schema, token (300 a second: 3.33 s); beside a bare loop over its admin API",
  unit: "s",
  goal: { of: "ratio", atMost: 1.5 },
  async open() {
    const home = await mkdtemp(path.join(tmpdir(), "tenantry-bench-"));
    // The first tenants of a process wait for modules to be loaded and compiled, two seconds of ours.
    for (const side of [ours, bare]) await withServer(home, side, IN_FLIGHT);
    return {
      ours: () => withServer(home, ours, TENANTS),
      reference: () => withServer(home, bare, TENANTS),
      // Not before: for minutes after ten thousand files were deleted, ext4 looks long for room for each new one.
      close: () => rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 }),
    };
  },
};

type Side = (urls: { readonly url: string; readonly adminUrl: string }, names: readonly string[]) => Promise<void>;

async function withServer(home: string, side: Side, tenants: number): Promise<Sample> {
  const sqld = await startSqld({
    ...{ directory: await mkdtemp(path.join(home, "server-")), namespaces: true, adminKey: KEY },
    activeNamespaces: 2 * TENANTS,
  });
  try {
    const names = Array.from({ length: tenants }, (_, i) => `tenant-${i + 1}`);
    const began = performance.now();
    await side(sqld, names);
    return { value: (performance.now() - began) / 1_000, peakMiB: peakMiB(sqld.pid) };
  } finally {
    await sqld.close();
  }
}

const ours: Side = async ({ url, adminUrl }, names) => {
  const platform = libsqlServerPlatform({
    ...{ apiUrl: adminUrl, apiToken: KEY, signingKey: newSigningKey() },
    ...{ databaseUrl: url.replace("127.0.0.1", "{name}.localhost"), concurrency: IN_FLIGHT },
  });
  await platform.createGroup({ name: "bench", location: "default" });
  await inTurn(names, IN_FLIGHT, async (name) => {
    const database = await platform.createDatabase({ name, group: "bench" });
    const { token } = await platform.mintToken({ database: name }, { access: "full-access", lifetime: 3_600 });
    const sql = openSql({ url: platform.databaseUrl(database), token: async () => token });
    await sql.batch(SCHEMA, "write");
    sql.close();
  });
};

/** What a script would do, and no more: a key pair each, a create, a token, a batch. */
const bare: Side = async ({ url, adminUrl }, names) => {
  const agent = new Agent({ keepAlive: true, maxSockets: 2 * IN_FLIGHT });
  const post = (to: string, headers: Record<string, string>, body: object): Promise<string> =>
    new Promise((resolve, reject) => {
      const text = JSON.stringify(body);
      const sent = {
        "content-type": "application/json",
        "content-length": String(Buffer.byteLength(text)),
        ...headers,
      };
      request(to, { method: "POST", agent, headers: sent }, (answer) => {
        let got = "";
        answer.setEncoding("utf8").on("data", (part: string) => (got += part));
        answer.on("end", () => (answer.statusCode === 200 ? resolve(got) : reject(new Error(`${to}: ${got}`))));
      })
        .on("error", reject)
        .end(text);
    });
  const steps = ["BEGIN", ...SCHEMA, "COMMIT"].map((sql, i) => ({
    stmt: { sql },
    ...(i > 0 ? { condition: { type: "ok", step: i - 1 } } : {}),
  }));
  const pipeline = { requests: [{ type: "batch", batch: { steps } }, { type: "close" }] };
  await inTurn(names, IN_FLIGHT, async (name) => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const jwt_key = publicKey.export({ format: "pem", type: "spki" });
    await post(`${adminUrl}/v1/namespaces/${name}/create`, { authorization: `Basic ${KEY}` }, { jwt_key });
    const claims = `${encoded({ alg: "EdDSA", typ: "JWT" })}.${encoded({ exp: Math.floor(Date.now() / 1_000) + 3_600 })}`;
    const token = `${claims}.${sign(null, Buffer.from(claims), privateKey).toString("base64url")}`;
    const host = `${name}.localhost:${new URL(url).port}`;
    const answer = await post(`${url}/v2/pipeline`, { host, authorization: `Bearer ${token}` }, pipeline);
    if (!/"step_errors":\[null,null,null,null\]/.test(answer)) throw new Error(answer);
  });
  agent.destroy();
};

const encoded = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
