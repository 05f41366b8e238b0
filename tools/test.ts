// `npm test`: everything quick first, in less than a minute; then what works on the embedded platform, starts programs or
// waits; then the tests that run the real `pulumi` and those that go on for minutes.
// All parts run to their ends whatever fails; the last line is "N passed, N failed" over all.
// Arguments go to mocha: `npm test -- --grep ledger`.
import { readdirSync } from "node:fs";
import path from "node:path";
import { findActionlint } from "./actionlint/find-actionlint";
import { findEngine } from "./engine/find-engine";
import { findPostgres } from "./postgres/find-postgres";
import { findSqld } from "./sqld/find-sqld";
import { runMocha, summary, type Count } from "./test/run-mocha";

const root = path.resolve(__dirname, "..");
/** Folders of tests that are neither quick nor need the engine. */
const PLATFORM = [
  "cli",
  "client",
  "clients",
  "local",
  "preview",
  "resources",
  "sqld",
  path.join("rollout", "fleet"),
  "tools",
  "transfer",
];
/** Take minutes: they go first, so that at the end no process works on one of them while the other has nothing to do. */
const LONG = [
  "soak",
  path.join("engine", "kill"),
  path.join("engine", "bad-input"),
  path.join("engine", "replacement"),
];
/** Of a program that is started, a part of the time is waiting: with a process more than the two cores, they are in use. */
const JOBS = 3;
/** Far above what one takes: only a hang should reach it, not a busy machine. */
const FAST_MS = 60_000;
/** One test runs several `pulumi` commands of a few seconds each, on a loaded machine. */
const ENGINE_MS = 300_000;

async function main(args: string[]): Promise<number> {
  const files = readdirSync(path.join(root, "test"), { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".test.ts"))
    .map((name) => path.join("test", name))
    .sort();
  const within = (...folders: string[]) =>
    files.filter((file) => folders.some((folder) => file.startsWith(path.join("test", folder) + path.sep)));
  const isLong = (file: string) => LONG.some((beginning) => file.startsWith(path.join("test", beginning)));
  const withEngine = within("engine", "soak").sort((a, b) => Number(isLong(b)) - Number(isLong(a)));
  const onPlatform = within(...PLATFORM);
  const quick = files.filter((file) => !withEngine.includes(file) && !onPlatform.includes(file));
  // Before several processes would fetch or install the same; what cannot be had, the tests that need it say.
  for (const find of [findSqld, findPostgres, findActionlint]) await find().catch(() => undefined);
  const counts: Count[] = [];
  if (quick.length > 0) counts.push(await runMocha(quick, { cwd: root, timeoutMs: FAST_MS, args }));
  if (onPlatform.length > 0) {
    counts.push(await runMocha(onPlatform, { cwd: root, timeoutMs: FAST_MS, jobs: JOBS, args }));
  }
  if (withEngine.length > 0) counts.push(await runWithEngine(withEngine, args));
  const { line, code } = summary(counts);
  process.stdout.write(`${line}\n`);
  return code;
}

async function runWithEngine(files: string[], args: string[]): Promise<Count> {
  try {
    const env = { TENANTRY_ENGINE_PATH: (await findEngine()).join(path.delimiter) };
    return await runMocha(files, { cwd: root, timeoutMs: ENGINE_MS, jobs: JOBS, env, args });
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    return { passed: 0, failed: 1 };
  }
}

void main(process.argv.slice(2)).then((code) => (process.exitCode = code));
