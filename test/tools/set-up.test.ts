import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cp, mkdir, mkdtemp, readFile, readdir, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";

const root = path.resolve(__dirname, "..", "..");
const load = createRequire(path.join(root, "tools", "setup", "set-up.js"));

/** A repository in small: the real tools/ and two sources, with the real compiler. */
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "tenantry-setup-"));
  for (const source of ["sdk/index.ts", "provider/part.ts"]) {
    await mkdir(path.dirname(path.join(folder, source)), { recursive: true });
    await writeFile(path.join(folder, source), `export const where = "${source}";\n`);
  }
  const compilerOptions = { module: "node16", rootDir: ".", outDir: "dist", types: [] };
  await writeFile(
    path.join(folder, "tsconfig.json"),
    JSON.stringify({ compilerOptions, include: ["sdk", "provider"] }),
  );
  await writeFile(path.join(folder, "package.json"), JSON.stringify({ name: "tenantry", main: "dist/sdk/index.js" }));
  await lockfiles({ "node_modules/a": { version: "1.0.0", integrity: "sha512-a" } });
  await mkdir(path.join(folder, "tools"));
  await cp(path.join(root, "tools", "setup"), path.join(folder, "tools", "setup"), { recursive: true });
  for (const file of ["run.mjs", "progress.js"]) {
    await cp(path.join(root, "tools", file), path.join(folder, "tools", file));
  }
  await symlink(
    path.join(root, "node_modules", "typescript"),
    path.join(folder, "node_modules", "typescript"),
    "junction",
  );
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function lockfiles(packages: object, installed: object = packages): Promise<void> {
  await mkdir(path.join(folder, "node_modules"), { recursive: true });
  await writeFile(path.join(folder, "package-lock.json"), JSON.stringify({ packages: { "": {}, ...packages } }));
  await writeFile(path.join(folder, "node_modules", ".package-lock.json"), JSON.stringify({ packages: installed }));
}

/** `node tools/run.mjs build` in the small repository. */
function run(): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ["tools/run.mjs", "build"], {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    child.stdout.on("data", (chunk) => (output += chunk));
    child.stderr.on("data", (chunk) => (output += chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output }));
  });
}

const built = () => readFile(path.join(folder, "dist", "sdk", "index.js"), "utf8");

describe("tools/run.mjs", function () {
  this.timeout(60_000);

  it("builds, links the package, and does nothing the second time", async () => {
    const first = await run();
    assert.equal(first.code, 0, first.output);
    assert.match(await built(), /sdk\/index\.ts/);
    assert.equal(await realpath(path.join(folder, "node_modules", "tenantry")), await realpath(folder));
    const started = Date.now();
    assert.deepEqual(await run(), { code: 0, output: "" });
    assert.ok(Date.now() - started < 5_000);
  });

  it("builds anew after a change, without leftovers of removed sources or of its own", async () => {
    await run();
    await rm(path.join(folder, "provider", "part.ts"));
    await writeFile(path.join(folder, "sdk", "index.ts"), "export const changed = 1;\n");
    await run();
    assert.match(await built(), /changed/);
    assert.deepEqual((await readdir(path.join(folder, "dist"))).sort(), [".inputs", "sdk"]);
    assert.deepEqual(await readdir(path.join(folder, ".tenantry")), []);
  });

  it("keeps the old build and shows the compiler's words when the sources are wrong", async () => {
    await run();
    await writeFile(path.join(folder, "sdk", "index.ts"), 'export const wrong: number = "";\n');
    const ended = await run();
    assert.equal(ended.code, 1);
    assert.match(ended.output, /sdk\/index\.ts\(1,14\): error TS2322[^]*building dist\/ \(tsc\) failed/);
    assert.match(await built(), /sdk\/index\.ts/);
  });

  it("lets two at once take turns, and passes by the lock of a killed run", async () => {
    const lock = path.join(folder, ".tenantry", "setup.lock");
    await mkdir(lock, { recursive: true });
    // A process id that is no longer in use: that of a child that has ended.
    const dead = await new Promise<number>((resolve) => {
      const child = spawn(process.execPath, ["-e", ""]);
      child.on("close", () => resolve(child.pid ?? 0));
    });
    const { hostname } = await import("node:os");
    await writeFile(path.join(lock, "owner.json"), JSON.stringify({ pid: dead, host: hostname() }));
    const ended = await Promise.all([run(), run()]);
    assert.deepEqual(
      ended.map(({ code }) => code),
      [0, 0],
      ended.map(({ output }) => output).join(),
    );
    assert.match(await built(), /sdk\/index\.ts/);
    assert.deepEqual(await readdir(path.join(folder, ".tenantry")), []);
  });
});

describe("the set-up's checks", () => {
  it("sees whether the installed packages are the locked ones", async () => {
    const { dependenciesInstalled } = load("./dependencies.js") as { dependenciesInstalled(root: string): boolean };
    const a = { version: "1.0.0", integrity: "sha512-a" };
    assert.ok(dependenciesInstalled(folder));
    await lockfiles({ "node_modules/a": a, "node_modules/b-win": { ...a, optional: true } }, { "node_modules/a": a });
    assert.ok(dependenciesInstalled(folder), "optional packages may be for other systems");
    await lockfiles({ "node_modules/a": { ...a, version: "1.0.1" } }, { "node_modules/a": a });
    assert.ok(!dependenciesInstalled(folder), "another version");
    await lockfiles({ "node_modules/a": a, "node_modules/b": a }, { "node_modules/a": a });
    assert.ok(!dependenciesInstalled(folder), "one missing");
    await rm(path.join(folder, "node_modules", ".package-lock.json"));
    assert.ok(!dependenciesInstalled(folder), "an install that was broken off");
  });

  it("says which Node.js it needs", () => {
    const { nodeVersionProblem } = load("./node-version.js") as {
      nodeVersionProblem(version: string): string | undefined;
    };
    assert.equal(nodeVersionProblem("20.18.1"), undefined);
    assert.equal(nodeVersionProblem("24.0.0"), undefined);
    assert.match(
      nodeVersionProblem("20.18.0") ?? "",
      /^Node\.js 20\.18\.0 is too old: Tenantry needs 20\.18\.1 or later/,
    );
    assert.ok(nodeVersionProblem("18.20.4"));
  });
});
