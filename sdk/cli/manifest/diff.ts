import { Command } from "commander";
import { type Side, changesBetween } from "../../manifest/changes";
import { filesOnDisk } from "../../manifest/files";
import { screenOf } from "../schema/screen";
import { changeLines, isNothing, overLimit } from "./changes-drawing";
import { filesInGit } from "./git-files";
import { groupOption, manifestPath, requireManifest } from "./read";

export function diffCommand(): Command {
  return new Command("diff")
    .description("Say what a change of a manifest means, tenant by tenant.")
    .argument("<old>", "a file, a folder, or a commit: git:main, git:main:fleet/tenants.yaml")
    .argument("[new]", "a file or a folder (default: tenants.yaml, .yml, .json or tenants/ in this folder)")
    .option(...groupOption)
    .option("--json", "print one JSON document in place of text: every tenant, every property")
    .addHelpText(
      "after",
      `
Exit code: 0 nothing changes, 2 something does, 1 an error.

Examples:
  tenantry manifest diff git:origin/main
  tenantry manifest diff tenants.old.yaml tenants.yaml --json`,
    )
    .action((old: string, given: string | undefined, { json, group }: { json?: boolean; group?: string }) => {
      const path = manifestPath(given);
      const after = requireManifest(path, group, filesOnDisk, path);
      const before = oldSide(old, path, group);
      const changes = changesBetween(before ?? nothing, after);
      if (!isNothing(changes)) process.exitCode = 2;
      if (json) {
        const head = {
          format: 1,
          old,
          new: path,
          oldExists: before !== undefined,
          overMaxRemovals: overLimit(changes),
        };
        process.stdout.write(`${JSON.stringify({ ...head, ...changes }, orNull, 2)}\n`);
        return;
      }
      const screen = screenOf(process.stdout);
      const first = before ? [] : [`There is no ${path} in ${old}: all of it is new.`];
      screen.write(`${[...first, ...changeLines(changes, `${path} against ${old}`, screen)].join("\n")}\n`);
    });
}

/** Undefined: the commit has no manifest there, as when it is about to be added. */
function oldSide(old: string, path: string, group: string | undefined): Side | undefined {
  if (!old.startsWith("git:")) return requireManifest(old, group, filesOnDisk, old);
  const [, ref = "", given] = /^git:([^:]*)(?::(.*))?$/.exec(old) ?? [];
  const files = filesInGit(ref || "HEAD");
  const there = given || path;
  if (!given && files.kindOf(there) === undefined) return undefined;
  return requireManifest(there, group, files, `${there} in git:${ref}`);
}

const nothing: Side = {
  manifest: {
    version: 1,
    namePattern: "{id}",
    ...{ defaults: {}, groups: undefined, residency: {}, plans: {}, schemas: {}, tenants: [] },
  },
  resolved: { tenants: [], profiles: new Map(), schemas: {}, groups: undefined, rollout: undefined },
};

/** Keys are always there. */
const orNull = (key: string, value: unknown): unknown =>
  (key === "" || value === undefined) && typeof value !== "object" ? null : value;
