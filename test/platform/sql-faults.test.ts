import assert from "node:assert/strict";
import { type ErrorCode, TenantryError } from "../../provider/platform/errors";
import { type Sql, type SqlOptions, SqlError, openSql } from "../../provider/platform/sql";
import { isBlocked } from "../../provider/platform/sql-failure";
import {
  type Script,
  type ScriptedReply,
  type ScriptedServer,
  refusingUrl,
  withScriptedServer,
} from "../support/scripted-server";
import { virtualClock } from "../support/virtual-clock";

const secret = "a-token-that-nobody-may-see";
const select = { sql: "SELECT 1", args: [] };
const insert = { sql: "INSERT INTO t VALUES (1)", args: [] };

const one = {
  cols: [{ name: "1", decltype: null }],
  rows: [[{ type: "integer", value: "1" }]],
  affected_row_count: 0,
  last_insert_rowid: null,
};

/** What a libSQL server answers to one statement. */
const answer: ScriptedReply = {
  json: {
    baton: null,
    base_url: null,
    results: [
      { type: "ok", response: { type: "execute", result: one } },
      { type: "ok", response: { type: "close" } },
    ],
  },
};

const inBand = (code: string, message: string): ScriptedReply => ({
  json: {
    baton: null,
    base_url: null,
    results: [
      { type: "error", error: { message, code } },
      { type: "ok", response: { type: "close" } },
    ],
  },
});

async function withSql(
  script: Script,
  use: (sql: Sql, server: ScriptedServer) => Promise<void>,
  options: Partial<SqlOptions> = {},
): Promise<void> {
  await withScriptedServer(script, async (server) => {
    const sql = openSql({ url: `${server.url}/db/acme/`, token: async () => secret, ...options });
    try {
      await use(sql, server);
    } finally {
      sql.close();
    }
  });
}

async function failure(work: Promise<unknown>): Promise<Error> {
  const error = await work.then(
    () => assert.fail("it succeeded"),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof Error, String(error));
  assert.ok(!`${error.stack} ${JSON.stringify(error)}`.includes(secret), "it holds the token");
  return error;
}

async function refusal(work: Promise<unknown>, code: ErrorCode): Promise<TenantryError> {
  const error = await failure(work);
  assert.ok(error instanceof TenantryError, String(error));
  assert.equal(error.code, code, error.message);
  return error;
}

