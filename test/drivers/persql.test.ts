import assert from "node:assert/strict";
import { persqlPlatform } from "../../provider/drivers/persql";
import { catalogueName } from "../../provider/drivers/persql/catalogue";
import { asked, failure, mint, one, open, platformOf } from "../support/persql/driver";
import { slugOf } from "../support/persql/namespace";
import { withPersql } from "../support/persql/server";

describe("persql driver", () => {
  it("calls tenants' databases by their subjects, others by their slugs, and no branch at all", async () => {
    await withPersql(async (persql) => {
      const platform = platformOf(persql);
      persql.namespace.create("by-hand", "Made by hand");
      await platform.createDatabase({ name: "bolt", group: "acme" });
      await platform.createDatabase({ name: "tenantry-registry-acme", group: "acme" });
      const parent = persql.namespace.databases.get("by-hand")!;
      persql.namespace.create("by-hand-pr", "branch", { branchRef: "pr", forkedFrom: parent.id });
      const names: string[] = [];
      for await (const { name } of platform.listDatabases()) names.push(name);
      assert.deepEqual(names.sort(), ["bolt", "by-hand", catalogueName, "tenantry-registry-acme"].sort());
      const bolt = await platform.getDatabase("bolt");
      assert.equal(bolt?.hostname, `acme/${slugOf("bolt")}`);
      assert.equal(await platform.getDatabase(slugOf("bolt")), undefined);
      assert.equal((await platform.getDatabase("by-hand"))?.hostname, "acme/by-hand");
      // Another process knows as much.
      assert.equal((await platformOf(persql).getDatabase("bolt"))?.id, bolt?.id);
    });
  });

  it("mints nothing by looking, and makes nothing by minting", async () => {
    await withPersql(async (persql) => {
      const platform = platformOf(persql);
      await platform.createDatabase({ name: "bolt", group: "acme" });
      const before = persql.effects.length;
      for await (const _ of platform.listDatabases());
      await platform.getDatabase("bolt");
      await platform.getConfiguration("bolt");
      await platform.account();
      assert.deepEqual(persql.effects.slice(before), []);
      const error = await failure(platform.mintToken({ database: "gone" }, { access: "read-only", lifetime: 60 }));
      assert.equal(error.code, "database-not-found");
      persql.namespace.create("by-hand", "by hand");
      const noSubject = await failure(mint(platform, "by-hand", "read-only"));
      assert.equal(noSubject.code, "unsupported");
      assert.match(noSubject.message, /"by-hand" was made in another way/);
      assert.deepEqual(persql.effects.slice(before), []);
    });
  });

  it("gives a subject that had a database to whoever may take it over, under its name", async () => {
    await withPersql(
      async (persql) => {
        const platform = platformOf(persql);
        const body = { subject: "bolt" };
        const headers = { authorization: `Bearer ${persql.adminToken}`, "content-type": "application/json" };
        await fetch(`${persql.url}/v1/users`, { method: "POST", headers, body: JSON.stringify(body) });
        assert.equal(await platform.getDatabase("bolt"), undefined);
        const taken = await failure(platform.createDatabase({ name: "bolt", group: "acme" }));
        assert.deepEqual([taken.code, taken.afterLostReply], ["already-exists", false]);
        const found = await platform.getDatabase("bolt");
        assert.equal(found?.id, persql.namespace.databases.get(slugOf("bolt"))!.id);
        await mint(platform, "bolt", "read-write");
      },
      // Its id is then looked up.
      { tellsIds: false },
    );
  });

  it("makes its catalogue once, whichever process is first", async () => {
    await withPersql(async (persql) => {
      const names = ["a", "b", "c", "d"];
      await Promise.all(names.map((name) => platformOf(persql).createDatabase({ name, group: "acme" })));
      const found = await Promise.all(names.map((name) => platformOf(persql).getDatabase(name)));
      assert.deepEqual(
        found.map((database) => database?.name),
        names,
      );
    });
  });

  it("asks once for many tokens", async () => {
    await withPersql(async (persql) => {
      const names = Array.from({ length: 20 }, (_, i) => `t${i}`);
      await Promise.all(names.map((name) => platformOf(persql).createDatabase({ name, group: "acme" })));
      const platform = platformOf(persql);
      const before = persql.requests.length;
      for (const name of names) await mint(platform, name, "read-only");
      // Whom it belongs to, what there is, and which subject has what; then a call a token.
      assert.equal(persql.requests.length - before, 3 + names.length);
    });
  });

  it("sees that a subject's database was deleted in the console, and made anew", async () => {
    await withPersql(async (persql) => {
      const platform = platformOf(persql);
      const first = await platform.createDatabase({ name: "bolt", group: "acme" });
      persql.namespace.deleteInConsole(slugOf("bolt"));
      assert.equal(await platform.getDatabase("bolt"), undefined);
      assert.equal((await failure(mint(platform, "bolt", "read-only"))).code, "database-not-found");
      const second = await platform.createDatabase({ name: "bolt", group: "acme" });
      assert.notEqual(second.id, first.id);
      assert.equal((await platform.getDatabase("bolt"))?.id, second.id);
    });
  });

  it("says so where the call for a token has made an empty database", async () => {
    let deletes = false;
    await withPersql(
      async (persql) => {
        const platform = platformOf(persql);
        await platform.createDatabase({ name: "bolt", group: "acme" });
        deletes = true;
        const error = await failure(mint(platform, "bolt", "read-only"));
        assert.equal(error.code, "database-not-found");
        assert.ok(error.afterLostReply);
        assert.match(error.message, /was deleted in this moment, and asking for its token has made an empty one/);
      },
      {
        meet({ path }, answer, { namespace }) {
          if (deletes && path === "/v1/users") namespace.deleteInConsole(slugOf("bolt"));
          return answer();
        },
      },
    );
  });

  it("says of a delete that nothing was deleted", async () => {
    await withPersql(async (persql) => {
      const platform = platformOf(persql);
      await platform.createDatabase({ name: "bolt", group: "acme" });
      const error = await failure(platform.deleteDatabase("bolt"));
      assert.equal(error.code, "unsupported");
      assert.match(error.message, /"bolt" is still there\. Delete it in PerSQL's console/);
      assert.ok(await platform.getDatabase("bolt"));
      await platform.deleteDatabase("gone");
      await platform.deleteGroup("gone");
      assert.equal((await failure(platform.deleteGroup("acme"))).code, "unsupported");
    });
  });

  it("has one group, the token's namespace, and knows regions by their names", async () => {
    await withPersql(async (persql) => {
      const platform = platformOf(persql);
      assert.deepEqual(
        (await platform.listGroups()).map(({ name, id }) => [name, id]),
        [["acme", persql.namespace.id]],
      );
      const make = (name: string, location: string) => failure(platform.createGroup({ name, location }));
      assert.equal((await make("acme", "auto")).code, "already-exists");
      assert.match((await make("eu", "auto")).message, /the token's is "acme"\. Declare the Group with name: "acme"/);
      assert.deepEqual(
        [(await make("acme", "weur")).code, (await make("acme", "mars")).code],
        ["unsupported", "unknown-location"],
      );
      assert.match((await make("acme", "mars")).message, /"mars" \(it has auto, wnam, .*me\)/);
      const elsewhere = await failure(platform.createDatabase({ name: "bolt", group: "eu" }));
      assert.deepEqual([elsewhere.code, elsewhere.fix], ["group-not-found", 'Use group: "acme".']);
      assert.equal(asked(persql).filter((call) => call === "GET /v1/me").length, 1);
    });
  });

  it("tells whom a token belongs to, and refuses that of another namespace", async () => {
    await withPersql(async (persql) => {
      const platform = platformOf(persql);
      assert.equal(platform.knownScope(), undefined);
      assert.deepEqual(await platform.scope(), {
        platform: "persql",
        organization: "acme",
        host: new URL(persql.url).host,
      });
      assert.equal((await platform.account()).grant?.enoughFor, "every deploy");
      const small = platformOf(persql, persql.namespace.mint({ role: "write" }));
      const { grant } = await small.account();
      assert.deepEqual(
        [grant?.scopes, grant?.missing, grant?.enoughFor],
        [["role write"], ["role admin"], "no deploy"],
      );
      const refused = await failure(small.createDatabase({ name: "bolt", group: "acme" }));
      assert.deepEqual([refused.code, persql.namespace.databases.size], ["forbidden", 0]);
      const other = persqlPlatform({ apiUrl: persql.url, apiToken: persql.adminToken, organization: "globex" });
      assert.deepEqual(other.knownScope(), { ...(await platform.scope()), organization: "globex" });
      assert.equal((await failure(other.scope())).code, "wrong-scope");
      const wrong = platformOf(persql, "psql_live_wrong");
      const error = await failure(wrong.scope());
      assert.equal(error.code, "credentials-rejected");
      assert.ok(!error.message.includes("psql_live_wrong"));
    });
  });

  it("has an error of its own for an empty balance, which stops everything", async () => {
    await withPersql(async (persql) => {
      const platform = platformOf(persql);
      const bolt = await platform.createDatabase({ name: "bolt", group: "acme" });
      persql.namespace.balance = 0;
      const works = [
        () => platform.createDatabase({ name: "nuts", group: "acme" }),
        () => open(platform, bolt).execute(one),
      ];
      for (const work of works) {
        const error = await failure(work());
        assert.equal(error.code, "plan-refused");
        assert.match(error.message, /prepaid balance is used up.*in PerSQL's console/);
      }
    });
  });

  it("waits as long as the flood guard says", async () => {
    await withPersql(async (persql) => {
      persql.namespace.flood = { calls: 1, retryAfter: 1 };
      const before = Date.now();
      await platformOf(persql).scope();
      assert.ok(Date.now() - before >= 950);
    });
  }).timeout(10_000);

  it("lists more than one page, and does not take a list that is cut short for a whole one", async () => {
    for (const [largestPage, whole] of [
      [1_000, true],
      [100, false],
    ] as const) {
      await withPersql(
        async (persql) => {
          const platform = platformOf(persql);
          const names = Array.from({ length: 104 }, (_, i) => `t${i}`);
          await Promise.all(names.map((name) => platform.createDatabase({ name, group: "acme" })));
          const list = async (): Promise<string[]> => {
            const found: string[] = [];
            for await (const { name } of platform.listDatabases()) found.push(name);
            return found;
          };
          if (whole)
            return assert.deepEqual((await list()).filter((name) => name !== catalogueName).sort(), names.sort());
          const error = await failure(list());
          assert.equal(error.code, "unsupported");
          assert.match(error.message, /lists only 100 databases.*several namespaces/);
        },
        { largestPage },
      );
    }
  }).timeout(20_000);
});
