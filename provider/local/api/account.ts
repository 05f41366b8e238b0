import { Hono } from "hono";
import type { Control } from "../store/control";
import type { DatabaseFiles } from "../store/database-files";
import { organizationOf } from "./organizations";

/** One plan, which costs nothing and limits nothing (Turso docs: null is "unlimited"). */
const plan = {
  name: "local",
  price: "0",
  prices: [],
  quotas: {
    rowsRead: null,
    rowsWritten: null,
    databases: null,
    locations: null,
    storage: null,
    groups: null,
    bytesSynced: null,
  },
};

/** What an organization uses, and may use. */
export function accountApi(control: Control, files: DatabaseFiles): Hono {
  return new Hono()
    .get("/plans", (c) => {
      organizationOf(c, control);
      return c.json({ plans: [plan] });
    })
    .get("/subscription", (c) => {
      organizationOf(c, control);
      return c.json({ subscription: { name: plan.name, overages: false, plan: plan.name, timeline: "" } });
    })
    .get("/usage", (c) => {
      const organization = organizationOf(c, control);
      const groups = control.groups.list(organization);
      const databases = groups
        .flatMap((group) => control.databases.ofGroup(group.id))
        .map((database) => ({ uuid: database.id, instances: [], total: measured(files.size(database)) }));
      const usage = {
        ...measured(databases.reduce((sum, { total }) => sum + total.storage_bytes, 0)),
        databases: databases.length,
        groups: groups.length,
        locations: new Set(groups.map((group) => group.location)).size,
      };
      return c.json({ organization: { uuid: `${control.id}/${organization}`, usage, databases } });
    });
}

/** Rows and synced bytes are what a bill is made of; nothing is billed here, so they are not counted. */
function measured(storage_bytes: number) {
  return { rows_read: 0, rows_written: 0, storage_bytes, bytes_synced: 0 };
}
