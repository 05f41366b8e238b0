import assert from "node:assert/strict";
import Database from "libsql";
import { describe, it } from "mocha";
import { TenantryError } from "../../provider/platform/errors";
import { type MaskPlan, planMask } from "../../provider/preview/mask/plan";
import type { MaskRules } from "../../provider/preview/mask/rules";
import { readSchema } from "../../provider/rollout/schema/read-schema";

async function planOf(rules: MaskRules, ...schema: string[]): Promise<MaskPlan> {
  const database = new Database(":memory:");
  try {
    for (const statement of schema) database.exec(statement);
    const model = await readSchema(async (statements) =>
      statements.map((text) => database.prepare(text).all() as Record<string, unknown>[]),
    );
    return planMask(rules, model, "mask.yaml");
  } finally {
    database.close();
  }
}

const columnsOf = ({ columns }: MaskPlan, table: string) => Object.fromEntries(columns.get(table) ?? []);

async function refusal(rules: MaskRules, ...schema: string[]): Promise<string> {
  const error: unknown = await planOf(rules, ...schema).then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof TenantryError && error.code === "invalid-input", String(error));
  return error.message;
}

describe("What a mask makes of columns", () => {
  const shop = [
    "CREATE TABLE users (email TEXT PRIMARY KEY, name TEXT, phone TEXT NOT NULL, badge TEXT NOT NULL UNIQUE, Nick TEXT UNIQUE)",
    "CREATE TABLE orders (id INTEGER PRIMARY KEY, who TEXT NOT NULL REFERENCES users, cents INT, twice AS (cents * 2))",
    "CREATE TABLE lines (order_id INT REFERENCES orders (id), what TEXT, serial TEXT NOT NULL)",
    "CREATE UNIQUE INDEX by_serial ON lines (serial)",
  ];

  it("nulls what no rule names, and keeps rows together where that cannot be", async () => {
    const plan = await planOf({}, ...shop);
    assert.deepEqual(columnsOf(plan, "users"), {
      ...{ email: "key", name: "null", phone: "blank", badge: "hash", nick: "null" },
    });
    assert.deepEqual(columnsOf(plan, "orders"), { id: "key", who: "key", cents: "null" });
    assert.deepEqual(columnsOf(plan, "lines"), { order_id: "key", what: "null", serial: "hash" });
    assert.deepEqual(
      plan.notes.filter((note) => note.startsWith("users.")),
      [
        "users.email: whole numbers kept, the rest hashed, since rows hang on it",
        "users.phone: blank, since it must not be null",
        "users.badge: hashed, since its values must differ",
      ],
    );
  });

  it("treats columns that refer to each other by the rule of one of them, in whatever case it is written", async () => {
    const plan = await planOf({ Orders: { Who: "hash", ID: "keep" }, USERS: { nick: "keep" } }, ...shop);
    assert.equal(columnsOf(plan, "users")["email"], "hash");
    assert.equal(columnsOf(plan, "lines")["order_id"], "keep");
    assert.equal(columnsOf(plan, "users")["nick"], "keep");
  });

  it("tells all that is wrong with the rules at once", async () => {
    const message = await refusal(
      {
        userz: { name: "keep" },
        users: { emial: "keep", email: "null", phone: "null" },
        orders: { twice: "keep", who: "keep" },
        lines: { order_id: "null" },
      },
      ...shop,
    );
    for (const part of [
      'mask.yaml: there is no table "userz" (did you mean "users"?)',
      'table "users" has no column "emial" (did you mean "email"?)',
      "users.email is a primary key, so it cannot be null: choose keep or hash",
      "users.phone is NOT NULL, so it cannot be null",
      "orders.twice is generated from other columns, whose rules count",
      "Nothing was made.",
    ]) {
      assert.ok(message.includes(part), `${part}\n${message}`);
    }
    assert.match(
      await refusal({ users: { email: "keep" }, orders: { who: "hash" } }, ...shop),
      /columns that refer to each other need one rule: orders\.who hash, users\.email keep/,
    );
  });
});
