// `npm run release -- v1.2.3`: whether tag, package.json and CHANGELOG.md name one version. Publishes nothing.
import { readFileSync } from "node:fs";
import path from "node:path";
import { releaseProblem } from "./release/agreement";

const root = path.resolve(__dirname, "..");
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");
const { version } = JSON.parse(read("package.json")) as { version: string };
const locked = (JSON.parse(read("package-lock.json")) as { version: string }).version;
const problem = releaseProblem({ tag: process.argv[2], version, locked, changelog: read("CHANGELOG.md") });
process.stdout.write(problem === undefined ? `${version} can be released.\n` : "");
process.stderr.write(problem === undefined ? "" : `${problem}\n`);
process.exitCode = problem === undefined ? 0 : 1;
