import { type Command, InvalidArgumentError, Option } from "commander";
import { TenantryError } from "../../../provider/platform/errors";

export interface PullRequestFlags {
  readonly repository?: string;
  readonly pullRequest?: number;
}

/** Which platform and stack. None for the API token: others on the machine can read a command line. */
export function withSettings(command: Command): Command {
  return command
    .option("--group <name>", "this group only")
    .option("--stack <name>", "read this stack's config (default: the one selected here)")
    .option("--connection <name>", "one of tenantry:connections (default: the stack's own)")
    .option("--platform <name>", "as tenantry:platform, and so on; flags win over the environment, that over the stack")
    .option("--organization <slug>")
    .option("--api-url <address>")
    .option("--database-url <template>");
}

export function withPullRequest(command: Command, otherwise: string): Command {
  return command
    .option("--repository <owner/name>", `the repository (default: ${otherwise})`)
    .addOption(
      new Option("--pull-request <number>", `the pull or merge request's number (default: ${otherwise})`).argParser(
        numberOf,
      ),
    );
}

export function numberOf(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number > 0 && Number.isSafeInteger(number)) return number;
  throw new InvalidArgumentError("It must be a whole number from 1 on.");
}

export interface PullRequest {
  /** "owner/name" */
  readonly repository: string;
  readonly number: number;
}

/** What flags say, else what GitHub's and GitLab's jobs are told. Fails with "invalid-input". */
export function pullRequestOf(
  { repository, pullRequest }: PullRequestFlags,
  env: NodeJS.ProcessEnv = process.env,
): PullRequest {
  // GitHub docs, "Variables reference": GITHUB_REF is refs/pull/<number>/merge for an event of a pull request.
  const [, ofGitHub] = /^refs\/pull\/(\d+)\//.exec(env["GITHUB_REF"] ?? "") ?? [];
  const found = {
    repository: repository ?? env["GITHUB_REPOSITORY"] ?? env["CI_PROJECT_PATH"],
    number: pullRequest ?? Number(ofGitHub ?? env["CI_MERGE_REQUEST_IID"] ?? NaN),
  };
  const missing = [
    ...(found.repository ? [] : ["--repository owner/name"]),
    ...(Number.isInteger(found.number) && found.number > 0 ? [] : ["--pull-request NUMBER"]),
  ];
  if (missing.length > 0) {
    throw new TenantryError(
      "invalid-input",
      "Whose branches are meant is not known: this is no job of a pull request.",
      { fix: `Pass ${missing.join(" and ")}.` },
    );
  }
  return { repository: found.repository!, number: found.number };
}
