import { Hono } from "hono";
import type { Control } from "../store/control";

/** The Platform API token of the folder: one, without an end and without limits. */
export function apiTokensApi(control: Control): Hono {
  return new Hono()
    .get("/validate", (c) => c.json({ exp: -1 }))
    .get("/api-tokens", (c) =>
      c.json({ tokens: [{ name: "local", id: control.id, organization: "", group: "", scopes: [], created_at: "" }] }),
    );
}
