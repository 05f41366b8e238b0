import { Hono } from "hono";
import type { Context } from "hono";
import { z } from "zod";
import { ApiProblem, readBody } from "../problem";
import type { Control } from "../store/control";
import { organizationOf } from "./organizations";

const addition = z.looseObject({ username: z.string("a username is required") });

/** The one user there is, who owns every organization. */
export const owner = { username: "local", email: "" };

/** Members of an organization (Turso docs): its owner. Nobody else has an account here who could be added. */
export function membersApi(control: Control): Hono {
  const member = { ...owner, role: "owner" };
  const found = (c: Context): void => {
    organizationOf(c, control);
    // Turso docs: 404 for a user that is not there.
    if (c.req.param("username") !== owner.username) throw new ApiProblem(404, "user not found");
  };
  const add = (username: string): never => {
    if (username === owner.username) throw new ApiProblem(409, `user ${owner.username} is already a member`);
    throw new ApiProblem(404, "user not found: the embedded platform has no accounts but its owner's");
  };
  return (
    new Hono()
      .get("/", (c) => {
        organizationOf(c, control);
        return c.json({ members: [member] });
      })
      .post("/", async (c) => {
        organizationOf(c, control);
        return add((await readBody(c, addition)).username);
      })
      .get("/:username", (c) => {
        found(c);
        return c.json({ member });
      })
      // Where @tursodatabase/api sends what the docs have without a name in the path.
      .post("/:username", (c) => {
        organizationOf(c, control);
        return add(c.req.param("username"));
      })
      .on(["PATCH", "DELETE"], "/:username", (c) => {
        found(c);
        throw new ApiProblem(403, "forbidden: the owner of an organization stays what they are");
      })
  );
}

/** Invites to an organization (Turso docs: version 2 of the API): none, since no mail leaves this machine. */
export function invitesApi(control: Control): Hono {
  return new Hono()
    .get("/", (c) => {
      organizationOf(c, control);
      return c.json({ invites: [] });
    })
    .post("/", (c) => {
      organizationOf(c, control);
      throw new ApiProblem(400, "the embedded platform invites nobody: it sends no mail");
    })
    .delete("/:email", (c) => {
      organizationOf(c, control);
      throw new ApiProblem(404, "invite not found");
    });
}
