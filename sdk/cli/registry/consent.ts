import { createInterface } from "node:readline/promises";
import { TenantryError } from "../../../provider/platform/errors";

/** Asks on a terminal; `yes` answers beforehand. Elsewhere nobody can answer, and it fails with "needs-decision". */
export async function consent(question: string, yes: boolean | undefined): Promise<void> {
  if (yes) return;
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new TenantryError("needs-decision", `${question} Nobody can answer here, so nothing was done.`, {
      fix: "Pass --yes.",
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    if (/^y(?:es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim())) return;
  } catch (error) {
    // Ctrl-C is an answer too.
    if (!(error instanceof Error && error.name === "AbortError")) throw error;
    process.stdout.write("\n");
  } finally {
    terminal.close();
  }
  throw new TenantryError("needs-decision", "Nothing was done.");
}
