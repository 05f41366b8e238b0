import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { builtinModules } from "node:module";
import path from "node:path";
import { before, describe, it } from "mocha";
import ts from "typescript";

const root = path.resolve(__dirname, "..");
const folders = ["sdk", "provider", "tools", "examples", "test"];
const longest = 400;

/** What each room is made of: beginnings of paths, of which the first that fits counts. */
const floors = {
  cli: ["sdk/cli/"],
  client: ["sdk/client/"],
  manifest: ["sdk/manifest/"],
  sdk: ["sdk/"],
  runtime: ["provider/runtime.ts", "provider/host-error.ts"],
  resources: ["provider/resources/"],
  preview: ["provider/preview/"],
  rollout: ["provider/rollout/"],
  transfer: ["provider/transfer/"],
  context: ["provider/context.ts"],
  registry: ["provider/registry/"],
  // The port, with what it is written in (see below), and the words for what goes wrong.
  port: ["provider/platform/platform.ts", "provider/platform/errors.ts", "provider/platform/did-you-mean.ts"],
  platform: ["provider/platform/"],
  drivers: ["provider/drivers/"],
  http: ["provider/http/"],
  local: ["provider/local/"],
  // Files of one step that know nothing above the port.
  steps: ["provider/"],
} as const;
type Room = keyof typeof floors;

/** From top to bottom: imports go down. The embedded platform stands beside, and knows only the lowest two. */
const order: readonly Room[] = [
  ...([
    "cli",
    "sdk",
    "client",
    "manifest",
    "runtime",
    "resources",
    "preview",
    "rollout",
    "context",
    "registry",
    "transfer",
  ] as const),
  ...(["platform", "drivers", "http", "steps", "port"] as const),
];

/** Which room may import which package. What is declared must be used, and what is used declared. */
const packages: Record<string, readonly Room[]> = {
  "@pulumi/pulumi": ["sdk", "steps", "cli"],
  // Only its types; the code is the copy that @pulumi/pulumi brings.
  "@grpc/grpc-js": ["steps"],
  commander: ["cli"],
  zod: ["cli", "manifest", "resources", "preview", "platform", "drivers", "local"],
  yaml: ["manifest"],
  "csv-parse": ["manifest"],
  undici: ["http"],
  "@libsql/client": ["platform"],
  libsql: ["local", "rollout"],
  hono: ["local"],
  "@hono/node-server": ["local"],
};
const typesOnly = ["@grpc/grpc-js"];

interface Import {
  readonly file: string;
  /** A file of the repository, or a package. */
  readonly of: string;
  /** "type" is gone after compilation, "dynamic" runs later, or never. */
  readonly kind: "static" | "dynamic" | "type";
}

/** Every source with its text, read once. */
function sources(): Map<string, string> {
  const files = folders
    .flatMap((folder) =>
      readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile() && /\.(?:ts|js|mjs)$/.test(entry.name))
        .map((entry) => path.relative(root, path.join(entry.parentPath, entry.name)).split(path.sep).join("/")),
    )
    .filter((file) => !file.includes("node_modules/"))
    .sort();
  return new Map(files.map((file) => [file, textOf(file)]));
}

const textOf = (file: string): string => readFileSync(path.join(root, file), "utf8");

function importsOf(file: string, text: string): Import[] {
  const found: Import[] = [];
  const add = (specifier: ts.Node | undefined, kind: Import["kind"]): void => {
    if (!specifier || !ts.isStringLiteralLike(specifier)) return;
    found.push({ file, of: target(file, specifier.text), kind });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypeImport(node) ? "type" : "static");
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, isTypeExport(node) ? "type" : "static");
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, "type");
    else if (ts.isCallExpression(node)) {
      const called = node.expression;
      if (called.kind === ts.SyntaxKind.ImportKeyword) add(node.arguments[0], "dynamic");
      else if (ts.isIdentifier(called) && called.text === "require") add(node.arguments[0], "static");
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return found;
}

/** `import { type A }` and `import type` leave nothing behind. */
function isTypeImport({ importClause }: ts.ImportDeclaration): boolean {
  if (!importClause) return false;
  if (importClause.phaseModifier === ts.SyntaxKind.TypeKeyword) return true;
  const { name, namedBindings } = importClause;
  return !name && namedBindings !== undefined && ts.isNamedImports(namedBindings) && allTypes(namedBindings.elements);
}

function isTypeExport({ isTypeOnly, exportClause }: ts.ExportDeclaration): boolean {
  return (
    isTypeOnly || (exportClause !== undefined && ts.isNamedExports(exportClause) && allTypes(exportClause.elements))
  );
}

const allTypes = (elements: ts.NodeArray<ts.ImportSpecifier | ts.ExportSpecifier>): boolean =>
  elements.length > 0 && elements.every((element) => element.isTypeOnly);

