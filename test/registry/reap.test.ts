import assert from "node:assert/strict";
import type { Context } from "../../provider/context";
import { randomId } from "../../provider/random-id";
import { inspectClaims } from "../../provider/registry/inspect";
import { type Fate, endingsOf, reap } from "../../provider/registry/reap";
import { inspectTrash } from "../../provider/registry/trash";
import { Unfinished } from "../../provider/resources/handler";
import { tenantDatabase } from "../../provider/resources/tenant-database";
import type { TenantDatabaseInputs } from "../../provider/resources/tenant-database/inputs";
import { createTenantry } from "../../sdk/client";
import { type Bench, tenant, withBench } from "../support/bench";
import { type Fate as LineFate, atEveryWrite } from "../support/faulty-line";

const past = "2026-01-01T00:00:00.000Z";
const expired = { expiresAt: past };

const make = (context: Context, name: string, more: Partial<TenantDatabaseInputs> = {}) =>
  tenantDatabase.create({ inputs: tenant(name, more), context });

/** What `tenantry reap --yes` does in the group "eu", by name. */
async function reapAll(context: Context, now = Date.now()): Promise<Record<string, Fate>> {
  const sql = await context.registrySql("eu");
  const due = endingsOf(await inspectClaims(sql!), await inspectTrash(sql!)).filter(({ at }) => at <= now);
  const fates: Record<string, Fate> = {};
  for (const one of due) fates[one.claim.name] = await reap(context.platform, sql!, one, "eu", randomId());
  return fates;
}

const states = async (bench: Bench): Promise<string[]> =>
  (await bench.claims()).map(({ name, state }) => `${name} ${state}`);

