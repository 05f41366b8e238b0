import { Hono } from "hono";
import type { Tenantry } from "tenantry/client";

/** Whoever your session says it is; a header stands for that here. */
type User = { Variables: { user: string } };

/** Notes, in a database for each user. */
export function createApp(tenantry: Tenantry) {
  const app = new Hono<User>();

  app.use(async (c, next) => {
    const user = c.req.header("x-user");
    if (!user) return c.json({ error: "who are you?" }, 401);
    c.set("user", user);
    await next();
  });

  // Pressed twice, or retried by a proxy, it is the same database.
  app.post("/signup", async (c) => {
    const { created } = await tenantry.provision(c.get("user"), { template: "app" });
    return c.json({ created }, created ? 201 : 200);
  });

  app.post("/notes", async (c) => {
    const db = await tenantry.connect({ subject: c.get("user") });
    await db.execute({ sql: "INSERT INTO notes (text) VALUES (?)", args: [await c.req.text()] });
    return c.body(null, 204);
  });

  app.get("/notes", async (c) => {
    const db = await tenantry.connect({ subject: c.get("user") });
    const { rows } = await db.execute("SELECT text FROM notes ORDER BY id");
    return c.json(rows.map((row) => row["text"]));
  });

  // Nobody can use it from here on, and the rows stay until somebody erases them.
  app.delete("/account", async (c) => {
    const { text } = await tenantry.deprovision(c.get("user"), { erase: false });
    return c.json({ text });
  });

  app.onError((error, c) => {
    const unknown = "code" in error && error.code === "database-not-found";
    return unknown ? c.json({ error: "sign up first" }, 404) : c.json({ error: error.message }, 500);
  });
  return app;
}