function target(file: string, specifier: string): string {
  // What package.json's "imports" lead to in Node.
  if (specifier.startsWith("#")) return specifier.slice(1);
  if (!specifier.startsWith(".")) {
    return specifier
      .split("/")
      .slice(0, specifier.startsWith("@") ? 2 : 1)
      .join("/");
  }
  const at = path.posix.join(path.posix.dirname(file), specifier);
  const candidates = [at, `${at}.ts`, `${at}.js`, at.replace(/\.js$/, ".ts"), `${at}/index.ts`];
  const isFile = (one: string) => /\.(?:[cm]?[jt]s|json|cmd)$/.test(one) && existsSync(path.join(root, one));
  return candidates.find(isFile) ?? at;
}

/** What the port's own file imports, as types, belongs to the port. */
const portFile = "provider/platform/platform.ts";
const port = new Set(importsOf(portFile, textOf(portFile)).map(({ of }) => of));

const roomOf = (file: string): Room | undefined =>
  port.has(file)
    ? "port"
    : (Object.keys(floors) as Room[]).find((room) => floors[room].some((prefix) => file.startsWith(prefix)));

const isOwn = (of: string): boolean => folders.some((folder) => of.startsWith(`${folder}/`));
const isBuiltin = (of: string): boolean => of.startsWith("node:") || builtinModules.includes(of);

/** Every package and file that loading `entry` loads; `entry` itself only where one of them loads it again. */
function closureOf(entry: string, all: readonly Import[]): Set<string> {
  const loads = new Map<string, string[]>();
  for (const { file, of, kind } of all) {
    if (kind === "static") loads.set(file, [...(loads.get(file) ?? []), of]);
  }
  const reached = new Set<string>();
  const walk = (file: string): void => {
    for (const one of loads.get(file) ?? []) {
      if (reached.has(one)) continue;
      reached.add(one);
      walk(one);
    }
  };
  walk(entry);
  return reached;
}

