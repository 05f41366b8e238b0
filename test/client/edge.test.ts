import assert from "node:assert/strict";
import { builtinModules } from "node:module";
import path from "node:path";
import { createContext, runInContext } from "node:vm";
import { type BuildResult, build } from "esbuild";
import { encodePreview } from "../../provider/preview/value";
import { registryName, templateName } from "../../provider/registry/reserved-names";
import { createTenantry as createInNode } from "../../sdk/client";
import type * as Edge from "../../sdk/client/edge";
import { type Bench, withBench } from "../support/bench";

const root = path.resolve(__dirname, "..", "..");

/** As a bundler for an edge runtime or a browser makes it. */
const bundled = (platform: "neutral" | "browser") =>
  build({
    stdin: { contents: 'module.exports = require("tenantry/client/edge")', resolveDir: root, loader: "js" },
    ...{ bundle: true, format: "cjs", platform, metafile: true, write: false, logLevel: "silent" },
  });

function textOf({ outputFiles }: BuildResult<{ write: false }>): string {
  return outputFiles[0]!.text;
}

/** What the standards of the web have, and nothing of Node: no process, no Buffer, no require. */
function loadedWithoutNode(text: string): typeof Edge {
  const module: { exports: Partial<typeof Edge> } = { exports: {} };
  const globals = {
    ...{ module, exports: module.exports, fetch, Request, Response, Headers, URL, URLSearchParams, ReadableStream },
    ...{ TextEncoder, TextDecoder, AbortSignal, AbortController, DOMException, crypto, performance, atob, btoa },
    ...{ setTimeout, clearTimeout, queueMicrotask },
  };
  runInContext(text, createContext(globals));
  return module.exports as typeof Edge;
}

const options = ({ platform }: Bench): Edge.TenantryOptions => ({
  ...{ platform: "local", apiUrl: platform.url, token: platform.apiToken },
  ...{ group: "eu", access: "full-access" },
});

describe("tenantry/client/edge", () => {
  let text: string;

  for (const platform of ["neutral", "browser"] as const) {
    it(`takes nothing of Node.js along: platform "${platform}"`, async () => {
      const made = await bundled(platform);
      const inputs = Object.keys(made.metafile.inputs);
      const outside = Object.values(made.metafile.outputs).flatMap(({ imports }) => imports.map((one) => one.path));
      assert.deepEqual(outside, []);
      assert.deepEqual(
        Object.values(made.metafile.inputs)
          .flatMap(({ imports }) => imports.map((one) => one.path))
          .filter((one) => one.startsWith("node:") || builtinModules.includes(one)),
        [],
      );
      const unwanted =
        /node_modules\/(?:undici|libsql|ws|hono|@hono|@pulumi|commander)\/|\.node$|dist\/provider\/local\//;
      assert.deepEqual(
        inputs.filter((one) => unwanted.test(one)),
        [],
      );
      assert.ok(inputs.includes("dist/package/without-undici.js"));
      text = textOf(made);
      assert.ok(text.length < 1_500_000, `${text.length} bytes`);
    });
  }

  it("provisions and connects on nothing but what every runtime has", async () => {
    await withBench(async (bench) => {
      const { createTenantry } = loadedWithoutNode(text);
      const tenantry = createTenantry(options(bench));
      const first = await tenantry.provision("user-1");
      assert.equal(first.created, true);
      const db = await tenantry.connect({ subject: "user-1" });
      await db.execute("CREATE TABLE notes AS SELECT 'kept' AS text");
      await bench.api("POST", `/databases/${first.database.name}/auth/rotate`);
      assert.equal((await db.execute("SELECT text FROM notes")).rows[0]?.["text"], "kept");
      assert.deepEqual((await createTenantry(options(bench)).provision("user-1")).database, first.database);
      assert.deepEqual(await bench.databases(true), [first.database.name, registryName("eu")]);
      await assert.rejects(tenantry.connect("nobody"), { code: "database-not-found" });
      assert.match((await tenantry.deprovision("user-1", { erase: true })).text, /is deleted/);
    });
  });

  it("connects with an address and a token, where no platform is known", async () => {
    await withBench(async (bench) => {
      const { createTenantry } = loadedWithoutNode(text);
      const { database, token } = await createTenantry(options(bench)).provision("user-1");
      const db = await createTenantry({ urlFor: () => database.url, tokenFor: () => token }).connect("mine");
      assert.equal((await db.execute("SELECT 7 AS seven")).rows[0]?.["seven"], 7);
      assert.throws(() => createTenantry({ platform: "local" }), { message: /^apiUrl: it has to be given/ });
    });
  });

  it("opens a pull request's branches, and nothing else, where the value is given", async () => {
    await withBench(async (bench) => {
      const { createTenantry } = loadedWithoutNode(text);
      const { database, token, expiresAt } = await createTenantry(options(bench)).provision("user-1");
      const branch = { url: database.url, token, databaseId: "any", expiresAt };
      const preview = encodePreview({ v: 1, repository: "acme/shop", pullRequest: 7, tenants: { Zoë: branch } });
      const tenantry = createTenantry({ ...options(bench), preview });
      assert.equal((await (await tenantry.connect("Zoë")).execute("SELECT 7 AS seven")).rows[0]?.["seven"], 7);
      await assert.rejects(tenantry.connect(database.name), { code: "wrong-scope" });
    });
  });

  it("copies the template that a deploy has made, and says so where none has", async () => {
    await withBench(async (bench) => {
      const { createTenantry } = loadedWithoutNode(text);
      const {
        name,
        digest,
        path: folder,
        ref,
      } = await bench.template({ "0001_init.sql": "CREATE TABLE notes (text);" });
      const tenantry = createTenantry({ ...options(bench), template: ref });
      await assert.rejects(tenantry.provision("user-1"), { code: "not-ready", message: /no template database/ });
      await createInNode({ ...options(bench), templates: { app: folder }, template: "app" }).provision("user-2");
      assert.ok((await bench.databases(true)).includes(templateName("eu", name, digest)));
      const { created } = await tenantry.provision("user-1");
      assert.equal(created, true);
      const db = await tenantry.connect({ subject: "user-1" });
      assert.equal((await db.execute("SELECT * FROM notes")).rows.length, 0);
    });
  });

  it("gives a group with a long name the same registry as Node.js does", async () => {
    await withBench(async (bench) => {
      const group = "g".repeat(60);
      await bench.api.ok("POST", "/groups", { name: group, location: "local" });
      const { createTenantry } = loadedWithoutNode(text);
      const { database } = await createTenantry({ ...options(bench), group }).provision("user-1");
      assert.deepEqual((await bench.databases(true)).sort(), [database.name, registryName(group)].sort());
    });
  });
});
