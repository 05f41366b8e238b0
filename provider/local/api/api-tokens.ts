import { randomBytes } from "node:crypto";
import { Hono } from "hono";
import type { Context } from "hono";
import { z } from "zod";
import { newKey, signToken } from "../jwt";
import { ApiProblem, readBody } from "../problem";
import type { ApiTokenRow } from "../store/api-tokens";
import type { Control } from "../store/control";
import { owner } from "./members";
import { organizationOf } from "./organizations";
import { presets, scopes } from "./scopes";

const names: readonly string[] = [...scopes, ...Object.keys(presets)];
const creation = z.object({
  organization: z.string().optional(),
  group: z.string().optional(),
  scopes: z.array(z.enum(names, `unknown scope: it must be one of ${names.join(", ")}`)).optional(),
});

/** The name in lists of the token that the folder itself has: it may do everything, and nothing can revoke it. */
const ownName = "local";
const validName = /^[\w.-]{1,64}$/;

/** Platform API tokens of the one user there is (Turso docs: API tokens). */
export function apiTokensApi(control: Control): Hono {
  return (
    new Hono()
      // Turso docs: seconds of Unix time, -1 for "never".
      .get("/validate", (c) => c.json({ exp: -1 }))
      // Where @tursodatabase/api asks.
      .get("/api-tokens/validate", (c) => c.json({ exp: -1 }))
      .get("/api-tokens", (c) => c.json({ tokens: [...ownToken(c, control), ...visible(c, control).map(tokenBody)] }))
      .post("/api-tokens/:name", async (c) => {
        const { id, ...shown } = await create(c, control);
        return c.json({ name: c.req.param("name"), id, ...shown });
      })
      .delete("/api-tokens/:name", (c) => {
        const name = c.req.param("name");
        if (name === ownName) throw new ApiProblem(403, "the platform's own API token lasts as long as its folder");
        revoke(
          control,
          visible(c, control).find((token) => token.name === name),
        );
        return c.json({ token: name });
      })
  );
}

/** The tokens of an organization as its administrators see and revoke them: by id, each with its owner. */
export function organizationTokensApi(control: Control): Hono {
  const own = (c: Context): ApiTokenRow[] => {
    const organization = organizationOf(c, control);
    return control.apiTokens.list().filter((token) => token.organization === organization);
  };
  return new Hono()
    .get("/", (c) => c.json({ tokens: own(c).map((token) => ({ ...tokenBody(token), owner })) }))
    .delete("/:id", (c) => {
      const found = own(c).find(({ id }) => id === c.req.param("id"));
      revoke(control, found);
      // Unverified: Turso does not document this call's body.
      return c.json({ token: found?.name });
    });
}

async function create(c: Context, control: Control): Promise<{ id: string; token: string }> {
  const name = c.req.param("name") ?? "";
  const { organization, group: groupName, scopes: asked } = await readBody(c, creation);
  if (!validName.test(name)) throw new ApiProblem(400, "a token's name has 1 to 64 letters, digits, dots or dashes");
  const grant = c.get("grant");
  if (grant !== "everything" && grant.organization !== undefined && grant.organization !== organization)
    throw new ApiProblem(403, `forbidden: a token of organization "${grant.organization}" makes tokens of it only`);
  if (organization !== undefined && !control.organizations.includes(organization))
    throw new ApiProblem(404, "organization not found");
  if (groupName !== undefined && organization === undefined)
    throw new ApiProblem(400, "a group needs its organization");
  if (groupName !== undefined && !asked?.length) throw new ApiProblem(400, "a token of a group needs scopes");
  if (groupName === undefined && asked?.length) throw new ApiProblem(400, "scopes need a group");
  const group = groupName === undefined ? undefined : control.groups.get(organization ?? "", groupName);
  if (groupName !== undefined && !group) throw new ApiProblem(404, "group not found");
  if (name === ownName || control.apiTokens.get(name))
    throw new ApiProblem(409, `an API token with name ${name} already exists`);
  const granted = new Set<string>(asked?.flatMap((one): readonly string[] => presets[one] ?? [one]));
  const id = randomBytes(16).toString("base64url");
  // The id in it tells its bearer which of the listed tokens it is. The key is thrown away: what proves the token is its
  // digest, and nobody can make another one that has it.
  const token = signToken(newKey(), { jti: id, iat: Math.floor(Date.now() / 1000) });
  control.apiTokens.insert(
    {
      id,
      name,
      organization,
      groupId: group?.id,
      scopes: group ? scopes.filter((scope) => granted.has(scope)) : undefined,
      createdAt: new Date().toISOString().slice(0, 10),
    },
    token,
  );
  return { id, token };
}

function revoke(control: Control, token: ApiTokenRow | undefined): void {
  if (!token) throw new ApiProblem(404, "API token not found");
  control.apiTokens.remove(token.id);
}

/** A limited token sees those of its organization, or only itself: names and scopes tell what to attack. */
function visible(c: Context, control: Control): ApiTokenRow[] {
  const grant = c.get("grant");
  const all = control.apiTokens.list();
  if (grant === "everything") return all;
  if (grant.groupId !== undefined) return all.filter(({ id }) => id === grant.id);
  return all.filter(({ organization }) => grant.organization === undefined || organization === grant.organization);
}

function ownToken(c: Context, control: Control): object[] {
  const grant = c.get("grant");
  if (grant !== "everything" && grant.organization !== undefined) return [];
  return [{ name: ownName, id: control.id, created_at: control.createdAt }];
}

/** Turso docs: what does not limit the token is left out; the date is a day. */
function tokenBody({ id, name, organization, groupName, scopes: granted, createdAt }: ApiTokenRow): object {
  return { name, id, organization, group: groupName, scopes: granted, created_at: createdAt };
}
