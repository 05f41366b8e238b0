import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "mocha";
import { type Ended, type Project, withProject } from "../support/engine";

const root = path.resolve(__dirname, "..", "..");
const readme = readFileSync(path.join(root, "README.md"), "utf8");
const programs = [...readme.matchAll(/^```ts\n([^]*?)^```/gm)].map(([, code]) => code!);
const locked = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8")) as {
  packages: Record<string, { version: string }>;
};
const own = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as { name: string; version: string };
const versionOf = (name: string): string => `${name}@${locked.packages[`node_modules/${name}`]!.version}`;

/** As README says it: the package, Pulumi and TypeScript. Each manager but npm comes by its version, from the registry. */
const wanted = (tarball: string): string[] => [tarball, versionOf("@pulumi/pulumi"), versionOf("typescript")];
const npx = (manager: string): string[] => ["npm", "exec", "--yes", `--package=${manager}`, "--"];
const managers = [
  {
    name: "npm",
    add: (tarball: string) => ["npm", "install", "--no-audit", "--no-fund", "--prefer-offline", ...wanted(tarball)],
    command: ["npx", "--no-install", "tenantry"],
    /** Packages that only Tenantry needs lie beside it. */
    isFlat: true,
  },
  {
    // Only what the program names is in its node_modules; and pnpm 10 is the newest that Node.js 20 runs.
    name: "pnpm",
    add: (tarball: string) => [...npx("pnpm@10.34.9"), "pnpm", "add", "--prefer-offline", ...wanted(tarball)],
    command: [...npx("pnpm@10.34.9"), "pnpm", "exec", "tenantry"],
    isFlat: false,
  },
  {
    // Pulumi's package asks for a newer Node.js than it needs, which Yarn alone takes for an error.
    name: "yarn",
    add: (tarball: string) => [
      ...[...npx("yarn@1.22.22"), "yarn", "add", "--non-interactive", "--ignore-engines", "--prefer-offline"],
      ...wanted(tarball),
    ],
    command: [...npx("yarn@1.22.22"), "yarn", "--silent", "tenantry"],
    isFlat: true,
  },
];

/** Runs a command to its end, as on a command line: with the registry and the caches that are configured here. */
async function run(command: string[], cwd: string, env: NodeJS.ProcessEnv = process.env): Promise<Ended> {
  const [file = "", ...args] = command;
  const child = spawn(file, args, { cwd, env, shell: process.platform === "win32", stdio: ["ignore", "pipe", "pipe"] });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk) => (stdout += chunk));
  child.stderr.on("data", (chunk) => (stderr += chunk));
  const [code] = (await once(child, "close")) as [number];
  return { code, stdout, stderr, output: `${stdout}\n${stderr}` };
}

async function succeeded(command: string[], cwd: string, env?: NodeJS.ProcessEnv): Promise<Ended> {
  const ended = await run(command, cwd, env);
  assert.equal(ended.code, 0, `${command.join(" ")}\n${ended.output}`);
  return ended;
}

/** `tenantry local`, of the package that is installed there, until `use` has ended. */
async function withLocal({ folder, env }: Project, use: () => Promise<void>): Promise<void> {
  const cli = path.join(folder, "node_modules", "tenantry", "dist", "package", "cli.js");
  const child: ChildProcess = spawn(process.execPath, [cli, "local", "--port", "0"], {
    cwd: folder,
    env,
    stdio: "pipe",
  });
  const closed = once(child, "close");
  try {
    let said = "";
    await new Promise<void>((resolve, reject) => {
      for (const stream of [child.stdout!, child.stderr!]) {
        stream.on("data", (chunk) => /http:\/\/127\.0\.0\.1:\d+/.test((said += chunk)) && resolve());
      }
      void closed.then(() => reject(new Error(`tenantry local ended: ${said}`)));
    });
    await use();
  } finally {
    child.kill("SIGTERM");
    await closed;
  }
}

describe("the package, installed into an empty project", function () {
  this.timeout(290_000);
  let shelf: string;
  let tarball: string;
  before(async () => {
    shelf = mkdtempSync(path.join(tmpdir(), "tenantry-shelf-"));
    const pack = ["npm", "pack", "--silent", "--ignore-scripts", "--pack-destination", shelf];
    await succeeded(pack, root);
    tarball = path.join(shelf, readdirSync(shelf)[0]!);
  });
  after(() => rmSync(shelf, { recursive: true, force: true }));

  for (const { name, add, command, isFlat } of managers) {
    it(`${name}: the README's program is previewed, deployed and destroyed`, async () => {
      const program = programs.find((code) => code.includes('new DatabaseToken("acme-reader"'))!;
      await withProject(
        {
          files: {
            "index.ts": program,
            "tsconfig.json": "{}",
            "migrations/0001_init.sql": "CREATE TABLE notes (body);",
          },
          config: { "tenantry:platform": "local" },
          packages: async (folder) => {
            writeFileSync(path.join(folder, "package.json"), JSON.stringify({ name: "fleet", private: true }));
            await succeeded(add(tarball), folder);
            const inside = readdirSync(path.join(folder, "node_modules"));
            assert.equal(inside.includes("zod"), isFlat, inside.join());
          },
        },
        async (project) => {
          const help = await succeeded([...command, "--help"], project.folder);
          assert.match(help.stdout, /^Usage: tenantry /);
          await withLocal(project, async () => {
            const planned = await project.preview();
            assert.deepEqual(planned.counts, { create: 6 });
            await project.up();
            const { urls, token } = await project.outputs({ showSecrets: true });
            assert.equal((urls as string[]).length, 3);
            assert.match(String(token), /^ey/);
            // The person's own home, where npm finds which registry it is to ask.
            const env = { ...process.env, ...project.env, HOME: process.env["HOME"] };
            const doctor = await succeeded([...command, "doctor"], project.folder, env);
            assert.match(doctor.stdout, new RegExp(`${own.name} ${own.version.replaceAll(".", "\\.")}`, "i"));
            assert.deepEqual((await project.destroy()).counts, { delete: 6 });
          });
        },
      );
    });
  }
});
