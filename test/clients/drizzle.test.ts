import assert from "node:assert/strict";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import type { Client } from "@libsql/client" with { "resolution-mode": "import" };
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import { serveDatabase, type ServedDatabase } from "./served-database";

// ES modules, which a CommonJS one can only import late.
const load = async () => ({
  ...(await import("@libsql/client")),
  ...(await import("drizzle-orm/libsql")),
  ...(await import("drizzle-orm/libsql/migrator")),
  ...(await import("drizzle-orm/sqlite-core")),
  ...(await import("drizzle-orm")),
});
type Modules = Awaited<ReturnType<typeof load>>;

function tables({ sqliteTable, integer, text, real, blob, relations }: Modules) {
  const users = sqliteTable("users", {
    id: integer("id").primaryKey({ autoIncrement: true }),
    name: text("name").notNull().unique(),
    settings: text("settings", { mode: "json" }).$type<{ dark: boolean }>(),
    active: integer("active", { mode: "boolean" }).notNull().default(true),
    born: integer("born", { mode: "timestamp_ms" }),
    balance: blob("balance", { mode: "bigint" }),
    score: real("score"),
    photo: blob("photo", { mode: "buffer" }),
  });
  const posts = sqliteTable("posts", {
    id: integer("id").primaryKey(),
    author: integer("author")
      .notNull()
      .references(() => users.id),
    title: text("title").notNull(),
  });
  const ofUsers = relations(users, ({ many }) => ({ posts: many(posts) }));
  const ofPosts = relations(posts, ({ one }) => ({
    writer: one(users, { fields: [posts.author], references: [users.id] }),
  }));
  return { users, posts, ofUsers, ofPosts };
}

// As drizzle-kit writes them.
const migrations = {
  "meta/_journal.json": JSON.stringify({
    version: "7",
    dialect: "sqlite",
    entries: [
      { idx: 0, version: "6", when: 1_700_000_000_000, tag: "0000_first", breakpoints: true },
      { idx: 1, version: "6", when: 1_700_000_100_000, tag: "0001_second", breakpoints: true },
    ],
  }),
  "0000_first.sql":
    "CREATE TABLE `users` (`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL, `name` text NOT NULL, `settings` text, " +
    "`active` integer DEFAULT true NOT NULL, `born` integer, `balance` blob, `score` real, `photo` blob);\n" +
    "--> statement-breakpoint\nCREATE UNIQUE INDEX `users_name_unique` ON `users` (`name`);",
  "0001_second.sql":
    "CREATE TABLE `posts` (`id` integer PRIMARY KEY NOT NULL, `author` integer NOT NULL, `title` text NOT NULL, " +
    "FOREIGN KEY (`author`) REFERENCES `users`(`id`) ON UPDATE no action ON DELETE no action);",
};