describe("openSql on a host in trouble", () => {
  // What each trouble becomes, and how often a statement is sent that may (not) run twice.
  const faults: [string, ScriptedReply, ErrorCode, once: number, often: number][] = [
    ["401", { status: 401, json: { error: `no: Bearer ${secret}` } }, "credentials-rejected", 2, 2],
    ["402", { status: 402, json: { error: "upgrade your plan" } }, "plan-refused", 1, 1],
    ["403", { status: 403, json: { error: "address not allowed" } }, "forbidden", 1, 1],
    ["404", { status: 404, text: "Namespace doesn't exist" }, "not-ready", 1, 1],
    ["418", { status: 418, text: secret }, "bad-answer", 1, 1],
    ["500", { status: 500, text: "boom" }, "unavailable", 1, 5],
    ["503 of a proxy", { status: 503, text: "<html>busy</html>" }, "unavailable", 1, 12],
    ["a redirect", { status: 302, headers: { location: "https://elsewhere.example" } }, "bad-answer", 1, 1],
    ["HTML", { text: "<html>hello</html>" }, "bad-answer", 1, 3],
    ["JSON of something else", { json: { hello: 1 } }, "bad-answer", 1, 3],
    ["no results", { json: { baton: null, base_url: null, results: [] } }, "bad-answer", 1, 3],
    ["an empty answer", { text: "" }, "bad-answer", 1, 3],
    ["a lost connection", { fault: "drop" }, "unreachable", 1, 5],
    ["half an answer", { ...answer, fault: "truncate" }, "unreachable", 1, 5],
  ];
  for (const [title, reply, code, once, often] of faults) {
    it(`${title}: "${code}"`, async () => {
      await withSql(
        () => reply,
        async (sql, server) => {
          await refusal(sql.execute(insert), code);
          assert.equal(server.requests.length, once, "a write was sent more often");
          await refusal(sql.batch([insert], "write"), code);
          assert.equal(server.requests.length, 2 * once, "a batch was sent more often");
          await refusal(sql.execute(insert, { idempotent: true }), code);
          assert.equal(server.requests.length, 2 * once + often);
        },
        { clock: virtualClock() },
      );
    });
  }

  it("stops waiting at its timeout and does not send a write again", async () => {
    await withSql(
      () => ({ ...answer, fault: "stall" }),
      async (sql, server) => {
        const error = await refusal(sql.execute(insert), "timed-out");
        assert.equal(error.afterLostReply, true);
        assert.equal(server.requests.length, 1);
      },
      { timeout: 100 },
    );
  });

  it("keeps the platform's words about plans", async () => {
    await withSql(
      () => ({ status: 402, json: { error: "reads exceeded: upgrade to Scaler" } }),
      async (sql) => {
        const error = await refusal(sql.execute(select), "plan-refused");
        assert.equal(error.platformText, "reads exceeded: upgrade to Scaler");
      },
    );
  });

  it("reads SELECT again without being told", async () => {
    await withSql(
      ({ attempt }) => (attempt === 1 ? { fault: "drop" } : answer),
      async (sql, server) => {
        assert.deepEqual((await sql.execute(select)).rows, [{ "1": 1 }]);
        assert.equal(server.requests.length, 2);
      },
    );
  });

  it("sends a write again that was only asked to come later", async () => {
    await withSql(
      ({ attempt }) => (attempt === 1 ? { status: 429, headers: { "retry-after": "0.01" } } : answer),
      async (sql, server) => {
        await sql.execute(insert);
        assert.equal(server.requests.length, 2);
      },
    );
  });

  it("sends idempotent work again to a busy database", async () => {
    await withSql(
      ({ attempt }) => (attempt === 1 ? inBand("SQLITE_BUSY", "database is locked") : answer),
      async (sql, server) => {
        await sql.execute(insert, { idempotent: true });
        assert.equal(server.requests.length, 2);
      },
    );
  });

  it("keeps what SQLite says, and its code", async () => {
    await withSql(
      () => inBand("SQLITE_CONSTRAINT", "UNIQUE constraint failed: t.a"),
      async (sql, server) => {
        const error = await failure(sql.execute(insert, { idempotent: true }));
        assert.ok(error instanceof SqlError);
        assert.deepEqual([error.message, error.code], ["UNIQUE constraint failed: t.a", "SQLITE_CONSTRAINT"]);
        assert.equal(server.requests.length, 1);
      },
    );
  });

  for (const [where, reply] of [
    ["in an answer", inBand("BLOCKED", "writes are blocked")],
    ["instead of one", { status: 400, json: { message: "writes are blocked", code: "BLOCKED" } }],
  ] as const) {
    it(`tells of a block ${where} in words for people`, async () => {
      await withSql(
        () => reply,
        async (sql, server) => {
          const error = await refusal(sql.execute(insert), "forbidden");
          assert.equal(server.requests.length, 1);
          assert.match(error.message, /\/db\/acme: writes are blocked\. Lift the block, or check the plan's quota\.$/);
          assert.deepEqual([error.platformText, isBlocked(error)], ["writes are blocked", true]);
        },
      );
    });
  }

  it("does not follow the server to another origin with the token", async () => {
    await withScriptedServer(
      () => answer,
      async (other) => {
        await withSql(
          () => ({ json: { ...(answer.json as object), base_url: other.url, baton: "b" } }),
          async (sql) => {
            await sql.execute(select);
            assert.equal(other.requests.length, 0);
          },
        );
      },
    );
  });

  it("refuses an address that is none", () => {
    assert.throws(() => openSql({ url: "file:x.db", token: async () => secret }), { code: "invalid-input" });
  });

  it("says so when it was closed", async () => {
    await withSql(
      () => answer,
      async (sql, server) => {
        sql.close();
        assert.match((await failure(sql.execute(select))).message, /closed by this program/);
        assert.match((await failure(sql.ready())).message, /closed by this program/);
        assert.equal(server.requests.length, 0);
      },
    );
  });

  it("passes on what minting the token meets", async () => {
    const token = async () => {
      throw new TenantryError("plan-refused", "No tokens for you.");
    };
    await withSql(
      () => answer,
      async (sql) => void (await refusal(sql.execute(select), "plan-refused")),
      { token },
    );
  });

  describe("a refused token", () => {
    const tokens = () => {
      const asked: (boolean | undefined)[] = [];
      let current = 1;
      return {
        asked,
        token: async (refused?: boolean) => {
          asked.push(refused);
          if (refused) current += 1;
          return `token-${current}`;
        },
      };
    };
    const accepts = (good: string): Script => {
      return ({ headers }) => (headers.authorization === `Bearer ${good}` ? answer : { status: 401 });
    };

    it("is minted anew once", async () => {
      const { asked, token } = tokens();
      await withSql(
        accepts("token-2"),
        async (sql, server) => {
          await sql.execute(insert);
          assert.deepEqual(
            server.requests.map(({ headers }) => headers.authorization),
            ["Bearer token-1", "Bearer token-2"],
          );
          assert.equal(asked.filter((refused) => refused).length, 1);
        },
        { token },
      );
    });

    it("is minted once for many statements at the same time", async () => {
      const { asked, token } = tokens();
      await withSql(
        accepts("token-2"),
        async (sql) => {
          await Promise.all(Array.from({ length: 16 }, () => sql.execute(insert)));
          assert.equal(asked.filter((refused) => refused).length, 1);
        },
        { token },
      );
    });

    it("is told when the new one is refused too", async () => {
      const { asked, token } = tokens();
      await withSql(
        accepts("none"),
        async (sql) => {
          await refusal(sql.execute(insert), "credentials-rejected");
          assert.equal(asked.filter((refused) => refused).length, 1);
        },
        { token },
      );
    });
  });
});

describe("ready", () => {
  const notYet: [string, ScriptedReply][] = [
    ["404", { status: 404 }],
    ["502", { status: 502, text: "<html>bad gateway</html>" }],
    ["429", { status: 429 }],
    ["a lost connection", { fault: "drop" }],
    ["HTML", { text: "<html>soon</html>" }],
    ["a database file that cannot be opened", inBand("SQLITE_CANTOPEN", "unable to open database file")],
  ];
  for (const [title, reply] of notYet) {
    it(`waits through ${title}`, async () => {
      await withSql(
        ({ attempt }) => (attempt <= 2 ? reply : answer),
        async (sql, server) => {
          await Promise.all([sql.ready(), sql.ready()]);
          await sql.ready();
          assert.equal(server.requests.length, 3);
        },
      );
    });
  }

  it("asks nothing of a database that has answered", async () => {
    await withSql(
      () => answer,
      async (sql, server) => {
        await sql.execute(select);
        await sql.ready();
        assert.equal(server.requests.length, 1);
      },
    );
  });

  it("takes a database whose reads are blocked for ready", async () => {
    await withSql(
      () => inBand("BLOCKED", "reads are blocked"),
      async (sql, server) => {
        await sql.ready();
        await sql.ready();
        assert.equal(server.requests.length, 1);
      },
    );
  });

  it("gives up at its deadline and says what it last met", async () => {
    await withSql(
      () => ({ status: 404, text: "Namespace doesn't exist" }),
      async (sql, server) => {
        const began = Date.now();
        const error = await refusal(sql.ready(300), "not-ready");
        assert.ok(Date.now() - began < 2_000);
        assert.match(error.message, /within 0\.3 s.*Namespace doesn't exist/);
        assert.ok(server.requests.length > 1);
        // Forgotten: a later call looks again.
        await refusal(sql.ready(1), "not-ready");
      },
    );
  });

  it("gives up at its deadline on a host that swallows requests", async () => {
    await withSql(
      () => ({ fault: "stall" }),
      async (sql) => void (await refusal(sql.ready(200), "not-ready")),
    );
  });

  it("gives up at its deadline where nothing listens", async () => {
    const sql = openSql({ url: await refusingUrl(), token: async () => secret });
    await refusal(sql.ready(200), "not-ready");
    sql.close();
  });

  for (const [status, code] of [
    [401, "credentials-rejected"],
    [403, "forbidden"],
  ] as const) {
    it(`does not wait for a ${status} to pass`, async () => {
      await withSql(
        () => ({ status }),
        async (sql) => void (await refusal(sql.ready(), code)),
      );
    });
  }
});
