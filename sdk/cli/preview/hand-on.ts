import { appendFile } from "node:fs/promises";
import { TenantryError } from "../../../provider/platform/errors";
import type { PreviewToken } from "../../../provider/preview/order";
import type { PreviewReport } from "../../../provider/preview/report";
import { encodePreview } from "../../../provider/preview/value";
import { envText, variablesOf, writePrivately } from "../fleet/env-file";

export interface HandOnFlags {
  readonly toEnvFile?: string;
  readonly githubOutput?: boolean;
  readonly name: string;
}

/** What an application is given of the branches that are ready: a line each for url and token, and one for all of them. */
export function previewText(report: PreviewReport, tokens: ReadonlyMap<string, PreviewToken>, pattern: string): string {
  const branches = ready(report, tokens);
  const variables = variablesOf(
    branches.map(({ tenant }) => ({ id: tenant })),
    pattern,
  );
  const deliveries = branches.map(({ tenant, branch, url, token, expiresAt }) => ({
    ...{ id: tenant, name: branch, url, token, expiresAt: new Date(expiresAt) },
  }));
  return `${envText(deliveries, variables)}TENANTRY_PREVIEW=${valueOf(report, tokens)}\n`;
}

/** The one value that `connect` of tenantry/client opens branches by. */
function valueOf(report: PreviewReport, tokens: ReadonlyMap<string, PreviewToken>): string {
  const { repository, pullRequest } = report;
  const tenants = ready(report, tokens).map(({ tenant, url, token, databaseId, expiresAt }) => [
    tenant,
    { url, token, databaseId, expiresAt },
  ]);
  return encodePreview({ v: 1, repository, pullRequest, tenants: Object.fromEntries(tenants) });
}

/** Of one variable, with its name and a zero: what Linux gives a program, 32 pages. In bytes. */
const longest = 131_072 - "TENANTRY_PREVIEW=".length - 1;

/** Undefined for a value that every application can be started with. */
export const lengthWarning = (value: string): string | undefined =>
  value.length <= longest
    ? undefined
    : `TENANTRY_PREVIEW is ${value.length} bytes long, and Linux starts no program with a variable of more than ${longest}: ` +
      "branch fewer tenants, or let the application read it from a file.";

const ready = ({ branches }: PreviewReport, tokens: ReadonlyMap<string, PreviewToken>) =>
  branches.flatMap((branch) => {
    const token = branch.state === "ready" ? tokens.get(branch.tenant) : undefined;
    return token ? [{ ...branch, ...token }] : [];
  });

/** Before anything is made: where it goes must be known. */
export function requireGitHub({ githubOutput }: HandOnFlags, env: NodeJS.ProcessEnv = process.env): void {
  if (!githubOutput || env["GITHUB_OUTPUT"]) return;
  throw new TenantryError(
    "invalid-input",
    "--github-output: this is no step of GitHub Actions, which sets GITHUB_OUTPUT.",
    { fix: "Pass --to-env-file FILE here." },
  );
}

/** Writes what was asked for. Whatever is secret is masked in GitHub's log before it can get there. */
export async function handOn(
  report: PreviewReport,
  tokens: ReadonlyMap<string, PreviewToken>,
  { toEnvFile, githubOutput, name }: HandOnFlags,
): Promise<void> {
  if (toEnvFile === undefined && !githubOutput) return;
  const text = previewText(report, tokens, name);
  const value = valueOf(report, tokens);
  const warning = lengthWarning(value);
  if (warning !== undefined) process.stderr.write(`${warning}\n`);
  if (githubOutput) {
    // To standard error, which the runner reads as well: standard output may be a file's.
    const secrets = [...ready(report, tokens).map(({ token }) => token), value];
    for (const secret of secrets) process.stderr.write(`::add-mask::${secret}\n`);
    await appendFile(process.env["GITHUB_OUTPUT"]!, text);
  }
  if (toEnvFile !== undefined) await writePrivately(toEnvFile, text);
}