describe("architecture", () => {
  let texts: Map<string, string>;
  let files: string[];
  let imports: Import[];
  let inHouse: Import[];
  const manifest = JSON.parse(readFileSync(path.join(root, "package.json"), "utf8")) as {
    dependencies: Record<string, string>;
    peerDependencies: Record<string, string>;
    main: string;
    types: string;
    bin: Record<string, string>;
    exports: Record<string, string | Record<string, string>>;
  };

  before(function () {
    // A second, on a machine that has nothing else to do.
    this.timeout(60_000);
    texts = sources();
    files = [...texts.keys()];
    imports = files.flatMap((file) => importsOf(file, texts.get(file)!));
    inHouse = imports.filter(({ file }) => /^(?:sdk|provider)\//.test(file));
  });

  it("imports point downward", () => {
    const wrong = inHouse.filter(({ file, of }) => {
      const [from, to] = [roomOf(file), roomOf(of)];
      if (!from || !to || from === to) return false;
      // Beside the tower: used from the command line, and itself knowing nothing but errors and durations.
      if (to === "local") return from !== "cli";
      if (from === "local") return to !== "port" && to !== "steps";
      return order.indexOf(to) < order.indexOf(from);
    });
    assert.deepEqual(wrong.map(show), []);
  });

  it("one place names the drivers, one is the engine's entry", () => {
    const naming = inHouse.filter(({ file, of }) => roomOf(of) === "drivers" && roomOf(file) !== "drivers");
    assert.deepEqual(
      [...new Set(naming.map(({ file }) => file))],
      ["provider/platform/select-remote.ts", "provider/platform/select.ts"],
    );
    assert.deepEqual(inHouse.filter(({ of }) => of === "provider/runtime.ts").map(show), []);
  });

  it("no file loads itself through others", () => {
    const loops = files.filter((file) => closureOf(file, inHouse).has(file));
    assert.deepEqual(loops, []);
  });

  it("a program that imports tenantry loads no validator, no HTTP stack and no driver", () => {
    const closure = [...closureOf("sdk/index.ts", imports)].filter(
      (one) => !isBuiltin(one) && one !== "@pulumi/pulumi",
    );
    assert.deepEqual(
      closure.filter((one) => !isOwn(one) || ["drivers", "http", "local", "runtime", "cli"].includes(roomOf(one)!)),
      [],
    );
    assert.ok(closure.length > 5, "the walk found nothing to walk");
  });

  it("the same is true of the package as it is shipped", () => {
    const script = `require("tenantry");
      process.stdout.write(JSON.stringify(Object.keys(require.cache)))`;
    const loaded = JSON.parse(
      execFileSync(process.execPath, ["-e", script], { cwd: root, encoding: "utf8" }),
    ) as string[];
    const relative = loaded.map((file) => path.relative(root, file).split(path.sep).join("/"));
    assert.ok(relative.includes("dist/package/index.js"));
    const unwanted = /^node_modules\/(?:zod|yaml|csv-parse|undici|hono|libsql|@libsql)\//;
    assert.deepEqual(
      relative.filter((file) => unwanted.test(file)),
      [],
    );
    // The drivers, what they speak HTTP with, and the engine's entry are three times as much.
    const own = relative.filter((file) => file.startsWith("dist/package/"));
    const bytes = own.reduce((sum, file) => sum + statSync(path.join(root, file)).size, 0);
    assert.ok(bytes < 100_000, `${bytes} bytes: ${own.join(", ")}`);
  });

  it("nothing happens as a file is loaded, but those that are started: the package leaves out what is only loaded", () => {
    const declares = [ts.isImportDeclaration, ts.isExportDeclaration, ts.isVariableStatement, ts.isFunctionDeclaration];
    const types = [ts.isClassDeclaration, ts.isInterfaceDeclaration, ts.isTypeAliasDeclaration, ts.isModuleDeclaration];
    const acting = files.filter((file) => {
      if (!/^(?:sdk|provider)\//.test(file)) return false;
      const { statements } = ts.createSourceFile(file, texts.get(file)!, ts.ScriptTarget.Latest, true);
      return statements.some((one) => {
        const loadsOnly = ts.isImportDeclaration(one) && !one.importClause;
        return loadsOnly || ![...declares, ...types].some((isOne) => isOne(one));
      });
    });
    assert.deepEqual(acting, [
      // A limit of its own signal, which whoever uses that has.
      "provider/http/cancellation.ts",
      ...["provider/local/processes/main.ts", "provider/local/processes/orphan-watch.ts"],
      ...["provider/runtime.ts", "sdk/cli/main.ts"],
    ]);
  });

  it("only tools and tests import tools; examples import the package", () => {
    const outside = imports.filter(({ file, of }) => of.startsWith("tools/") && !/^(?:tools|test)\//.test(file));
    assert.deepEqual(outside.map(show), []);
    const ofExamples = imports.filter(({ file, of }) => file.startsWith("examples/") && !isBuiltin(of));
    const packagesOf = new Set(ofExamples.map(({ of }) => of).filter((of) => !of.startsWith("examples/")));
    assert.deepEqual([...packagesOf].sort(), ["@hono/node-server", "@pulumi/pulumi", "hono", "tenantry"]);
  });

  it("packages are imported where they belong; what is declared is used, what is used is declared", () => {
    // Its own version; nothing else of the package is imported by the package's name.
    const itself = inHouse.filter(({ of }) => of === "tenantry").map(({ file }) => file);
    assert.deepEqual(itself, ["provider/http/user-agent.ts"]);
    const used = inHouse.filter(({ of }) => !isOwn(of) && !isBuiltin(of) && of !== "tenantry");
    const misplaced = used.filter(({ file, of }) => !packages[of]?.includes(roomOf(file)!));
    assert.deepEqual(misplaced.map(show), []);
    const values = used.filter(({ of, kind }) => typesOnly.includes(of) && kind !== "type");
    assert.deepEqual(values.map(show), []);
    const names = [...new Set(used.map(({ of }) => of))].filter((name) => !typesOnly.includes(name)).sort();
    const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies }).sort();
    assert.deepEqual(names, declared);
  });

  it("everything that package.json points to exists after a build", () => {
    const targets = Object.values(manifest.exports).flatMap((one) =>
      typeof one === "string" ? one : Object.values(one),
    );
    const all = [...targets, manifest.main, manifest.types, ...Object.values(manifest.bin)];
    assert.deepEqual(
      all.filter((file) => !existsSync(path.join(root, file))),
      [],
    );
  });

  it(`no file is over ${longest} lines without a reason at its top`, () => {
    const long = files.filter((file) => {
      const lines = texts.get(file)!.trimEnd().split("\n");
      return lines.length > longest && !/^\/[/*].*\blong\b/i.test(lines[0]!);
    });
    assert.deepEqual(long, [], 'begin such a file with a comment "Long because ..."');
  });

  it("files are called after a noun or a step, in kebab-case", () => {
    const name = (file: string) => path.basename(file).replace(/(?:\.test)?(?:\.d)?\.[a-z]+$/, "");
    const wrong = files.filter((file) => {
      const vague = /^(?:utils?|helpers?|types?|common|misc|shared)$/;
      return vague.test(name(file)) || !/^[a-z0-9]+(?:-[a-z0-9]+)*$/.test(name(file));
    });
    assert.deepEqual(wrong, []);
  });
});

const show = ({ file, of, kind }: Import): string => `${file} imports ${of} (${kind})`;
