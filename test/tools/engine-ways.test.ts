import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { execFileSync } from "node:child_process";
import { afterEach, beforeEach, describe, it } from "mocha";
import { engineBuilt } from "../../tools/engine/build";
import { engineInCache, fillCache } from "../../tools/engine/cache";
import { atLeast } from "../../tools/engine/command";
import { archiveName, engineDownloaded } from "../../tools/engine/download";
import { findEngine, NoEngine, WAYS } from "../../tools/engine/find-engine";
import { engineOnPath } from "../../tools/engine/on-path";
import { COMMANDS_FOLDER, SDK_FOLDER, VERSION, cacheFolder } from "../../tools/engine/release";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "tenantry-ways-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** An executable that says `said`, alone in a folder; returns the folder. */
async function script(name: string, said: string, inside = folder): Promise<string> {
  await mkdir(inside, { recursive: true });
  await writeFile(path.join(inside, name), `#!/bin/sh\n${said}\n`);
  await chmod(path.join(inside, name), 0o755);
  return inside;
}

const why = (found: object) => ("why" in found ? String(found.why) : `found ${JSON.stringify(found)}`);

describe("finding the engine", () => {
  it("asks PATH, cache, vendor and Go module in this order and stops at the first that has one", async () => {
    assert.deepEqual(
      WAYS().map(({ name }) => name),
      ["PATH", "the cache", "the vendor's site", "a build from the Go module"],
    );
    const lines: string[] = [];
    const asked: string[] = [];
    const way = (name: string, found: { folders: string[] } | { why: string }) => ({
      name,
      find: async () => {
        asked.push(name);
        return found;
      },
    });
    const ways = [way("a", { why: "none" }), way("b", { folders: ["/b", "/c"] }), way("c", { folders: [] })];
    assert.deepEqual(await findEngine(ways, (line) => lines.push(line)), ["/b", "/c"]);
    assert.deepEqual(asked, ["a", "b"]);
    assert.deepEqual(lines, ["no Pulumi engine from a: none"]);
  });

  it("says at the end what to install", async () => {
    const throwing = { name: "x", find: () => Promise.reject(new Error("boom\nstack")) };
    const lines: string[] = [];
    await assert.rejects(
      findEngine([throwing], (line) => lines.push(line)),
      (error) =>
        error instanceof NoEngine && /Install Pulumi 3\.250\.0 or later .*pulumi\.com.* or Go/.test(error.message),
    );
    assert.deepEqual(lines, ["no Pulumi engine from x: boom"]);
  });

  it("compares versions by number", () => {
    assert.ok(atLeast("v3.250.0", "3.250.0"));
    assert.ok(atLeast("3.1000.0", "3.250.0"));
    assert.ok(atLeast("v4.0.0-alpha.1", "3.250.0"));
    assert.ok(!atLeast("v3.99.9", "3.250.0"));
    assert.ok(atLeast("1.26", "1.25.11"));
    assert.ok(!atLeast("1.25", "1.25.11"));
  });
});

describe("the engine on PATH", () => {
  it("is refused when missing, too old, failing, or without its language host", async () => {
    assert.equal(why(await engineOnPath(folder).find()), "no pulumi on PATH");
    await script("pulumi", "echo v3.249.9");
    assert.match(why(await engineOnPath(folder).find()), /pulumi is v3\.249\.9, older than v3\.250\.0$/);
    await script("pulumi", "echo broken >&2; exit 3");
    assert.match(why(await engineOnPath(folder).find()), /pulumi version: broken$/);
    await script("pulumi", "echo v3.251.0");
    assert.match(why(await engineOnPath(folder).find()), /has no pulumi-language-nodejs on PATH or beside it$/);
  });

  it("is taken with its language host on PATH or beside the real file", async () => {
    await script("pulumi", "echo v3.251.0");
    const host = await script("pulumi-language-nodejs", "true", path.join(folder, "elsewhere"));
    const found = await engineOnPath([folder, host].join(path.delimiter)).find();
    assert.deepEqual(found, { folders: [SDK_FOLDER] }, "the provider launcher is missing");
    await script("pulumi-language-nodejs", "true");
    await script("pulumi-resource-pulumi-nodejs", "true");
    assert.deepEqual(await engineOnPath(folder).find(), { folders: [COMMANDS_FOLDER] });
  });

  it("is not our own cache, whose parts the next way keeps up to date", async () => {
    await script("pulumi", `echo v${VERSION}`);
    await script("pulumi-language-nodejs", "true");
    assert.deepEqual(await engineOnPath(folder, folder).find(), { why: "no pulumi on PATH" });
  });
});

