"use strict";
const fs = require("node:fs");
const path = require("node:path");
const { writeDeclarations } = require("./declarations.js");

/** What package.json leads to, by the name of its file, and the source each is made of. */
const ENTRIES = {
  index: "sdk/index",
  client: "sdk/client/index",
  edge: "sdk/client/edge",
  local: "provider/local/index",
  runtime: "provider/runtime",
  cli: "sdk/cli/main",
  // Loaded by its name, by programs that have a manifest.
  manifest: "sdk/manifest/index",
  // Started by their names, by `tenantry local`; taken instead of undici, by bundlers for the edge.
  main: "provider/local/processes/main",
  "orphan-watch": "provider/local/processes/orphan-watch",
  "without-undici": "provider/http/without-undici",
};
const WITH_TYPES = ["index", "client", "edge", "local", "runtime"];
/** A word that esbuild leaves alone, until it is done with what it understands of `require`. */
const REQUIRE = "__required_as_it_is";
/** Node.js finds the names of exports for ES modules by reading, and reads "true" but not "!0". */
const MINIFIED_GETTER = "{enumerable:!0,get:function(){return ";
const LEGIBLE_GETTER = "{enumerable:true,get:function(){return ";
/** What only those need who import an entry: that it was an ES module, and names before they have values. */
const ANNOUNCED = /^(?:Object\.defineProperty\(exports, "__esModule", .*|(?:exports\.\w+ = )+void 0;)$/gm;
/** A file that is only to be loaded before another: nothing happens as one of ours is loaded, but for entries. */
const LOADED = /^require\("\.\/[A-Z\d]+\.js"\);$/gm;
/** The compiler keeps functions from having their module as `this`: none of them asks. */
const CALLED = /\(0, ([\w$]+\.[\w$]+)\)(?=\()/g;

/**
 * What is shipped: the sources as a few files without comments, and the declarations that users can come to. A file for
 * each source would be two and a half times the size, and take half as long again to load.
 *
 * esbuild shares code between entries only among ES modules, and this package is CommonJS: so there are two steps.
 * `built` is where the compiler wrote its output; the package goes below it.
 */
async function makePackage(root, built) {
  const to = path.join(built, "package");
  fs.mkdirSync(to, { recursive: true });
  const esbuild = require("esbuild");
  const ts = require("typescript");
  const settings = { minify: true, target: "node20", platform: "node", legalComments: "none", logLevel: "silent" };
  const compilerOptions = { module: "commonjs", target: "es2022", esModuleInterop: true };
  const { outputFiles } = await esbuild.build({
    ...settings,
    absWorkingDir: root,
    entryPoints: Object.fromEntries(Object.entries(ENTRIES).map(([name, source]) => [name, `${source}.ts`])),
    outdir: to,
    write: false,
    bundle: true,
    splitting: true,
    format: "esm",
    packages: "external",
    external: ["#undici"],
    chunkNames: "[hash]",
    plugins: [requireAsItIs],
  });
  for (const { path: file, text } of outputFiles) {
    // By the compiler and not by esbuild, whose preamble is ten times the size, and there are many files.
    const { outputText } = ts.transpileModule(text, { compilerOptions });
    const isEntry = path.basename(file, ".js") in ENTRIES;
    const bare = outputText.replace(LOADED, "").replace(CALLED, " $1");
    const lean = isEntry ? bare : bare.replace(ANNOUNCED, "");
    const { code } = await esbuild.transform(lean, { ...settings, format: "cjs" });
    fs.writeFileSync(file, code.replaceAll(REQUIRE, "require").replaceAll(MINIFIED_GETTER, LEGIBLE_GETTER));
  }
  fs.chmodSync(path.join(to, "cli.js"), 0o755);
  writeDeclarations(ts, { from: built, to: path.join(to, "types"), entries: WITH_TYPES.map((name) => ENTRIES[name]) });
}

/** `require` of a package stays what it is, so that bundlers of applications see it. */
const requireAsItIs = {
  name: "require as it is",
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, async ({ path: file }) => {
      const text = await fs.promises.readFile(file, "utf8");
      return { loader: "ts", contents: text.replace(/\brequire(?=(?:\.resolve)?\("[^"]+"\))/g, REQUIRE) };
    });
  },
};

module.exports = { makePackage };
