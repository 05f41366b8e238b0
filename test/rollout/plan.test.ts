import assert from "node:assert/strict";
import fc from "fast-check";
import { TenantryError } from "../../provider/platform/errors";
import { pendingMigrations } from "../../provider/rollout/plan";

const history = fc
  .uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { maxLength: 8 })
  .map((ids) => ids.map((id) => ({ id, hash: `hash of ${id}` })));

const invalid = (pattern: RegExp) => (error: unknown) =>
  error instanceof TenantryError && error.code === "migration-invalid" && pattern.test(error.message);

describe("pendingMigrations", () => {
  it("is what comes after a history that is the beginning of the template's", () => {
    fc.assert(
      fc.property(history, fc.nat(8), (migrations, cut) => {
        const applied = migrations.slice(0, cut);
        assert.deepEqual([...applied, ...pendingMigrations(applied, migrations, "acme")], migrations);
      }),
    );
  });

  it("refuses every other history", () => {
    fc.assert(
      fc.property(history, history, (applied, migrations) => {
        const isPrefix = applied.every((one, i) => one.id === migrations[i]?.id);
        fc.pre(!isPrefix);
        assert.throws(() => pendingMigrations(applied, migrations, "acme"), invalid(/^acme: /));
      }),
    );
  });

  const [a, b, c] = ["a", "b", "c"].map((id) => ({ id, hash: id.repeat(32) })) as [Ref, Ref, Ref];
  type Ref = { id: string; hash: string };

  it("says how it differs: edited, removed, reordered", () => {
    const edited = { ...a, hash: "f".repeat(32) };
    assert.throws(
      () => pendingMigrations([a], [edited, b], "acme"),
      invalid(/a was edited since .*aaaaaaaaaaaa.*ffffffffffff/),
    );
    assert.throws(
      () => pendingMigrations([a, b], [a, c], "acme"),
      invalid(/b \(b{12}\) is no longer among the template's; in its place there is c \(c{12}\)/),
    );
    assert.throws(() => pendingMigrations([a, b], [b, a], "acme"), invalid(/a \(a{12}\) came before b \(b{12}\)/));
    assert.throws(() => pendingMigrations([a, b], [a], "acme"), invalid(/b \(b{12}\) is no longer/));
  });
});
