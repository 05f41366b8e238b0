import assert from "node:assert/strict";
import { TenantryError } from "../../provider/platform/errors";
import { packFleet } from "../../provider/resources/tenant-fleet/pack";
import { drawPlan } from "../../sdk/cli/fleet/plan-drawing";
import { member, recordsOf } from "../support/fleet-scene";
import { withFleetCli } from "./fleet-cli-scene";
import { done, init, lines } from "./schema-scene";

const head = "Stack organization/shop/dev (selected in this folder). Platform PLATFORM (TENANTRY_PLATFORM).";

describe("tenantry fleet: what would happen, and how it stands", function () {
  // A start of the command takes seconds on a busy machine.
  this.timeout(240_000);

  it("plan: says against the program's last roster who is made, changed, brought up and removed", () =>
    withFleetCli(async ({ bench, cli, declare, up, schema, deployed }) => {
      const one = await schema(init);
      const ids = ["acme", "bolt", "cafe", "dora"];
      await up(declare(ids.map((id) => member(id, { schema: one }))));
      await deployed();
      const nothing = await cli("plan");
      assert.deepEqual([nothing.code, nothing.stderr], [0, ""]);
      assert.match(nothing.stdout, /^prod: its state against what the program declared at 20[-\d]+T[\d:.]+Z\.$/m);
      assert.equal(lines(nothing.stdout).at(-1), "Nothing to do: 4 stay as they are.");

      const two = await schema({ ...init, ...done });
      declare([
        member("acme", { schema: two, labels: { ring: "beta" }, suspended: true }),
        ...["bolt", "cafe"].map((id) => member(id, { schema: two })),
        ...["elm", "fig"].map((id) => member(id, { schema: two })),
      ]);
      const { code, stdout } = await cli("plan", "prod");
      assert.equal(code, 2);
      assert.deepEqual(lines(stdout.replace(/declared at \S+\./, "declared.")), [
        head,
        "prod: its state against what the program declared.",
        "",
        "  create  2  in eu                                  elm, fig",
        "  change  1  suspended, labels                      acme",
        "  bring   3  to 0002_done                           acme, bolt, cafe",
        "  remove  1  its database is deleted with its data  dora",
        "",
        "0 stay as they are.",
      ]);
      const json = await cli("plan", "--json");
      const { against, bring, ...rest } = JSON.parse(json.stdout) as Record<string, unknown> & { against: object };
      assert.deepEqual(Object.keys(against), ["manifest", "writtenAt"]);
      assert.deepEqual(bring, [
        {
          template: "app",
          version: "0002_done",
          tenants: ["acme", "bolt", "cafe"].map((id) => ({ id, name: `t-${id}`, from: "0001_init" })),
        },
      ]);
      assert.deepEqual(rest, {
        ...{ format: 1, scope: "PLATFORM", stack: "organization/shop/dev", fleet: "prod", tenants: 5, unchanged: 0 },
        create: ["elm", "fig"].map((id) => ({ id, name: `t-${id}`, group: "eu", version: "0002_done" })),
        change: [{ id: "acme", name: "t-acme", state: "ready", properties: ["suspended", "labels"] }],
        replace: [],
        remove: [{ id: "dora", name: "t-dora", group: "eu", database: "deleted" }],
        ...{ unfinished: [], findings: [], refusal: null, notes: [] },
      });
      assert.deepEqual((await bench.databases()).sort(), ids.map((id) => `t-${id}`).sort());
    }));

  it("plan: against a manifest as it is now, also one that a deploy would refuse, in at most 25 lines", () =>
    withFleetCli(async ({ cli, declare, up, deployed, write }) => {
      const ids = Array.from({ length: 13 }, (_, i) => `tenant-${String(i + 1).padStart(2, "0")}`);
      await up(declare(ids.map((id) => ({ id, name: id, group: "eu" }))));
      await deployed();
      const manifest = (tenants: string) =>
        `version: 1\ndefaults: { group: eu, schema: app }\nschemas:\n  app: { migrations: ./migrations }\n${tenants}`;
      await write({
        "migrations/0001_init.sql": init["0001_init.sql"],
        "tenants.yaml": manifest("tenants:\n  tenant-01:\n  new: { labels: { ring: beta } }\n"),
      });
      const { code, stdout } = await cli("plan", "--manifest", "tenants.yaml");
      assert.equal(code, 2);
      assert.deepEqual(lines(stdout), [
        head,
        "prod: its state against tenants.yaml.",
        "",
        "  create   1  in eu                                  new",
        "  change   1  schema                                 tenant-01",
        "  bring    1  to 0001_init                           tenant-01",
        "  remove  12  its database is deleted with its data  tenant-02, tenant-03, tenant-04, tenant-05 and 8 more",
        "",
        "0 stay as they are.",
        "",
        "It cannot be deployed like this.",
        `tenants: 12 of 13 tenants would be removed (more than 10): ${ids.slice(1).join(", ")}. Put them back; if another resource is to have them, run \`npx tenantry move\` first; or, if they are to go, allow it for one run with TENANTRY_MAX_REMOVALS=12 in the environment.`,
      ]);
      await write({ "tenants.yaml": "version: 1\ntenants: { new: }\n" });
      const ungrouped = await cli("plan", "--manifest", "tenants.yaml");
      assert.equal(ungrouped.code, 1);
      assert.match(ungrouped.stderr, /tenants\.yaml:2:\d+: tenants\.new: no group is named/);
      assert.equal((await cli("plan", "--manifest", "tenants.yaml", "--group", "eu")).code, 2);
      await write({ "tenants.yaml": "version: 1\ntenants: { new: { group: eu } }\n" });
      const fresh = await cli("plan", "next", "--manifest", "tenants.yaml");
      assert.deepEqual(
        [fresh.code, lines(fresh.stdout).slice(3)],
        [2, ["  create  1  in eu  new", "", "0 stay as they are."]],
      );
      const slip = await cli("plan", "prd");
      assert.equal(slip.code, 1);
      assert.match(slip.stderr, /has no fleet "prd"\. Did you mean "prod"\? Name one of: prod\./);
    }));

  it("plan: without credentials by state and roster alone, and says so", () =>
    withFleetCli(async ({ bare, declare, up, deployed }) => {
      await up(declare(["acme", "bolt"].map((id) => member(id))));
      await deployed();
      declare([member("acme"), member("cafe")]);
      const { code, stdout } = await bare("plan");
      assert.equal(code, 2);
      assert.deepEqual(lines(stdout.replace(/declared at \S+\./, "declared.")), [
        "Stack organization/shop/dev (selected in this folder).",
        "The platform is not configured here, so that what it would refuse is not foreseen.",
        ...["prod: its state against what the program declared.", ""],
        "  create  1  in eu                                  cafe",
        "  remove  1  its database is deleted with its data  bolt",
        ...["", "1 stays as it is."],
      ]);
    }));

  it("plan: whatever happens, at most 25 lines with the first ones by name", () => {
    const tenants = Array.from({ length: 9_000 }, (_, i) => member(`t${i}`, { group: `g${i % 7}` }));
    const both = tenants.map((tenant, i) => {
      const { group, labels = {} } = { ...tenant, ...(i % 3 === 0 ? { labels: { ring: "a" } } : {}) };
      const record = { ...tenant, state: i % 5 === 0 ? ("failed" as const) : ("ready" as const), databaseId: "a" };
      return { tenant, record: { ...record, hostname: "a", incarnation: "a", profile: { group, labels } } };
    });
    const versions = ["1", "2", "3", "4", "5"].map((version) => [`app@${version} aa copy migrations`, both] as const);
    const changes = {
      ...{ create: tenants, change: both, replace: both, bring: new Map(versions) },
      remove: both.map(({ record }) => record),
    };
    const refusal = new TenantryError("needs-decision", "one\ntwo\nthree\nfour\nfive");
    const open = both.map(({ record }) => ({ record, why: "why" }));
    const rest = { tenants: 9_000, unchanged: 1_000, otherwise: "delete" as const, findings: [], refusal };
    const drawn = drawPlan({ changes, ...rest }, { open }, { width: 80, colours: false, live: false });
    assert.deepEqual(drawn.slice(0, 2), [
      "  create                  1,286  in g0                                  t0, t7, t14, t21 and 1,282 more",
      "  create                  7,714  otherwise                              t1, t8, t15, t22 and 7,710 more",
    ]);
    assert.deepEqual(drawn.slice(-12), [
      ...["", "1,000 stay as they are.", "", "9,000 not as declared:", "  failed  t0  why", "  ready   t1  why"],
      ...["  and 8,998 more", "", "It cannot be deployed like this.", "one", "two", "five"],
    ]);
    assert.ok(drawn.length + 3 <= 25, String(drawn.length));
  });

  it("status and show: from state alone, with states, versions and reasons", () =>
    withFleetCli(async ({ bench, cli, declare, up, schema, state, deployed }) => {
      const one = await schema(init);
      await up(declare(["acme", "bolt", "cafe"].map((id) => member(id, { schema: one, labels: { ring: id } }))));
      await deployed();
      await bench.platform.close();
      const good = await cli("status");
      assert.equal(good.code, 0);
      const stackLine = "Stack organization/shop/dev (selected in this folder).";
      assert.deepEqual(lines(good.stdout), [
        ...[stackLine, "", "prod: 3 tenants, to be at 0001_init", ""],
        ...["  ready  3", "", "by schema version:", "  0001_init  3"],
      ]);
      const records = Object.values(recordsOf(state().outputs)).map((record) =>
        record.id === "bolt" ? { ...record, state: "quarantined" as const } : record,
      );
      const counts = { ...state().outputs.counts, ready: 2, quarantined: 1 };
      const unfinished = [{ id: "bolt", state: "quarantined", why: "UNIQUE constraint failed: notes.text" }];
      await deployed({ packed: packFleet(records), counts, unfinished, open: 1 });
      const bad = await cli("status", "prod");
      assert.equal(bad.code, 2);
      assert.deepEqual(lines(bad.stdout).slice(3), [
        ...["", "  ready        2", "  quarantined  1", "", "by schema version:", "  0001_init  3", ""],
        ...["1 not as declared:", "  quarantined  bolt  UNIQUE constraint failed: notes.text"],
      ]);
      const only = await cli("status", "--state", "quarantined");
      assert.deepEqual(lines(only.stdout).slice(2), ["prod: 1 of 3 tenants quarantined", "  bolt"]);
      const document = JSON.parse((await cli("status", "--json")).stdout) as {
        fleets: { tenants: { id: string }[] }[];
      };
      assert.deepEqual(
        document.fleets[0]!.tenants.map(({ id }) => id),
        ["acme", "bolt", "cafe"],
      );

      const { databaseId } = recordsOf(state().outputs)["bolt"]!;
      const url = state().outputs.urls.replace("{name}", "t-bolt");
      const shown = await cli("show", "bolt");
      assert.deepEqual(lines(shown.stdout), [
        "fleet        prod",
        "tenant       bolt",
        "database     t-bolt",
        "group        eu",
        "state        quarantined",
        `url          ${url}`,
        `database id  ${databaseId}`,
        "version      0001_init",
        "why          UNIQUE constraint failed: notes.text",
        "labels       ring=bolt",
      ]);
      const byName = JSON.parse((await cli("show", "t-acme", "--json")).stdout) as object;
      assert.deepEqual(byName, {
        ...{ format: 1, fleet: "prod", id: "acme", name: "t-acme", group: "eu", state: "ready" },
        url: url.replace("bolt", "acme"),
        databaseId: recordsOf(state().outputs)["acme"]!.databaseId,
        ...{ version: "0001_init", expiresAt: null, labels: { ring: "acme" }, why: null },
      });
      const none = await cli("show", "blt");
      assert.deepEqual(
        [none.code, none.stderr],
        [1, 'tenantry: There is no tenant "blt" in "prod". Did you mean "bolt"?\n'],
      );
    }));

  it("says where there is no fleet, or several", () =>
    withFleetCli(async ({ cli }) => {
      const { code, stderr } = await cli("status");
      assert.equal(code, 1);
      assert.match(stderr, /^tenantry: Stack organization\/shop\/dev has no TenantFleet in its state\./);
    }));
});
