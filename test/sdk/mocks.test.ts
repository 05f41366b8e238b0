import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { DatabaseToken, Group, SchemaTemplate, TenantDatabase } from "../../sdk";

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
    try {
      writeFileSync(join(migrations, "0001_init.sql"), "CREATE TABLE notes (id INTEGER PRIMARY KEY);");
      const group = new Group("eu", { location: "local" });
      const schema = new SchemaTemplate("app", { migrations });
      const acme = new TenantDatabase("Acme GmbH", { group, schema });
      const reader = new DatabaseToken("reader", { database: acme });
      const [url, name, of] = await new Promise<unknown[]>((resolve) =>
        pulumi.all([acme.url, acme.name, reader.urn]).apply(resolve),
      );
      assert.equal(url, "libsql://acme.example");
      assert.equal(name, "acme-gmbh");
      assert.match(String(of), /DatabaseToken::reader$/);
      assert.equal(registered["reader"]!["database"], "acme-gmbh");
      assert.match(String(registered["Acme GmbH"]!["self"]), /\/shop\/dev\/Acme GmbH$/);
      assert.equal(registered["Acme GmbH"]!["schema"], registered["app"]!["ref"]);
    } finally {
      rmSync(migrations, { recursive: true, force: true });
    }
  });
});
