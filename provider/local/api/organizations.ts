import { Hono } from "hono";
import type { Context } from "hono";
import { ApiProblem } from "../problem";
import type { Control } from "../store/control";

export function organizationsApi(control: Control): Hono {
  return new Hono()
    .get("/", (c) => c.json(control.organizations.map(organizationBody)))
    .get("/:organization", (c) => c.json({ organization: organizationBody(organizationOf(c, control)) }));
}

/** The slug of the organization that the path names, or 404. */
export function organizationOf(c: Context, control: Control): string {
  const slug = c.req.param("organization") ?? "";
  if (!control.organizations.includes(slug)) throw new ApiProblem(404, "organization not found");
  return slug;
}

function organizationBody(slug: string): object {
  return {
    name: slug,
    slug,
    type: "team",
    overages: false,
    require_mfa: false,
    blocked_reads: false,
    blocked_writes: false,
    plan_id: "local",
    plan_timeline: "",
    platform: "local",
  };
}
