import type { Context } from "hono";
import { ApiProblem } from "../problem";
import type { Control } from "../store/control";
import type { DatabaseRow } from "../store/databases";
import type { GroupRow } from "../store/groups";
import { requireGroup } from "./authorize";
import { organizationOf } from "./organizations";

/** The group that the path names, or 404, or 403 where the call's token is limited to another. */
export function groupOf(c: Context, control: Control): GroupRow {
  const group = control.groups.get(organizationOf(c, control), c.req.param("group") ?? "");
  if (!group) throw new ApiProblem(404, "group not found");
  requireGroup(c, group.id);
  return group;
}

/** The database that the path names, or 404, or 403 where the call's token is limited to another group. */
export function databaseOf(c: Context, control: Control): DatabaseRow {
  const asked = c.req.param("database") ?? "";
  const database = control.databases.get(organizationOf(c, control), asked);
  if (!database) throw databaseNotFound(asked);
  requireGroup(c, database.groupId);
  return database;
}

export function databaseNotFound(asked: string): ApiProblem {
  return new ApiProblem(404, `could not find database with name ${asked}: record not found`);
}