describe("the engine's cache", () => {
  const target = () => path.join(folder, "cache", "3.250.0-here");

  it("lives where TENANTRY_CACHE, then XDG_CACHE_HOME says", () => {
    const leaf = path.join("tenantry", "engine", `${VERSION}-${process.platform}-${process.arch}`);
    assert.equal(cacheFolder({ TENANTRY_CACHE: folder, XDG_CACHE_HOME: "/x" }), path.join(folder, leaf));
    assert.equal(cacheFolder({ XDG_CACHE_HOME: folder }), path.join(folder, leaf));
  });

  it("gives back what was put there, and refuses it once it was changed", async () => {
    assert.equal(why(await engineInCache(target()).find()), `nothing in ${target()}`);
    await fillCache(async (fresh) => void (await script("pulumi", "echo", fresh)), target());
    const folders = [target()];
    assert.deepEqual(await engineInCache(target()).find(), { folders });
    const beside = ["language-host.js", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"];
    for (const name of beside) {
      const placed = await readFile(path.join(target(), name));
      await writeFile(path.join(target(), name), "of another version");
      await engineInCache(target()).find();
      assert.deepEqual(await readFile(path.join(target(), name)), placed);
    }
    await writeFile(path.join(target(), "pulumi"), "other");
    assert.match(why(await engineInCache(target()).find()), /pulumi is not what was put there \(sha256 differs\)$/);
    await fillCache(async (fresh) => void (await script("pulumi", "echo again", fresh)), target());
    assert.deepEqual(await engineInCache(target()).find(), { folders });
  });

  it("keeps nothing of a failed fill, and two at once leave a whole one", async () => {
    assert.deepEqual(await fillCache(async () => ({ why: "no" }), target()), { why: "no" });
    await assert.rejects(
      fillCache(() => Promise.reject(new Error("broken off")), target()),
      /broken off/,
    );
    assert.deepEqual(await readdir(path.dirname(target())), []);
    const fill = (text: string) => fillCache(async (fresh) => void (await script("pulumi", text, fresh)), target());
    await Promise.all([fill("a"), fill("b"), fill("c")]);
    assert.ok("folders" in (await engineInCache(target()).find()));
    assert.deepEqual(await readdir(path.dirname(target())), [path.basename(target())]);
  });
});

describe("the vendor's site", () => {
  const archive = archiveName() ?? "";
  const parts = ["pulumi", "pulumi-language-nodejs", "pulumi-resource-pulumi-nodejs"];

  async function serving<T>(handle: RequestListener, use: (place: string) => Promise<T>): Promise<T> {
    const server = createServer(handle).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    try {
      return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    } finally {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    }
  }

  async function release(digestOf: (archive: Buffer) => string): Promise<RequestListener> {
    const inside = path.join(folder, "pack", "pulumi");
    for (const name of [...parts, "pulumi-language-go"]) await script(name, "true", inside);
    const bytes = execFileSync("tar", ["-C", path.dirname(inside), "-czf", "-", "pulumi"]);
    const list = `${"0".repeat(64)}  other.tar.gz\n${digestOf(bytes)}  ${archive}\n`;
    return (request, response) => response.end(request.url?.endsWith("checksums.txt") ? list : bytes);
  }

  it("names the archive of each system", () => {
    assert.equal(archiveName("linux", "x64"), "pulumi-v3.250.0-linux-x64.tar.gz");
    assert.equal(archiveName("win32", "arm64"), "pulumi-v3.250.0-windows-arm64.zip");
    assert.equal(archiveName("sunos", "x64"), undefined);
  });

  it("gives a verified archive, of which only the parts for Node.js are kept", async () => {
    const target = path.join(folder, "cache", "it");
    const handle = await release((bytes) => createHash("sha256").update(bytes).digest("hex"));
    const found = await serving(handle, (place) => engineDownloaded({ places: [place], folder: target }).find());
    assert.deepEqual(found, { folders: [target] });
    assert.deepEqual((await readdir(target)).sort(), [...parts, "sha256.json"]);
    assert.deepEqual(await engineInCache(target).find(), found);
  });

  it("is refused when the archive is not the published one, and every place is told", async () => {
    const target = path.join(folder, "cache", "it");
    const handle = await release(() => "1".repeat(64));
    const told = await serving(handle, (good) =>
      serving(
        (_request, response) => response.writeHead(503).end(),
        async (broken) => why(await engineDownloaded({ places: [broken, good], folder: target }).find()),
      ),
    );
    assert.match(told, /^127\.0\.0\.1:\d+: answered 503; 127\.0\.0\.1:\d+: .* does not match its checksum$/);
    assert.match(why(await engineInCache(target).find()), /^nothing in/);
  });

  it("does not wait long for a site that does not answer", async () => {
    const silent: RequestListener = () => {};
    const options = { folder: path.join(folder, "cache", "it"), connectMs: 100 };
    const told = await serving(silent, async (place) =>
      why(await engineDownloaded({ ...options, places: [place] }).find()),
    );
    assert.match(told, /^127\.0\.0\.1:\d+: .*(abort|timeout)/i);
  });
});

describe("the build from the Go module", () => {
  it("says why it cannot be made", async () => {
    assert.equal(why(await engineBuilt({ searchPath: folder }).find()), "no go on PATH");
    await script("go", "echo go version go1.22.1 linux/amd64");
    const search = folder + path.delimiter + process.env["PATH"];
    const found = await engineBuilt({ searchPath: search }).find();
    assert.match(why(found), /go is 1\.22\.1; the build needs 1\.25\.11 or later$/);
    await script("go", 'if [ "$1" = version ]; then echo go version go1.26.0 x; else echo "disk full" >&2; exit 1; fi');
    const failed = await engineBuilt({ searchPath: search, folder: path.join(folder, "cache", "it") }).find();
    assert.equal(why(failed), "go build failed: disk full");
  });

  it("passes the flags that make the same binary everywhere", async () => {
    const log = path.join(folder, "arguments");
    // The target is the argument after -o.
    const lines = [
      'if [ "$1" = version ]; then echo go version go1.26.0 x; exit; fi',
      `echo "$CGO_ENABLED $GOWORK $*" > ${log}`,
      'while [ "$1" != -o ]; do shift; done; echo engine > "$2"; chmod +x "$2"',
    ];
    await script("go", lines.join("\n"));
    const target = path.join(folder, "cache", "it");
    const found = await engineBuilt({
      searchPath: folder + path.delimiter + process.env["PATH"],
      folder: target,
    }).find();
    assert.deepEqual(found, { folders: [target] });
    const said = execFileSync("cat", [log], { encoding: "utf8" });
    assert.match(
      said,
      /^0 off build -mod=readonly -buildvcs=false -trimpath -ldflags -s -w -X .*Version=v3\.250\.0 -o /,
    );
  });
});
