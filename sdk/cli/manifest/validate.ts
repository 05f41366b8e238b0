import { Command } from "commander";
import { inOrder, problemsText } from "../../manifest/problems";
import { counted } from "../schema/table";
import { groupOption, manifestPath, readManifest } from "./read";

export function validateCommand(): Command {
  return new Command("validate")
    .description("Say all that is wrong with a manifest, with file, line and column.")
    .argument("[path]", "a file or a folder (default: tenants.yaml, .yml, .json or tenants/ in this folder)")
    .option(...groupOption)
    .option("--json", "print one JSON document in place of text")
    .addHelpText(
      "after",
      `
Exit code: 0 it holds together, 2 something is wrong with it, 1 it could not be read.

Examples:
  tenantry manifest validate
  tenantry manifest validate ./fleet --json`,
    )
    .action((given: string | undefined, { json, group }: { json?: boolean; group?: string }) => {
      const path = manifestPath(given);
      const { manifest, resolved, problems } = readManifest(path, group);
      const counts = {
        tenants: resolved.tenants.length,
        groups: new Set(resolved.tenants.map(({ group }) => group)).size,
        plans: Object.keys(manifest.plans).length,
        schemas: Object.keys(manifest.schemas).length,
      };
      const valid = problems.all.length === 0;
      if (!valid) process.exitCode = 2;
      if (json) {
        const listed = inOrder(problems.all).map(({ file, line = null, column = null, path: property, message }) => ({
          ...{ file, line, column, property, message },
        }));
        process.stdout.write(`${JSON.stringify({ format: 1, path, valid, counts, problems: listed }, undefined, 2)}\n`);
      } else if (valid) {
        const { tenants, groups, plans, schemas } = counts;
        const parts = [counted(groups, "group"), counted(plans, "plan"), counted(schemas, "schema")];
        process.stdout.write(`${path}: ${counted(tenants, "tenant")} in ${parts.join(", ")}. It holds together.\n`);
      } else process.stdout.write(`${problemsText(problems.all)}\n`);
    });
}
