import { randomBytes } from "node:crypto";
import { open, rename, rm, stat } from "node:fs/promises";
import { TenantryError } from "../../../provider/platform/errors";
import { markOf, variableOf } from "../../client/variables";
import type { Delivery } from "./deliver";

/** What each tenant's variables begin with, by its id. Fails with "invalid-input" where two would have the same. */
export function variablesOf(tenants: readonly { readonly id: string }[], pattern: string): ReadonlyMap<string, string> {
  const names = new Map<string, string>();
  const owners = new Map<string, string>();
  for (const { id } of tenants) {
    const name = variableOf(pattern, id);
    const other = owners.get(name);
    if (other !== undefined) {
      throw new TenantryError("invalid-input", `"${other}" and "${id}" would both be ${name} in the file.`, {
        fix: "Choose one of them with --tenants, or use --exec or --json.",
      });
    }
    owners.set(name, id);
    names.set(id, name);
  }
  return names;
}

/** Lines as shells, Docker and dotenv read them: a pair a tenant, and whose they are where that is not plain. */
export function envText(deliveries: readonly Delivery[], variables: ReadonlyMap<string, string>): string {
  return deliveries
    .map(({ id, url, token }) => {
      const name = variables.get(id)!;
      const mark = markOf(id);
      const whose = mark === undefined ? "" : `${name}_ID=${plain(mark)}\n`;
      return `${name}_URL=${plain(url)}\n${name}_TOKEN=${plain(token)}\n${whose}`;
    })
    .join("");
}

/** Readers of such files do not agree on quotes, so that nothing is written which needs them. */
function plain(value: string): string {
  if (/^[\w.:/?=%@~+,-]+$/.test(value)) return value;
  throw new TenantryError("invalid-input", "An address or a token has characters that an env file cannot hold.", {
    fix: "Use --exec or --json.",
  });
}

/** Tried before anything is minted: a token cannot be taken back. */
export const requireWritable = (file: string): Promise<void> =>
  withPart(file, async (part) => (await open(part, "wx", 0o600)).close());

/** Only the owner can read it; it is there whole or not at all, whatever dies meanwhile. */
export const writePrivately = (file: string, text: string): Promise<void> =>
  withPart(file, async (part) => {
    const handle = await open(part, "wx", 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, file);
  });

/** A file beside the one that is meant, which is gone afterwards. */
async function withPart(file: string, work: (part: string) => Promise<void>): Promise<void> {
  const part = `${file}.${randomBytes(6).toString("hex")}.part`;
  try {
    if ((await stat(file).catch(() => undefined))?.isDirectory()) throw new Error("it is a folder");
    await work(part);
  } catch (error) {
    const why = (error as Error).message;
    throw new TenantryError("invalid-input", `--to-env-file: ${file} cannot be written: ${why}.`, {
      fix: "Nothing was written; name a file in a folder that is there.",
    });
  } finally {
    await rm(part, { force: true });
  }
}
