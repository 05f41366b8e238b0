import type { Config } from "../../provider/platform/connections";
import { TenantryError } from "../../provider/platform/errors";
import { NoAnswer, askPulumi } from "./pulumi";

const prefix = "tenantry:";

/**
 * A stack's `tenantry:` settings without that prefix, secrets in clear, as the engine would hand them to a program.
 * Asks `pulumi`, which must be on PATH, in the working folder. Fails with "not-configured"; no message holds a value.
 */
export async function readStackConfig(stack: string): Promise<Config> {
  const text = await ask(stack);
  const config: Config = {};
  for (const [key, entry] of entriesOf(text, stack)) {
    if (key.startsWith(prefix)) config[key.slice(prefix.length)] = valueOf(entry);
  }
  return config;
}

async function ask(stack: string): Promise<string> {
  try {
    return await askPulumi(["config", "--json", "--show-secrets", "--stack", stack]);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    throw unreadable(stack, error.message);
  }
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
