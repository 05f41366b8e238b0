import { Hono } from "hono";
import type { Plan } from "../plan";
import type { Control } from "../store/control";
import type { DatabaseFiles } from "../store/database-files";
import type { Usage } from "../store/usage";
import { organizationOf } from "./organizations";
import { databaseUsageBody, measured, noUsage, sumOf } from "./usage-body";

export interface AccountOptions {
  readonly control: Control;
  readonly files: DatabaseFiles;
  readonly usage: Usage;
  readonly plan: Plan;
}

/** What an organization uses, may use, and pays, which is nothing. */
export function accountApi({ control, files, usage, plan }: AccountOptions): Hono {
  return new Hono()
    .get("/plans", (c) => {
      organizationOf(c, control);
      return c.json({ plans: [{ name: plan.name, price: "0", prices: [], quotas: plan.quotas }] });
    })
    .get("/subscription", (c) => {
      const { overages } = control.settings.settings(organizationOf(c, control));
      return c.json({ subscription: { name: plan.name, overages, plan: plan.name, timeline: "" } });
    })
    .get("/invoices", (c) => {
      organizationOf(c, control);
      return c.json({ invoices: [] });
    })
    .get("/usage", (c) => {
      const organization = organizationOf(c, control);
      const groups = control.groups.list(organization);
      const databases = groups
        .flatMap((group) => control.databases.ofGroup(group.id))
        .map((database) => databaseUsageBody(database, measured(usage.of(database.id), files.size(database))));
      const whole = {
        ...databases.map(({ total }) => total).reduce(sumOf, noUsage),
        databases: databases.length,
        groups: groups.length,
        locations: new Set(groups.map((group) => group.location)).size,
      };
      return c.json({ organization: { uuid: `${control.id}/${organization}`, usage: whole, databases } });
    });
}
