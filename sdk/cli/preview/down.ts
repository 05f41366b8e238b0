import { Command } from "commander";
import { previewDown } from "../../../provider/preview/down";
import { type GroundFlags, groundLine, openPlainGround } from "../schema/ground";
import { groupsOf } from "../schema/registries";
import { counted } from "../schema/table";
import type { PreviewEnd } from "./end";
import { type PullRequestFlags, pullRequestOf, withPullRequest, withSettings } from "./flags";

interface Flags extends GroundFlags, PullRequestFlags {
  readonly json?: boolean;
}

/** `tenantry preview down`: deletes a pull request's branches. */
export function downCommand(): Command {
  const command = new Command("down").description("Delete every branch of a pull request.");
  return withSettings(withPullRequest(command, "of this job on GitHub or GitLab"))
    .option("--json", "print one JSON document; `preview comment` reads it")
    .addHelpText(
      "after",
      `
An \`up\` that is under way is ended first. Only what the groups' registries have
under the pull request is deleted, while registry and platform agree about it.
It may be run again, and where there is nothing.

Exit code: 0 nothing is left; 3 something could not be deleted; 1 an error.

Examples:
  tenantry preview down --repository shop/app --pull-request 42`,
    )
    .action(run);
}

async function run(flags: Flags): Promise<void> {
  const { repository, number } = pullRequestOf(flags);
  const ground = await openPlainGround(flags, "full-access", true);
  const deleted: string[] = [];
  const left: { name: string; why: string }[] = [];
  for (const group of await groupsOf(ground)) {
    const ended = await previewDown(ground.context, { repository, pullRequest: number, group }, () =>
      process.stderr.write("Another run is at work on these branches: it is told to end.\n"),
    );
    deleted.push(...ended.deleted);
    left.push(...ended.left);
  }
  if (left.length > 0) process.exitCode = 3;
  if (flags.json) {
    const end: PreviewEnd = { format: 1, repository, pullRequest: number, deleted, left };
    const document = { ...end, scope: ground.scope, notes: ground.notes };
    return void process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
  }
  const lines = [groundLine(ground), ...ground.notes, ""];
  for (const name of deleted) lines.push(`${name}: deleted`);
  for (const { name, why } of left) lines.push(`${name}: kept: ${why}`);
  const what =
    deleted.length === 0 && left.length === 0
      ? "there are no branches"
      : `${counted(deleted.length, "database")} deleted${left.length > 0 ? `, ${left.length} kept` : ""}`;
  process.stdout.write(`${[...lines, `${repository}#${number}: ${what}.`].join("\n")}\n`);
}
