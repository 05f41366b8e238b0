import assert from "node:assert/strict";
import path from "node:path";
import { type TenantryOptions, createTenantry } from "../../sdk/client";
import { withFolder } from "../manifest/scene";
import { type Bench, withBench } from "../support/bench";

const application = ({ platform }: Bench, options: TenantryOptions = {}) =>
  createTenantry({
    ...{ platform: "local", apiUrl: platform.url, token: platform.apiToken, group: "eu", access: "full-access" },
    ...options,
  });

describe("provision by a manifest's plan", () => {
  const manifest = async (text: string, use: (path: string) => Promise<void>): Promise<void> =>
    withFolder({ "tenants.yaml": `version: 1\ngroups: { eu: }\n${text}\ntenants: {}\n` }, (folder) =>
      use(path.join(folder, "tenants.yaml")),
    );

  it("limits a new database as the plan and the defaults say, also where the application died before", async () => {
    await withBench(async (bench) => {
      const text = `defaults: { allowedIps: [10.0.0.0/8], blockWrites: true }
plans: { pro: { deleteProtection: true, blockWrites: false, expiresAt: 2999-12-31T00:00:00Z } }`;
      await manifest(text, async (file) => {
        const { line } = await bench.contextOn(({ path: at }) => (at.endsWith("/configuration") ? "drop" : "pass"));
        const dying = application(bench, { apiUrl: line.url, manifest: file });
        await assert.rejects(dying.provision("user-1", { plan: "pro" }));
        const tenantry = application(bench, { manifest: file });
        const { database } = await tenantry.provision("user-1", { plan: "pro" });
        const path = `/databases/${database.name}/configuration`;
        const { delete_protection, block_writes, allowed_ips } = await bench.api.ok<Record<string, unknown>>(
          "GET",
          path,
        );
        assert.deepEqual([delete_protection, block_writes, allowed_ips], [true, false, ["10.0.0.0/8"]]);
        assert.equal((await bench.claims())[0]?.expiresAt, "2999-12-31T00:00:00.000Z");
        // What is protected is not half erased: it goes on as it was.
        await assert.rejects(tenantry.deprovision("user-1", { erase: true }), { code: "protected" });
        assert.equal((await tenantry.provision("user-1", { plan: "pro" })).created, false);
      });
    });
  }).timeout(60_000);

  it("opens again no further than the plan says", async () => {
    await withBench(async (bench) => {
      await manifest("plans: { archive: { blockWrites: true } }", async (file) => {
        const tenantry = application(bench, { manifest: file });
        const { database } = await tenantry.provision("user-1", { plan: "archive" });
        await tenantry.deprovision("user-1", { erase: false });
        await tenantry.provision("user-1", { plan: "archive" });
        const at = `/databases/${database.name}/configuration`;
        const { block_reads, block_writes } = await bench.api.ok<Record<string, unknown>>("GET", at);
        assert.deepEqual([block_reads, block_writes], [false, true]);
      });
    });
  });

  it("lets a reaper have it no sooner than one that is deployed", async () => {
    await withBench(async (bench) => {
      const text = `plans:
  kept: { deletionPolicy: retain, expiresIn: 1d }
  soft: { deletionPolicy: soft, gracePeriod: 2d, expiresIn: 1d }`;
      await manifest(text, async (file) => {
        const tenantry = application(bench, { manifest: file });
        const endOf = async (plan: string, ttl?: string) => {
          const { name } = (await tenantry.provision(`${plan} ${ttl}`, { plan, ttl })).database;
          const { expiresAt } = (await bench.claims()).find((claim) => claim.name === name)!;
          return expiresAt && Math.round((Date.parse(expiresAt) - Date.now()) / 86_400_000);
        };
        assert.deepEqual([await endOf("kept"), await endOf("soft"), await endOf("soft", "9d")], [undefined, 3, 9]);
      });
    });
  });

  it("makes nothing that the platform cannot limit so, or whose time is over", async () => {
    await withBench(async (bench) => {
      const cases = [
        [
          "defaults: { sizeLimit: 1gb }",
          "unsupported",
          /^sizeLimit: the manifest asks for it, and local cannot do that/,
        ],
        ["defaults: { expiresAt: 2001-01-01T00:00:00Z }", "invalid-input", /^expiresAt: by the manifest/],
      ] as const;
      for (const [text, code, message] of cases) {
        await manifest(text, async (file) => {
          await assert.rejects(application(bench, { manifest: file }).provision("user-1"), { code, message });
        });
      }
      assert.deepEqual(await bench.databases(), []);
      assert.deepEqual(await bench.claims(), []);
    });
  });
});
