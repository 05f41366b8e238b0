import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Context } from "../../provider/context";
import { previewDown } from "../../provider/preview/down";
import { listBranches, reapBranch } from "../../provider/preview/due";
import type { PreviewOrder } from "../../provider/preview/order";
import { previewUp } from "../../provider/preview/up";
import { registryName } from "../../provider/registry/reserved-names";
import type { Fate } from "../support/faulty-line";
import { type PreviewScene, of, withPreviewScene } from "./preview-scene";

const migrations = { "0001_due.sql": "ALTER TABLE users ADD COLUMN due TEXT;\nUPDATE users SET due = 'soon';\n" };

/** Branches masked and migrated, of one tenant. */
async function masked(scene: PreviewScene): Promise<PreviewOrder> {
  const { path } = await scene.bench.template(migrations);
  return scene.order({ data: "masked", mask: { users: { email: "hash" } }, migrations: { folder: path } });
}

/** Who died holds the lease for a minute: here it has passed. */
const afterAMinute = async ({ bench }: PreviewScene): Promise<void> => {
  if (!(await bench.databases(true)).includes(registryName("eu"))) return;
  const tables = await bench.sql(registryName("eu"), "SELECT name FROM sqlite_schema WHERE name = 'preview_leases'");
  if (tables.length > 0) await bench.sql(registryName("eu"), "UPDATE preview_leases SET beat = 0");
};

/** Ends `work` at its n-th write, for each n from `first` in steps, until one comes to its end; tells how many there were. */
async function atEachWrite(
  scene: PreviewScene,
  how: Extract<Fate, "die" | "lose">,
  { first = 1, step = 1 }: { readonly first?: number; readonly step?: number },
  work: (context: Context) => Promise<unknown>,
  then: (n: number, ended: unknown) => Promise<void>,
): Promise<number> {
  for (let n = first; ; n += step) {
    let met = false;
    const context = await scene.process(({ write }) => {
      if (write !== n) return "pass";
      met = true;
      return how;
    });
    const ended = await work(context).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!met) return n;
    await then(n, ended);
  }
}

const emails = async ({ opened }: PreviewScene, { report, tokens }: Awaited<ReturnType<typeof previewUp>>) => {
  const [branch] = report.branches;
  assert.deepEqual([branch!.state, branch!.error], ["ready", null]);
  return opened(branch!.url, tokens.get("acme")!.token, "SELECT email, due FROM users ORDER BY id");
};

describe("An `up` that dies", function () {
  this.timeout(300_000);

  it("is finished by the next one, wherever it was: one branch, whole and masked, and nothing besides", async () => {
    await withPreviewScene(
      async (scene) => {
        const order = await masked(scene);
        const writes = await atEachWrite(
          scene,
          "die",
          // Each of them was tried once; here every second has to do.
          { step: 2 },
          (context) => previewUp(context, order),
          async (n) => {
            await afterAMinute(scene);
            const rows = await emails(scene, await previewUp(await scene.process(), order));
            assert.deepEqual(
              rows.map(({ email, due }) => [/^[0-9a-f]{24}$/.test(String(email)), due]),
              [
                [true, "soon"],
                [true, "soon"],
              ],
              `at write ${n}`,
            );
            assert.equal((await scene.named("tenantry-pr-")).length, 1, `at write ${n}`);
            await previewDown(await scene.process(), of);
            assert.deepEqual(await scene.named("tenantry-pr-"), [], `at write ${n}`);
          },
        );
        assert.ok(writes > 20, `${writes} writes`);
      },
      { tenants: ["acme"] },
    );
  });

  it("is taken down by `down`, or by a reaper once its time is over, with what it had only begun", async () => {
    await withPreviewScene(
      async (scene) => {
        const { bench, named, process } = scene;
        const order = await masked(scene);
        await atEachWrite(
          scene,
          "die",
          { first: 10, step: 4 },
          (context) => previewUp(context, order),
          async (n) => {
            await afterAMinute(scene);
            const context = await process();
            if (n % 8 === 2) await previewDown(context, of);
            else {
              const sql = (await context.registrySql("eu"))!;
              // A reaper's mark lasts for five.
              await bench.sql(registryName("eu"), "UPDATE reapings SET since = 0").catch(() => undefined);
              await bench.sql(registryName("eu"), "UPDATE claims SET expires_at = '2026-01-01T00:00:00.000Z'");
              for (const one of await listBranches(context, sql)) {
                assert.equal(one.isDue, true);
                const { status } = await reapBranch(context, "eu", sql, one);
                assert.ok(status === "reaped" || status === "gone", `at write ${n}: ${status}`);
              }
            }
            assert.deepEqual(await named("tenantry-pr-"), [], `at write ${n}`);
            assert.deepEqual(await bench.sql(registryName("eu"), "SELECT * FROM claims"), [], `at write ${n}`);
          },
        );
        assert.equal((await bench.sql("tenant-acme", "SELECT * FROM users WHERE email LIKE '%@acme.test'")).length, 2);
        await previewDown(await process(), of);
      },
      { tenants: ["acme"] },
    );
  });
});

describe("An `up` that loses a reply", function () {
  this.timeout(300_000);

  it("ends with one branch, or the next one does", async () => {
    await withPreviewScene(
      async (scene) => {
        const order = await masked(scene);
        await atEachWrite(
          scene,
          "lose",
          { first: 2, step: 3 },
          (context) => previewUp(context, order),
          async (n) => {
            await afterAMinute(scene);
            const rows = await emails(scene, await previewUp(await scene.process(), order));
            assert.deepEqual(
              rows.map(({ due }) => due),
              ["soon", "soon"],
              `at write ${n}`,
            );
            assert.equal((await scene.named("tenantry-pr-")).length, 1, `at write ${n}`);
            await previewDown(await scene.process(), of);
            assert.deepEqual(await scene.named("tenantry-pr-"), [], `at write ${n}`);
          },
        );
      },
      { tenants: ["acme"] },
    );
  });
});
