import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterEach, beforeEach, describe, it } from "mocha";
import { type RosterTenant, readRoster, rosterText, writeRoster } from "../../provider/resources/tenant-fleet/roster";

describe("roster of a fleet", () => {
  let folder: string;
  beforeEach(() => void (folder = mkdtempSync(join(tmpdir(), "tenantry-roster-"))));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const tenant = (id: string, more: Partial<RosterTenant> = {}): RosterTenant => ({
    id,
    name: id,
    group: "eu",
    ...more,
  });

  it("is one text, whatever the order of tenants, keys and labels", () => {
    const one = rosterText({ tenants: [tenant("b"), tenant("a", { labels: { x: "1", y: "2" }, adopt: "never" })] });
    const other = rosterText({
      tenants: [{ adopt: "never", labels: { y: "2", x: "1" }, group: "eu", name: "a", id: "a" }, tenant("b")],
    });
    assert.equal(one, other);
  });

  it("comes back as it was written, sorted by code units", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 })), (ids) => {
        const digest = writeRoster(folder, { tenants: ids.map((id) => tenant(id)) });
        assert.deepEqual(
          readRoster(folder, digest).tenants.map(({ id }) => id),
          [...ids].sort(),
        );
      }),
      { numRuns: 50 },
    );
  });

  it("keeps what it has just written, whatever times the others have", () => {
    const later = new Date(Date.now() + 60_000);
    for (const id of ["v", "w", "x", "y", "z"]) {
      utimesSync(join(folder, `${writeRoster(folder, { tenants: [tenant(id)] })}.json`), later, later);
    }
    const digest = writeRoster(folder, { tenants: [tenant("now")] });
    assert.equal(readRoster(folder, digest).tenants.length, 1);
  });

  it("keeps the three newest, and leaves no part behind", () => {
    const digests = ["a", "b", "c", "d", "e"].map((id, i) => {
      const digest = writeRoster(folder, { tenants: [tenant(id)] });
      const at = new Date(Date.now() - 60_000 + i * 1_000);
      utimesSync(join(folder, `${digest}.json`), at, at);
      return digest;
    });
    const newest = writeRoster(folder, { tenants: [tenant("f")] });
    const expected = [...digests.slice(-2), newest].map((digest) => `${digest}.json`);
    assert.deepEqual(readdirSync(folder).sort(), expected.sort());
  });

  it("is refused when it is missing, or not as it was written", () => {
    const digest = writeRoster(folder, { tenants: [tenant("a")] });
    writeFileSync(join(folder, `${digest}.json`), rosterText({ tenants: [tenant("b")] }));
    assert.throws(() => readRoster(folder, digest), /was changed since the program wrote it.*run `pulumi up` again/);
    assert.throws(() => readRoster(folder, "0".repeat(32)), /is not there/);
    assert.equal(writeRoster(folder, { tenants: [tenant("a")] }), digest, "and the program puts it right");
    assert.equal(readRoster(folder, digest).tenants[0]!.id, "a");
  });
});
