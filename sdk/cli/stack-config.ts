import { execFile } from "node:child_process";
import type { Config } from "../../provider/platform/connections";
import { TenantryError } from "../../provider/platform/errors";

const prefix = "tenantry:";
/** A backend far away and a slow secrets provider fit in; a prompt that nobody sees does not. In ms. */
const patience = 60_000;

/**
 * A stack's `tenantry:` settings without that prefix, secrets in clear, as the engine would hand them to a program.
 * Asks `pulumi`, which must be on PATH, in the working folder. Fails with "not-configured"; no message holds a value.
 */
export async function readStackConfig(stack: string): Promise<Config> {
  const text = await pulumi(stack, ["config", "--json", "--show-secrets", "--non-interactive", "--stack", stack]);
  const config: Config = {};
  for (const [key, entry] of entriesOf(text, stack)) {
    if (key.startsWith(prefix)) config[key.slice(prefix.length)] = valueOf(entry);
  }
  return config;
}

function pulumi(stack: string, args: string[]): Promise<string> {
  const env = { ...process.env, PULUMI_SKIP_UPDATE_CHECK: "true" };
  return new Promise((resolve, reject) => {
    execFile("pulumi", args, { env, timeout: patience, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout);
      const missing = "code" in error && (error as NodeJS.ErrnoException).code === "ENOENT";
      const said = stderr
        .trim()
        .split("\n")
        .pop()
        ?.replace(/^error: /, "");
      reject(
        unreadable(
          stack,
          missing
            ? "pulumi is not on PATH"
            : error.killed
              ? `pulumi did not answer within ${patience / 1000} s`
              : said || "pulumi failed without a word",
        ),
      );
    });
  });
}

function entriesOf(text: string, stack: string): [string, unknown][] {
  try {
    return Object.entries(JSON.parse(text) as object);
  } catch {
    throw unreadable(stack, "`pulumi config --json` printed something else");
  }
}

/** An object's value is its JSON text, as a program gets it. */
function valueOf(entry: unknown): string | undefined {
  const value = typeof entry === "object" && entry !== null && "value" in entry ? entry.value : undefined;
  return typeof value === "string" ? value : undefined;
}

function unreadable(stack: string, why: string): TenantryError {
  return new TenantryError("not-configured", `The config of stack "${stack}" cannot be read: ${why}.`, {
    fix: "Run this in the project's folder, with the backend and passphrase that the stack needs; `pulumi stack ls` shows the stacks.",
  });
}
