import { readFile } from "node:fs/promises";
import { Command, Option } from "commander";
import { TenantryError } from "../../../provider/platform/errors";
import { previewReportSchema } from "../../../provider/preview/report";
import { commentText } from "./comment-text";
import { endText, previewEnd } from "./end";

interface Flags {
  readonly format: "markdown";
}

/** `tenantry preview comment`: what `up --json` or `down --json` told, for people. It asks no platform and needs no credentials. */
export function commentCommand(): Command {
  return new Command("comment")
    .description("Print a pull request's comment about its branches, from what `up --json` or `down --json` printed.")
    .argument("[report]", "a file; without it, standard input")
    .addOption(new Option("--format <format>", "what to print").choices(["markdown"]).default("markdown"))
    .addHelpText(
      "after",
      `
Its first line is not to be seen and is the same for every push to a pull
request: the comment that begins with it is the one to be replaced. There is
no token in it, and what tenants are called is shown as it is, never as markup.

Examples:
  tenantry preview up acme --json > preview.json
  tenantry preview comment preview.json > comment.md
  tenantry preview down --json | tenantry preview comment > comment.md`,
    )
    .action(run);
}

async function run(file: string | undefined, _flags: Flags): Promise<void> {
  process.stdout.write(commentOn(file === undefined ? await input() : await textOf(file), file));
}

function commentOn(text: string, file = "standard input"): string {
  if (text.trim() === "") {
    throw new TenantryError("invalid-input", `${file}: it is empty.`, {
      fix: "`tenantry preview up --json` prints a report unless it fails before the first branch, as `down --json` does; then its error says why.",
    });
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw notOurs(file, "it is not JSON");
  }
  const end = previewEnd.safeParse(document);
  if (end.success) return endText(end.data);
  const { success, data, error } = previewReportSchema.safeParse(document);
  if (success) return commentText(data);
  const [{ path, message } = { path: [], message: "" }] = error.issues;
  throw notOurs(file, `${path.join(".") || "the document"}: ${message}`);
}

const notOurs = (file: string, why: string): TenantryError =>
  new TenantryError("invalid-input", `${file}: this is not a report of a preview: ${why}.`, {
    fix: "Give what `tenantry preview up --json` or `down --json` printed, of the same version of tenantry.",
  });

async function textOf(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new TenantryError("invalid-input", `${file}: it cannot be read (${(error as NodeJS.ErrnoException).code}).`, {
      fix: "Give the file that `tenantry preview up --json` was written to.",
    });
  }
}

async function input(): Promise<string> {
  if (process.stdin.isTTY) {
    throw new TenantryError("invalid-input", "There is no report.", {
      fix: "Give the file that `tenantry preview up --json` was written to, or pipe it in.",
    });
  }
  let text = "";
  for await (const part of process.stdin.setEncoding("utf8")) text += part as string;
  return text;
}
