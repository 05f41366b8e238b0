import * as pulumi from "@pulumi/pulumi";
import { SchemaTemplate, TenantDatabase } from "tenantry";
import { subjectName } from "tenantry/client";

// Nothing of this has to be deployed before the first user signs up; the group "eu" exists, and others look after it.
export = async () => {
  const schema = new SchemaTemplate("app", { migrations: "./migrations" });

  // Users whose databases are to be looked after from here on: migrated, protected, kept. Nobody notices.
  const users = new pulumi.Config().getObject<string[]>("users") ?? [];
  const tenants = await Promise.all(
    users.map(async (user) => {
      const name = await subjectName(user);
      return new TenantDatabase(user, { name, group: "eu", schema, adopt: "unowned", deleteProtection: true });
    }),
  );
  return { schemas: pulumi.all(tenants.map((tenant) => tenant.schemaVersion)) };
};
