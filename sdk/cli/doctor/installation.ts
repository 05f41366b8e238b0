import { execFile } from "node:child_process";
import { readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { type Check, ok, problem, warning } from "./check";
import { onPath } from "./on-path";

/** As in package.json, "engines". */
export const leastNode = "20.18.1";
/** The engine and @pulumi/pulumi are released together. */
export const leastPulumi = "3.250.0";
const installPulumi = `Install Pulumi ${leastPulumi} or later: https://www.pulumi.com/docs/install/.`;

export function nodeCheck(version = process.versions.node): Check {
  return atLeast(version, leastNode)
    ? ok("node", version)
    : problem("node", `${version} is too old`, `Install Node ${leastNode} or later.`);
}

/** The `pulumi` on PATH, and the language host that it starts programs with. */
export async function engineCheck(searchPath = process.env["PATH"] ?? ""): Promise<Check> {
  const engine = onPath("pulumi", searchPath);
  if (!engine) return problem("engine", "there is no pulumi on PATH", installPulumi);
  let version;
  try {
    const env = { ...process.env, PATH: searchPath, PULUMI_SKIP_UPDATE_CHECK: "true" };
    version = (await promisify(execFile)(engine, ["version"], { env, timeout: 20_000 })).stdout.trim();
  } catch {
    return problem("engine", `\`${engine} version\` fails`, installPulumi);
  }
  if (!/^v?\d+\.\d+/.test(version))
    return problem("engine", `\`${engine} version\` does not name a version`, installPulumi);
  if (!atLeast(version, leastPulumi))
    return problem("engine", `pulumi ${version} is too old (${engine})`, installPulumi);
  // It looks for its parts beside the real file too, not only beside a link.
  const host =
    onPath("pulumi-language-nodejs", searchPath) ?? onPath("pulumi-language-nodejs", dirname(realpathSync(engine)));
  return host
    ? ok("engine", `pulumi ${version} with its language host for Node (${engine})`)
    : problem(
        "engine",
        `pulumi ${version} has no pulumi-language-nodejs, on PATH or beside ${engine}`,
        "Put it there; it comes with every release of Pulumi.",
      );
}

/** The packages that a program in `folder` would load. */
export function packagesCheck(folder = process.cwd()): Check {
  const program = join(folder, "index.js");
  const sdk = manifestOf("@pulumi/pulumi", program);
  const tenantry = manifestOf("tenantry", program);
  if (!sdk)
    return problem("packages", "@pulumi/pulumi is not installed in this folder", "Run `npm install @pulumi/pulumi`.");
  if (!atLeast(sdk.version, leastPulumi)) {
    const fix = `Run \`npm install @pulumi/pulumi@^${leastPulumi}\`.`;
    return problem("packages", `@pulumi/pulumi ${sdk.version} is too old`, fix);
  }
  const found = `@pulumi/pulumi ${sdk.version}`;
  if (!tenantry)
    return warning("packages", `${found}, but tenantry is not installed in this folder`, "Run `npm install tenantry`.");
  const other = manifestOf("@pulumi/pulumi", tenantry.file);
  if (other && other.file !== sdk.file) {
    // Resources that register with another copy than the program's belong to no stack.
    const fix = "Run `npm dedupe`, so that the program and tenantry share one.";
    return warning("packages", `two copies of @pulumi/pulumi (${sdk.version} and ${other.version})`, fix);
  }
  return ok("packages", `${found}, tenantry ${tenantry.version}`);
}

function manifestOf(name: string, from: string): { version: string; file: string } | undefined {
  try {
    const file = realpathSync(createRequire(from).resolve(`${name}/package.json`));
    const manifest: unknown = JSON.parse(readFileSync(file, "utf8"));
    const version = typeof manifest === "object" && manifest !== null && "version" in manifest && manifest.version;
    return typeof version === "string" ? { version, file } : undefined;
  } catch {
    return undefined;
  }
}

/** Compares dotted numbers; a "v" in front and what follows a dash do not count. */
export function atLeast(version: string, wanted: string): boolean {
  const [a, b] = [version, wanted].map((text) => (/\d+(?:\.\d+)*/.exec(text)?.[0] ?? "0").split(".").map(Number));
  const at = b!.findIndex((number, index) => number !== (a![index] ?? 0));
  return at < 0 || (a![at] ?? 0) > b![at]!;
}