describe("drizzle-orm on the embedded platform", function () {
  this.timeout(120_000);
  let modules: Modules;
  let served: ServedDatabase;
  let folder: string;
  let client: Client;

  before(async () => {
    modules = await load();
    served = await serveDatabase();
    folder = await mkdtemp(path.join(tmpdir(), "tenantry-drizzle-"));
    await mkdir(path.join(folder, "meta"));
    for (const [name, text] of Object.entries(migrations)) await writeFile(path.join(folder, name), text);
  });
  after(async () => {
    await served.close();
    await rm(folder, { recursive: true, force: true });
  });

  const open = () => {
    const schema = tables(modules);
    const db = modules.drizzle(client, { schema });
    return { db, ...schema };
  };
  beforeEach(async () => {
    client = modules.createClient({ url: await served.another(), authToken: served.token });
    await modules.migrate(open().db, { migrationsFolder: folder });
  });
  afterEach(() => client.close());

  it("migrates from a generated folder, once", async () => {
    const { db } = open();
    await modules.migrate(db, { migrationsFolder: folder });
    const applied = await db.all(modules.sql`SELECT created_at FROM __drizzle_migrations ORDER BY 1`);
    assert.deepEqual(applied, [{ created_at: 1_700_000_000_000 }, { created_at: 1_700_000_100_000 }]);
  });

  it("keeps nothing of a migration that fails", async () => {
    const broken = await mkdtemp(path.join(tmpdir(), "tenantry-drizzle-"));
    try {
      await mkdir(path.join(broken, "meta"));
      const entries = [{ idx: 0, version: "6", when: 1_800_000_000_000, tag: "0002_broken", breakpoints: true }];
      await writeFile(
        path.join(broken, "meta", "_journal.json"),
        JSON.stringify({ version: "7", dialect: "sqlite", entries }),
      );
      await writeFile(
        path.join(broken, "0002_broken.sql"),
        "CREATE TABLE `half` (`x` integer);\n--> statement-breakpoint\nALTER TABLE `nowhere` ADD `y` integer;",
      );
      const { db } = open();
      await assert.rejects(modules.migrate(db, { migrationsFolder: broken }), /no such table|Failed/);
      assert.deepEqual(await db.values(modules.sql`SELECT name FROM sqlite_schema WHERE name = 'half'`), []);
      assert.equal((await db.values(modules.sql`SELECT 1 FROM __drizzle_migrations`)).length, 2);
    } finally {
      await rm(broken, { recursive: true, force: true });
    }
  });

  it("writes and reads every kind of column, with returning", async () => {
    const { db, users } = open();
    const row = {
      name: "Åsa",
      settings: { dark: true },
      active: false,
      born: new Date(1_234_567_890_123),
      balance: 2n ** 100n,
      score: 1.25,
      photo: Buffer.from([0, 255]),
    };
    const [made] = await db.insert(users).values(row).returning();
    assert.deepEqual(made, { id: 1, ...row });
    assert.deepEqual(await db.select().from(users), [{ id: 1, ...row }]);
    const [changed] = await db.update(users).set({ score: 2 }).where(modules.eq(users.name, "Åsa")).returning();
    assert.equal(changed?.score, 2);
    const again = await db
      .insert(users)
      .values({ name: "Åsa" })
      .onConflictDoUpdate({ target: users.name, set: { active: true } })
      .returning({ id: users.id, active: users.active });
    assert.deepEqual(again, [{ id: 1, active: true }]);
    const gone = await db.delete(users).where(modules.eq(users.id, 1));
    assert.equal(gone.rowsAffected, 1);
  });

  it("joins, groups and follows relations", async () => {
    const { db, users, posts } = open();
    await db.insert(users).values([{ name: "a" }, { name: "b" }]);
    await db.insert(posts).values([1, 1, 2].map((author, i) => ({ author, title: `p${i}` })));
    const counted = await db
      .select({ name: users.name, posts: modules.count(posts.id) })
      .from(users)
      .leftJoin(posts, modules.eq(posts.author, users.id))
      .groupBy(users.id)
      .orderBy(users.name);
    assert.deepEqual(counted, [
      { name: "a", posts: 2 },
      { name: "b", posts: 1 },
    ]);
    const found = await db.query.users.findFirst({ with: { posts: { columns: { title: true } } } });
    assert.deepEqual(found?.posts, [{ title: "p0" }, { title: "p1" }]);
  });

  it("commits, rolls back and nests transactions, and batches", async () => {
    const { db, users } = open();
    await db.transaction(async (tx) => {
      await tx.insert(users).values({ name: "kept" });
      await assert.rejects(
        tx.transaction(async (inner) => {
          await inner.insert(users).values({ name: "nested" });
          inner.rollback();
        }),
      );
    });
    await assert.rejects(
      db.transaction(async (tx) => {
        await tx.insert(users).values({ name: "undone" });
        throw new Error("no");
      }),
      /no/,
    );
    const [, listed] = await db.batch([
      db.insert(users).values({ name: "batch" }),
      db.select({ name: users.name }).from(users).orderBy(users.id),
    ]);
    assert.deepEqual(listed, [{ name: "kept" }, { name: "batch" }]);
    await assert.rejects(db.batch([db.insert(users).values({ name: "x" }), db.insert(users).values({ name: "x" })]));
    assert.equal(await db.$count(users), 2);
  });

  it("prepares statements with placeholders", async () => {
    const { db, users } = open();
    await db.insert(users).values({ name: "a" });
    const byName = db
      .select()
      .from(users)
      .where(modules.eq(users.name, modules.sql.placeholder("name")))
      .prepare();
    assert.equal((await byName.get({ name: "a" }))?.id, 1);
    assert.equal(await byName.get({ name: "b" }), undefined);
  });
});
