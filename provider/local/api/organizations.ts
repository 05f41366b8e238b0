import { Hono } from "hono";
import type { Context } from "hono";
import { z } from "zod";
import { type Plan, requirePaid } from "../plan";
import { ApiProblem, readBody } from "../problem";
import type { Control } from "../store/control";
import { requireOrganization } from "./authorize";

const change = z.object({
  overages: z.boolean().optional(),
  require_mfa: z.boolean().optional(),
  restore_enabled: z.boolean().optional(),
});

export function organizationsApi(control: Control, plan: Plan): Hono {
  const body = (slug: string): object => {
    const { overages, requireMfa, restoreEnabled } = control.settings.settings(slug);
    return {
      id: `${control.id}/${slug}`,
      name: slug,
      slug,
      type: "team",
      overages,
      require_mfa: requireMfa,
      restore_enabled: restoreEnabled,
      blocked_reads: false,
      blocked_writes: false,
      plan_id: plan.name,
      plan_timeline: "",
      platform: "local",
    };
  };
  return new Hono()
    .get("/", (c) => {
      const grant = c.get("grant");
      const only = grant === "everything" ? undefined : grant.organization;
      return c.json(control.organizations.filter((slug) => only === undefined || slug === only).map(body));
    })
    .get("/:organization", (c) => c.json({ organization: body(organizationOf(c, control)) }))
    .patch("/:organization", async (c) => {
      const slug = organizationOf(c, control);
      const { overages, require_mfa, restore_enabled } = await readBody(c, change);
      // Turso docs: this one is sent alone.
      if (restore_enabled !== undefined && (overages !== undefined || require_mfa !== undefined))
        throw new ApiProblem(400, "restore_enabled cannot be changed together with other settings");
      // Nothing is charged here, but who pays nothing at Turso cannot go over the quotas either.
      if (overages) requirePaid(plan, "overages");
      if (restore_enabled) requirePaid(plan, "restoring deleted databases");
      const now = control.settings.settings(slug);
      control.settings.configure(slug, {
        overages: overages ?? now.overages,
        requireMfa: require_mfa ?? now.requireMfa,
        restoreEnabled: restore_enabled ?? now.restoreEnabled,
      });
      return c.json({ organization: body(slug) });
    })
    .delete("/:organization", (c) => {
      const slug = organizationOf(c, control);
      throw new ApiProblem(
        403,
        `forbidden: organization ${slug} is there because the platform was started with it (--organization)`,
      );
    });
}

/** The slug of the organization that the path names, or 404, or 403 where the call's token is limited to another. */
export function organizationOf(c: Context, control: Control): string {
  const slug = c.req.param("organization") ?? "";
  requireOrganization(c, slug);
  if (!control.organizations.includes(slug)) throw new ApiProblem(404, "organization not found");
  return slug;
}
