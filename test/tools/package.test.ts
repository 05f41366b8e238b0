import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { homedir, hostname, tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it } from "mocha";
import ts from "typescript";

const root = path.resolve(__dirname, "..", "..");
/** Unpacked and without dependencies: 1 MB. */
const MOST = 1_000_000;

type Condition = string | { types: string; default: string };
const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
  main: string;
  types: string;
  bin: Record<string, string>;
  imports: Record<string, { default: string }>;
  exports: Record<string, Condition>;
  typesVersions: { "*": Record<string, string[]> };
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
};
/** What a program can import of the package, as it writes it: "tenantry/client". */
const entries = Object.entries(manifest.exports)
  .filter((one): one is [string, { types: string; default: string }] => typeof one[1] === "object")
  .map(([name, { types }]) => ({ name: path.posix.join("tenantry", name), key: name.slice(2), types }));

interface Packed {
  unpackedSize: number;
  files: { path: string; size: number; mode: number }[];
}

describe("npm pack", function () {
  this.timeout(120_000);
  let packed: Packed;
  let texts: Map<string, string>;
  before(() => {
    const command = ["pack", "--dry-run", "--json", "--ignore-scripts", "--loglevel=error"];
    const said = execFileSync("npm", command, { cwd: root, encoding: "utf8", shell: process.platform === "win32" });
    packed = (JSON.parse(said) as Packed[])[0]!;
    texts = new Map(packed.files.map((file) => [file.path, readFileSync(path.join(root, file.path), "utf8")]));
  });

  it("takes along what is used, and nothing of how it is made", () => {
    const names = [...texts.keys()];
    const kinds = /^dist\/package\/(?:[\w-]+\.js|types\/(?:sdk|provider)\/[\w/-]+\.d\.ts)$/;
    assert.deepEqual(names.filter((name) => !kinds.test(name)).sort(), [
      ...["CHANGELOG.md", "LICENSE", "README.md", "package.json", "tenants.schema.json"],
    ]);
    const led = [
      ...Object.values(manifest.exports).flatMap((one) => (typeof one === "string" ? one : Object.values(one))),
      ...Object.values(manifest.imports).map((one) => one.default),
      ...Object.values(manifest.typesVersions["*"]).flat(),
      ...[manifest.main, manifest.types, ...Object.values(manifest.bin)],
    ].map((file) => path.posix.normalize(file));
    assert.deepEqual(
      led.filter((file) => !texts.has(file)),
      [],
    );
    for (const file of Object.values(manifest.bin)) {
      assert.match(texts.get(file)!, /^#!\/usr\/bin\/env node\n/);
      if (process.platform === "win32") continue;
      assert.equal(packed.files.find((one) => one.path === file)!.mode & 0o111, 0o111);
    }
  });

  it("is under 1 MB unpacked", () => {
    const largest = [...packed.files].sort((a, b) => b.size - a.size).slice(0, 10);
    assert.ok(
      packed.unpackedSize < MOST,
      `${packed.unpackedSize} bytes; the largest: ${largest.map((one) => `${one.path} ${one.size}`).join(", ")}`,
    );
    assert.ok(packed.unpackedSize > 100_000, "it is hardly there");
  });

  it("holds nothing of the machine that made it, no test and no map", () => {
    const telling = [root, realpathSync(root), homedir(), realpathSync(tmpdir())].filter((one) => one.length > 4);
    const words = [...telling, "sourceMappingURL", "__required_as_it_is", "node_modules/.bin"];
    if (hostname().length > 6 && hostname() !== "localhost") words.push(hostname());
    for (const [name, text] of texts) {
      const said = words.filter((word) => text.includes(word));
      assert.deepEqual(said, [], `${name}: ${said.join()}`);
      if (name.endsWith(".js")) assert.doesNotMatch(text, /require\("(?:mocha|node:test|node:assert[/\w]*)"\)/, name);
    }
  });

  it("requires what it brings along, what it declares, and Node.js", () => {
    const declared = { ...manifest.dependencies, ...manifest.peerDependencies };
    const found = new Set<string>();
    for (const [name, text] of texts) {
      if (!name.endsWith(".js")) continue;
      for (const [, wanted] of text.matchAll(/\brequire(?:\.resolve)?\("([^"]+)"\)/g)) {
        found.add(wanted!);
        if (wanted!.startsWith(".")) {
          assert.ok(texts.has(path.posix.join(path.posix.dirname(name), wanted!)), `${name} requires ${wanted}`);
          continue;
        }
        if (wanted!.startsWith("node:") || builtinModules.includes(wanted!) || wanted === "#undici") continue;
        const whole = wanted!.split("/").slice(0, wanted!.startsWith("@") ? 2 : 1);
        assert.ok(whole[0] === "tenantry" || whole.join("/") in declared, `${name} requires ${wanted}`);
      }
    }
    assert.ok(["#undici", "zod", "tenantry/package.json", "@libsql/client/http"].every((one) => found.has(one)));
  });

  describe("to those who import it", () => {
    let folder: string;
    before(() => {
      folder = mkdtempSync(path.join(tmpdir(), "tenantry-package-"));
      for (const name of ["tenantry", "@pulumi/pulumi", "@types/node"]) {
        const link = path.join(folder, "node_modules", name);
        mkdirSync(path.dirname(link), { recursive: true });
        symlinkSync(name === "tenantry" ? root : path.join(root, "node_modules", name), link, "junction");
      }
    });
    after(() => rmSync(folder, { recursive: true, force: true }));

    it("gives ES modules each name that it gives CommonJS", () => {
      for (const { name } of entries) {
        const script = `
          import { createRequire } from "node:module";
          import * as named from "${name}";
          const required = createRequire(import.meta.url)("${name}");
          process.stdout.write(JSON.stringify([Object.keys(named), Object.keys(required)]));
          process.exit(0);`;
        const command = ["--input-type=module", "-e", script];
        const said = execFileSync(process.execPath, command, { cwd: folder, encoding: "utf8" });
        const [named, required] = JSON.parse(said) as [string[], string[]];
        const inner = ["default", "module.exports", "__esModule"];
        const names = named.filter((one) => !inner.includes(one)).sort();
        assert.deepEqual(names, required.filter((one) => !inner.includes(one)).sort(), name);
        assert.ok(names.length > 0, name);
      }
    });

    const program = `
import { DatabaseToken, Group, type GroupArgs, SchemaRollout, SchemaTemplate, TenantDatabase, TenantFleet, getLocations } from "tenantry";
import { TenantryError, createTenantry, ensureSchema, subjectName, type Tenantry } from "tenantry/client";
import { createTenantry as atTheEdge, type TenantryOptions } from "tenantry/client/edge";
import { startLocalPlatform, type LocalPlatformOptions } from "tenantry/local";
import { tenantDatabase } from "tenantry/runtime";
const group: GroupArgs = { location: "local" };
const options: LocalPlatformOptions = { port: 0 };
const far: TenantryOptions = { platform: "turso", apiUrl: "https://a.example", token: "t", organization: "o" };
export const uses = [DatabaseToken, SchemaRollout, SchemaTemplate, TenantDatabase, TenantFleet, TenantryError, subjectName];
export const located: Promise<{ code: string }[]> = getLocations();
export const eu: Group = new Group("eu", group);
export const here: Tenantry = createTenantry({ platform: "local", apiUrl: "http://a.example", token: "t" });
export const there: Tenantry = atTheEdge(far);
export const brought: Promise<{ version?: string | undefined }> = ensureSchema({} as never);
export const running: Promise<{ url: string }> = startLocalPlatform(options);
export const kind: (inputs: never) => Promise<unknown> = tenantDatabase.create;
// @ts-expect-error: so these are types, and not "any"
new Group("eu", { location: 5 });
// @ts-expect-error: as above
atTheEdge({ platform: 5 });
// @ts-expect-error: as above
startLocalPlatform({ port: "5" });
// @ts-expect-error: as above
createTenantry({ platform: 5 });
// @ts-expect-error: as above
tenantDatabase.perish();
`;
    const { ModuleKind, ModuleResolutionKind } = ts;
    const ways = [
      { way: "node10, CommonJS", file: "a.ts", module: ModuleKind.CommonJS, resolve: ModuleResolutionKind.Node10 },
      { way: "node16, CommonJS", file: "b.cts", module: ModuleKind.Node16, resolve: ModuleResolutionKind.Node16 },
      { way: "node16, ESM", file: "c.mts", module: ModuleKind.Node16, resolve: ModuleResolutionKind.Node16 },
      { way: "nodenext, CommonJS", file: "d.cts", module: ModuleKind.NodeNext, resolve: ModuleResolutionKind.NodeNext },
      { way: "nodenext, ESM", file: "e.mts", module: ModuleKind.NodeNext, resolve: ModuleResolutionKind.NodeNext },
      { way: "bundler", file: "f.ts", module: ModuleKind.ESNext, resolve: ModuleResolutionKind.Bundler },
    ];
    for (const { way, file, module, resolve } of ways) {
      it(`gives types: ${way}`, () => {
        const at = path.join(folder, file);
        writeFileSync(at, program);
        const settings = { module, moduleResolution: resolve, target: ts.ScriptTarget.ES2022, strict: true };
        const compiled = ts.createProgram([at], { ...settings, noEmit: true, types: ["node"], esModuleInterop: true });
        const ours = compiled
          .getSourceFiles()
          .filter(({ fileName }) => fileName === at.split(path.sep).join("/") || /\/dist\/package\//.test(fileName));
        assert.ok(entries.every(({ types }) => ours.some(({ fileName }) => fileName.endsWith(types.slice(1)))));
        const problems = ours.flatMap((one) => [
          ...compiled.getSyntacticDiagnostics(one),
          ...compiled.getSemanticDiagnostics(one),
        ]);
        assert.deepEqual(
          problems.map((one) => `${one.file?.fileName}: ${ts.flattenDiagnosticMessageText(one.messageText, "\n")}`),
          [],
        );
      });
    }
  });
});
