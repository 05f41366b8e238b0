import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

export interface LocalProcess {
  readonly url: string;
  readonly pid: number;
  readonly apiToken: string;
  /** A call of the Platform API below the organization; its answer's body. */
  call<Body>(method: string, below: string, body?: object): Promise<Body>;
  close(): Promise<void>;
}

const START_MS = 60_000;
const command = path.resolve(__dirname, "..", "..", "..", "dist", "sdk", "cli", "main.js");

/** `tenantry local` as a user starts it, in a process of its own, with a group "bench". */
export async function startLocal(directory: string): Promise<LocalProcess> {
  const child = spawn(process.execPath, [command, "local", "--dir", directory, "--port", "0"], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  const ended = once(child, "exit");
  const { url, apiToken } = await endpointOf(directory, () => child.exitCode !== null);
  const call: LocalProcess["call"] = async <Body>(method: string, below: string, body?: object): Promise<Body> => {
    const answer = await fetch(`${url}/v1/organizations/local${below}`, {
      method,
      headers: { authorization: `Bearer ${apiToken}`, "content-type": "application/json" },
      body: body && JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${below} answered ${answer.status}: ${text}`);
    return JSON.parse(text) as Body;
  };
  await call("POST", "/groups", { name: "bench", location: "local" });
  return {
    url,
    pid: child.pid!,
    apiToken,
    call,
    async close() {
      child.kill("SIGTERM");
      await ended;
    },
  };
}

async function endpointOf(directory: string, isOver: () => boolean): Promise<{ url: string; apiToken: string }> {
  for (const until = Date.now() + START_MS; Date.now() < until && !isOver(); await sleep(50)) {
    const text = await readFile(path.join(directory, "endpoint.json"), "utf8").catch(() => undefined);
    if (text !== undefined) return JSON.parse(text);
  }
  throw new Error("`tenantry local` did not start");
}
