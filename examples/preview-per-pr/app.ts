import { Hono } from "hono";
import type { Tenantry } from "tenantry/client";

/** A shop's orders. It knows nothing of previews. */
export function createApp(tenantry: Tenantry) {
  const app = new Hono();

  app.get("/:tenant/orders", async (c) => {
    const db = await tenantry.connect(c.req.param("tenant"));
    return c.json((await db.execute("SELECT * FROM orders ORDER BY id")).rows);
  });

  app.post("/:tenant/orders", async (c) => {
    const { email, cents } = await c.req.json<{ email: string; cents: number }>();
    const db = await tenantry.connect(c.req.param("tenant"));
    await db.execute({ sql: "INSERT INTO orders (email, cents) VALUES (?, ?)", args: [email, cents] });
    return c.body(null, 204);
  });

  app.onError((error, c) =>
    c.json({ error: error.message }, "code" in error && error.code === "wrong-scope" ? 403 : 500),
  );
  return app;
}
