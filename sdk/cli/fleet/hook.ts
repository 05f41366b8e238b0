import { spawn } from "node:child_process";
import type { Readable } from "node:stream";
import type { Delivery } from "./deliver";

/** What a command printed last is enough to see why it failed. Characters. */
const kept = 2_000;

/**
 * Runs a command in the shell, once for a tenant. What it needs is in its environment, which other users of the machine
 * cannot read, and never in its arguments, which they can. Its output is passed on by its end, without the token.
 */
export function runHook(command: string, { id, name, url, token }: Delivery): Promise<void> {
  const env = { ...process.env, TENANT_ID: id, TENANT_DATABASE: name, TENANT_URL: url, TENANT_TOKEN: token };
  return new Promise((resolve, reject) => {
    const child = spawn(command, { shell: true, env, stdio: ["ignore", "pipe", "pipe"] });
    const streams = [child.stdout, child.stderr].map((stream) => withoutToken(stream, token));
    child.once("error", reject);
    child.once("close", (code, signal) => {
      const lines = streams.flatMap((end) => end().split("\n")).filter(Boolean);
      if (code === 0) {
        process.stdout.write(lines.map((line) => `${id}  ${line}\n`).join(""));
        return resolve();
      }
      const last = lines.at(-1);
      const how = signal === null ? `exit code ${code}` : signal;
      reject(new Error(`the command failed (${how})${last === undefined ? "" : `: ${last}`}`));
    });
  });
}

/** The end of what is said. The token is taken out before that is cut: a piece of one would not be found. */
function withoutToken(stream: Readable, token: string): () => string {
  let said = "";
  stream.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).replaceAll(token, () => "(token)").slice(-(kept + token.length));
  });
  return () => said;
}
