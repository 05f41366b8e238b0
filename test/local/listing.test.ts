import assert from "node:assert/strict";
import { startLocalPlatform } from "../../provider/local";
import type { LocalPlatform } from "../../provider/local";
import { apiCaller } from "./api-caller";
import type { ApiCaller } from "./api-caller";

interface Page {
  readonly databases: {
    readonly Name: string;
    readonly DbId: string;
    readonly parent: { readonly id: string } | null;
  }[];
  readonly pagination: { readonly next: string | null };
}

describe("embedded platform: 300 databases", function () {
  // Generous: only a hang is a failure, and the machine may be busy.
  this.timeout(60_000);
  let platform: LocalPlatform;
  let api: ApiCaller;
  const names = Array.from({ length: 300 }, (_, i) => `tenant-${String(i).padStart(3, "0")}`);

  before(async () => {
    platform = await startLocalPlatform();
    api = apiCaller(platform, "local");
    await api.ok("POST", "/groups", { name: "main", location: "local" });
    await api.ok("POST", "/groups", { name: "other", location: "local" });
    await api.ok("POST", "/databases", { name: "zz-other", group: "other" });
  });
  after(() => platform.close());

  it("are made in a few seconds", async () => {
    const begun = performance.now();
    const left = [...names];
    const worker = async (): Promise<void> => {
      for (let name = left.pop(); name; name = left.pop()) await api.ok("POST", "/databases", { name, group: "main" });
    };
    await Promise.all(Array.from({ length: 8 }, worker));
    assert.ok(performance.now() - begun < 20_000);
  });

  it("come in pages, in order, each once", async () => {
    const found: string[] = [];
    let pages = 0;
    for (let cursor: string | null = ""; cursor !== null;) {
      const page: Page = await api.ok<Page>("GET", `/databases?group=main&limit=100${cursor && `&cursor=${cursor}`}`);
      found.push(...page.databases.map(({ Name }) => Name));
      cursor = page.pagination.next;
      pages += 1;
    }
    assert.deepEqual(found, names);
    assert.equal(pages, 3);
  });

  it("come in one page by default, and by group and parent", async () => {
    const all = await api.ok<Page>("GET", "/databases");
    assert.equal(all.databases.length, 301);
    assert.equal(all.pagination.next, null);
    assert.deepEqual(
      (await api.ok<Page>("GET", "/databases?group=other")).databases.map(({ Name }) => Name),
      ["zz-other"],
    );
    assert.deepEqual((await api.ok<Page>("GET", "/databases?group=none")).databases, []);
    const parent = all.databases[0];
    await api.ok("POST", "/databases", {
      name: "branch",
      group: "main",
      seed: { type: "database", name: parent?.Name },
    });
    const children = (await api.ok<Page>("GET", `/databases?parent=${parent?.DbId}`)).databases;
    assert.deepEqual(
      children.map((child) => [child.Name, child.parent?.id]),
      [["branch", parent?.DbId]],
    );
  });
});
