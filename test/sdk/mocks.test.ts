import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { ApiToken, DatabaseToken, Group, Invite, Member, SchemaTemplate, TenantDatabase, TenantFleet } from "../../sdk";

describe("a program under Pulumi's mocks", () => {
  it("declares every kind without a platform, so that users can unit-test theirs", async () => {
    const registered: Record<string, Record<string, unknown>> = {};
    await pulumi.runtime.setMocks(
      {
        newResource: ({ name, inputs }) => {
          registered[name] = inputs as Record<string, unknown>;
          return { id: `${name}-id`, state: { ...inputs, url: "libsql://acme.example" } };
        },
        call: ({ inputs }) => inputs as Record<string, unknown>,
      },
      "shop",
      "dev",
    );
    const migrations = mkdtempSync(join(tmpdir(), "tenantry-mocks-"));
    const before = process.cwd();
    // A fleet would write its list there.
    process.chdir(migrations);
    try {
      writeFileSync(join(migrations, "0001_init.sql"), "CREATE TABLE notes (id INTEGER PRIMARY KEY);");
      const group = new Group("eu", { location: "local" });
      const schema = new SchemaTemplate("app", { migrations });
      const acme = new TenantDatabase("Acme GmbH", { group, schema });
      assert.equal(acme.restores, undefined);
      const restoreFrom = { timestamp: "2026-01-01T00:00:00Z", key: "import" };
      const globex = new TenantDatabase("globex", { group, restoreFrom });
      assert.ok(pulumi.Output.isInstance(globex.restores));
      const reader = new DatabaseToken("reader", { database: acme });
      const people = [
        new Member("ada", { username: "ada" }),
        new Invite("grace", { email: "grace@example.com" }),
        new ApiToken("Deploy of the EU", { group }),
      ];
      await new Promise((resolve) => pulumi.all(people.map(({ urn }) => urn)).apply(resolve));
      assert.deepEqual(
        [registered["Deploy of the EU"]!["name"], registered["Deploy of the EU"]!["group"]],
        ["deploy-of-the-eu", "eu"],
      );
      const [url, name, of] = await new Promise<unknown[]>((resolve) =>
        pulumi.all([acme.url, acme.name, reader.urn]).apply(resolve),
      );
      const fleet = new TenantFleet("prod", { group, schema, tenants: ["Acme GmbH"], namePattern: "t-{id}" });
      const found = await new Promise((resolve) =>
        pulumi.all([fleet.tenants, fleet.urn]).apply(([all]) => resolve(all)),
      );
      assert.deepEqual(found, {});
      const { roster, digest, count } = registered["prod"]!;
      assert.deepEqual([roster, count], [".tenantry/fleets/dev/prod", 1]);
      assert.match(String(digest), /^[0-9a-f]{32}$/);
      assert.deepEqual(readdirSync(migrations), ["0001_init.sql"], "no list was written");
      assert.equal(url, "libsql://acme.example");
      assert.equal(name, "acme-gmbh");
      assert.match(String(of), /DatabaseToken::reader$/);
      assert.equal(registered["reader"]!["database"], "acme-gmbh");
      assert.match(String(registered["Acme GmbH"]!["self"]), /\/shop\/dev\/Acme GmbH$/);
      assert.equal(registered["Acme GmbH"]!["schema"], registered["app"]!["ref"]);
    } finally {
      process.chdir(before);
      rmSync(migrations, { recursive: true, force: true });
    }
  });

  it("tells former addresses: its own aliases', and its component's", async () => {
    const registered: Record<string, Record<string, unknown>> = {};
    await pulumi.runtime.setMocks(
      {
        newResource: ({ name, inputs }) => {
          registered[name] = inputs as Record<string, unknown>;
          return { id: `${name}-id`, state: inputs as Record<string, unknown> };
        },
        call: ({ inputs }) => inputs as Record<string, unknown>,
      },
      "shop",
      "dev",
    );
    class Shop extends pulumi.ComponentResource {
      constructor(name: string, opts: pulumi.ComponentResourceOptions = {}) {
        super("my:app:Shop", name, {}, opts);
      }
    }
    const parent = new Shop("shop", { aliases: [{ type: "my:old:Shop" }] });
    const args = { group: "eu" };
    const child = new TenantDatabase("inner", args, { parent, aliases: [{ name: "former" }] });
    const alone = new TenantDatabase("alone", args, { aliases: [{ name: "before" }, { project: "other" }] });
    await new Promise<unknown>((resolve) => pulumi.all([child.urn, alone.urn]).apply(resolve));
    const of = (name: string) =>
      [registered[name]!["self"], ...(registered[name]!["formerly"] as string[])].map(String);
    const stack = "organization/shop/dev";
    assert.deepEqual(of("alone"), [`${stack}/alone`, `${stack}/before`, "organization/other/dev/alone"]);
    const inner = of("inner");
    assert.equal(inner[0], `${stack}/my:app:Shop$inner`);
    assert.ok(inner.includes(`${stack}/my:app:Shop$former`), inner.join());
    assert.ok(inner.includes(`${stack}/my:old:Shop$inner`), inner.join());
  });
});
