import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readEndpoint, startLocalPlatform } from "../../provider/local";
import { runChild } from "./child";
import type { Child } from "./child";

describe("tenantry local", function () {
  this.timeout(60_000);
  let directory: string;
  const children: Child[] = [];
  const cli = (...args: string[]): Child => {
    const child = runChild("sdk/cli/main.ts", "local", "--dir", directory, ...args);
    children.push(child);
    return child;
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), "tenantry-test-"));
  });
  afterEach(async () => {
    for (const child of children.splice(0)) await child.end("SIGKILL");
    await rm(directory, { recursive: true, force: true });
  });

  it("says where it listens and how to use it, without the token, and stops on Ctrl-C", async () => {
    const child = cli("--port", "0", "--organization", "acme", "--organization", "globex");
    await child.printed(/Ctrl-C.*\n/);
    const endpoint = readEndpoint(directory);
    assert.ok(endpoint);
    const { stdout } = child.output();
    for (const part of [endpoint.url, endpoint.id, "acme, globex", "pulumi config set tenantry:platform local"])
      assert.ok(stdout.includes(part), part);
    assert.ok(!stdout.includes(endpoint.apiToken));
    assert.equal(endpoint.pid, child.process.pid);
    assert.equal((await fetch(`${endpoint.url}/health`)).status, 200);
    assert.equal(await child.end("SIGINT"), 0);
    assert.match(child.output().stdout, /Stopped\.\n$/);
    assert.equal(readEndpoint(directory), undefined);
  });

  it("prints the token when asked", async () => {
    const child = cli("--port", "0", "--show-token");
    await child.printed(/Ctrl-C.*\n/);
    assert.ok(child.output().stdout.includes(readEndpoint(directory)?.apiToken ?? "?"));
    assert.equal(await child.end("SIGTERM"), 0);
  });

  it("ends with one clear line when the port or the folder is taken", async () => {
    const platform = await startLocalPlatform({ directory });
    const locked = cli("--port", "0");
    const other = await startLocalPlatform();
    const port = new URL(other.url).port;
    assert.equal(await locked.ended(), 1);
    assert.match(locked.output().stderr, new RegExp(`^tenantry: .*${directory}.*process ${process.pid}.*\\n$`));
    await platform.close();
    const busy = cli("--port", port);
    assert.equal(await busy.ended(), 1);
    assert.match(busy.output().stderr, new RegExp(`^tenantry: Port ${port} .*in use.*\\n$`));
    await other.close();
  });

  it("refuses a port that is none", async () => {
    const child = cli("--port", "seventy");
    assert.equal(await child.ended(), 1);
    assert.match(child.output().stderr, /65535/);
  });
});
