import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { quoted } from "../../../provider/registry/commands";
import type { Stack } from "../stack";
import { type Check, problem } from "./check";

/**
 * The files of a stack on a file backend, where one is torn: the engine (3.250) does not write them in one step, so a
 * kill can leave the state empty or cut short, with the one before as `.bak` beside it and older ones in
 * `.pulumi/backups`; or its `.attrs`, which hold a content type and a checksum that nobody reads. Undefined where they are
 * whole, or not there.
 */
export async function checkpointCheck(folder: string, { name }: Stack): Promise<Check | undefined> {
  const [, project = "", stack = ""] = name.split("/");
  const file = join(folder, ".pulumi", "stacks", project, `${stack}.json`);
  const attributes = `${file}.attrs`;
  const remove = (await judge(attributes)) === "torn" ? `rm ${quoted(attributes)}` : undefined;
  if ((await judge(file)) !== "torn") {
    if (remove === undefined) return undefined;
    const found = `a file beside the state of stack "${name}" is torn (${attributes}): a run was killed while it was written`;
    return problem("checkpoint", found, `The engine makes it anew: \`${remove}\`.`);
  }
  const found = `the file of stack "${name}" is torn (${file}): a run was killed while it was written`;
  const backups = join(folder, ".pulumi", "backups", project, stack);
  for (const candidate of [`${file}.bak`, ...(await newestFirst(backups))]) {
    if ((await judge(candidate)) !== "whole") continue;
    const copy = `cp ${quoted(candidate)} ${quoted(file)}`;
    const command = remove === undefined ? copy : `${copy} && ${remove}`;
    return problem("checkpoint", found, `Put the last whole one back: \`${command}\`.`);
  }
  const fix = `There is no whole one beside it. Restore ${file} from a backup of your own, or make the stack anew and run \`pulumi up\`, which adopts what the registry knows to be its own.`;
  return problem("checkpoint", found, fix);
}

async function judge(file: string): Promise<"whole" | "torn" | "absent"> {
  let text;
  try {
    text = await readFile(file, "utf8");
  } catch {
    return "absent";
  }
  try {
    const checkpoint: unknown = JSON.parse(text);
    return typeof checkpoint === "object" && checkpoint !== null ? "whole" : "torn";
  } catch {
    return "torn";
  }
}

/** The engine puts the time, in ns, into their names. */
async function newestFirst(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((): string[] => []);
  const stamped = names.filter((name) => name.endsWith(".json"));
  return stamped
    .sort()
    .reverse()
    .map((name) => join(folder, name));
}