describe("reap", function () {
  this.timeout(60_000);

  it("deletes what is held beyond its end, once, and nothing else", async () => {
    await withBench(async (bench) => {
      await bench.api.ok("POST", "/databases", { name: "nobodys", group: "eu" });
      const context = bench.context();
      await make(context, "over", expired);
      await make(context, "kept", { ...expired, deletionPolicy: "retain" });
      await make(context, "later", { expiresAt: "2999-01-01T00:00:00Z" });
      await make(context, "forever");
      const found = await reapAll(bench.context());
      assert.deepEqual(found, { over: { is: "reaped" } });
      assert.deepEqual(await bench.databases(), ["forever", "kept", "later", "nobodys"]);
      assert.deepEqual(await states(bench), ["forever held", "kept held", "later held"]);
      assert.deepEqual(await reapAll(bench.context()), {});
    });
  });

  it("deletes what a renamed tenant has left when its grace period is over, and not the tenant", async () => {
    await withBench(async (bench) => {
      const soft = { deletionPolicy: "soft", gracePeriod: "2d" } as const;
      const made = await make(bench.context(), "acme", soft);
      const news = tenant("umbrella", { self: made.outputs.self, onReplace: "copy", ...soft });
      const renamed = { id: made.id, olds: made.outputs, news, context: bench.context() };
      const outputs = await tenantDatabase.update(renamed);
      assert.deepEqual(await reapAll(bench.context()), {});
      assert.deepEqual(await bench.databases(), ["acme", "umbrella"]);
      const then = Date.now() + 2 * 86_400_000 + 1_000;
      assert.deepEqual(await reapAll(bench.context(), then), { acme: { is: "reaped" } });
      assert.deepEqual([await bench.databases(), await states(bench)], [["umbrella"], ["umbrella held"]]);
      // The name is free again, and the stack has nothing to do.
      assert.equal((await tenantDatabase.diff({ ...renamed, olds: outputs })).changes, false);
      await make(bench.context(), "acme");
    });
  });

  it("leaves the stack that declares it an expired tenant, which is not made anew", async () => {
    await withBench(async (bench) => {
      const inputs = tenant("over", expired);
      const made = await tenantDatabase.create({ inputs, context: bench.context() });
      await reapAll(bench.context());
      // Without a refresh nothing is to do; after one neither.
      assert.equal((await tenantDatabase.diff({ ...diffOf(made, inputs, bench.context()) })).changes, false);
      const read = await tenantDatabase.read({ ...made, context: bench.context() });
      assert.equal(read?.status, "expired");
      assert.equal(
        (await tenantDatabase.diff(diffOf({ id: made.id, outputs: read }, inputs, bench.context()))).changes,
        false,
      );
      // One that is given more time too late is not claimed for what is gone.
      const news = tenant("over", { expiresAt: "2999-01-01T00:00:00Z" });
      const update = tenantDatabase.update({ id: made.id, olds: made.outputs, news, context: bench.context() });
      await assert.rejects(
        update,
        (error) => error instanceof Unfinished && /is not on the platform/.test(error.message),
      );
      assert.deepEqual(await states(bench), []);
      await tenantDatabase.delete({ ...made, context: bench.context() });
    });
  });

  it("keeps what was adopted, what is protected, and another database under the name", async () => {
    await withBench(async (bench) => {
      await bench.api.ok("POST", "/databases", { name: "adopted", group: "eu" });
      const context = bench.context();
      await make(context, "adopted", { ...expired, adopt: "unowned" });
      await make(context, "protected", { ...expired, deleteProtection: true });
      await make(context, "other", expired);
      await bench.api.ok("DELETE", "/databases/other");
      await bench.api.ok("POST", "/databases", { name: "other", group: "eu" });
      await make(context, "gone", expired);
      await bench.api.ok("DELETE", "/databases/gone");
      assert.deepEqual(await reapAll(bench.context()), {
        adopted: { is: "kept", why: "it was there before Tenantry had it, so it is left to you" },
        gone: { is: "gone" },
        other: { is: "kept", why: "another database has its name since" },
        protected: { is: "kept", why: "delete protection is on" },
      });
      assert.deepEqual(await bench.databases(), ["adopted", "other", "protected"]);
      assert.deepEqual(await states(bench), ["adopted held", "other held", "protected held"]);
    });
  });

  it("takes what applications made with a lifetime, and provision makes it anew afterwards", async () => {
    await withBench(async (bench) => {
      const { url: apiUrl, apiToken: token } = bench.platform;
      const options = { platform: "local", apiUrl, token, group: "eu", access: "full-access" } as const;
      const { database } = await createTenantry(options).provision("user-1", { ttl: "60s" });
      assert.deepEqual(await reapAll(bench.context(), Date.now() + 61_000), { [database.name]: { is: "reaped" } });
      assert.deepEqual([await bench.databases(), await states(bench)], [[], []]);
      const again = await createTenantry(options).provision("user-1", { ttl: "60s" });
      assert.equal(again.created, true);
      assert.notEqual(again.database.id, database.id);
    });
  });

  it("is met by nobody halfway: neither a deploy nor an application takes what is being deleted", async () => {
    await withBench(async (bench) => {
      const { url: apiUrl, apiToken: token } = bench.platform;
      const options = { platform: "local", apiUrl, token, group: "eu", access: "full-access" } as const;
      const provisioned = await createTenantry(options).provision("user-1", { ttl: "60s" });
      const name = provisioned.database.name;
      const made = await make(bench.context(), "over", expired);
      const { context } = await bench.contextOn(({ method }) => (method === "DELETE" ? "die" : "pass"));
      const { context: other } = await bench.contextOn(({ method, path }) =>
        method === "GET" && path.endsWith(`/${name}`) ? "die" : "pass",
      );
      await assert.rejects(reapAll(context));
      await assert.rejects(reapAll(other, Date.now() + 61_000));
      assert.deepEqual(await states(bench), ["over reaping", `${name} reaping`]);
      const meanwhile = { code: "not-ready", message: /it is just being deleted/ };
      await assert.rejects(make(bench.context(), "over", { adopt: "force" }), meanwhile);
      const news = tenant("over", { expiresAt: "2999-01-01T00:00:00Z" });
      await assert.rejects(
        tenantDatabase.update({ id: made.id, olds: made.outputs, news, context: bench.context() }),
        (error) => error instanceof Unfinished && /it is just being deleted/.test(error.message),
      );
      await assert.rejects(createTenantry(options).provision("user-1"), meanwhile);
      await assert.rejects(createTenantry(options).deprovision("user-1", { erase: true }), meanwhile);
      assert.ok((await bench.databases()).includes(name));
    });
  });

  it("is done once by two at the same time", async () => {
    await withBench(async (bench) => {
      await make(bench.context(), "over", expired);
      const fates = await Promise.all([1, 2, 3].map(() => reapAll(bench.context())));
      assert.equal(fates.filter(({ over }) => over?.is === "reaped").length, 1, JSON.stringify(fates));
      assert.deepEqual([await bench.databases(), await states(bench)], [[], []]);
    });
  });

  for (const fate of ["lose", "die"] as const) {
    it(`${fate === "lose" ? "survives every lost reply" : "is finished after a death"}`, async () => {
      await atEveryWrite(async (n) => {
        let writes = 0;
        await withBench(async (bench) => {
          await make(bench.context(), "over", expired);
          await make(bench.context(), "kept");
          const decide = ({ write }: { write: number | undefined }): LineFate => (write === n ? fate : "pass");
          const { context, line } = await bench.contextOn(decide);
          await reapAll(context).catch(() => undefined);
          writes = line.calls.filter(({ write }) => write !== undefined).length;
          // As if the mark's time were over.
          await agedMarks(bench);
          await reapAll(bench.context());
          assert.deepEqual([await bench.databases(), await states(bench)], [["kept"], ["kept held"]]);
        });
        return writes;
      });
    });
  }
});

async function agedMarks(bench: Bench): Promise<void> {
  await bench.sql("tenantry-registry-eu", "UPDATE reapings SET since = since - 301").catch(() => undefined);
}

type Made = { id: string; outputs: Awaited<ReturnType<typeof make>>["outputs"] };
const diffOf = ({ id, outputs }: Made, news: TenantDatabaseInputs, context: Context) => ({
  ...{ id, olds: outputs, news, context },
});
