import assert from "node:assert/strict";
import { listenForInterrupt } from "../../sdk/cli/schema/interrupt";
import { byFlags, done, head, init, lines, withSchemaScene } from "./schema-scene";

/** The head of every document that is about no template's files. */
const document = { format: 1, scope: "PLATFORM", stack: null, notes: [] };

describe("tenantry schema: what changes a fleet", function () {
  // A start of the command takes seconds on a busy machine.
  this.timeout(240_000);

  describe("apply", () => {
    it("asks first: where nobody can answer it does nothing and says what to pass", async () => {
      await withSchemaScene(async ({ cli, write, make, ledger }) => {
        await write(init);
        await make(["acme"]);
        for (const args of [[], ["--json"]]) {
          const { code, stderr } = await cli("apply", ...byFlags, "acme", ...args);
          assert.equal(code, 1);
          assert.match(stderr, /nothing was done\. Pass --yes\.$/m);
        }
        assert.deepEqual(await ledger("acme"), []);
      });
    });

    it("brings all there, stage by stage, and is done when done again", async () => {
      await withSchemaScene(async ({ cli, write, make, ledger }) => {
        await write({ ...init, ...done });
        await make(["acme", "bolt", "cafe"]);
        const ran = await cli("apply", ...byFlags, "acme,bolt,cafe", "--yes");
        assert.deepEqual([ran.code, ran.stderr], [0, ""]);
        const after = lines(ran.stdout.slice(ran.stdout.indexOf("verify:")));
        assert.deepEqual(
          after.map((line) =>
            line
              .replace(/, \d+(?:\.\d)?\/s/, "")
              .replace(/, ETA \w+/, "")
              .replace(/Ended .*:/, "Ended:"),
          ),
          [
            "verify: 0 of 3 (0 %)",
            "canary: 0 of 3 (0 %)",
            "canary: 1 of 3 (33.3 %)",
            "wave 1 (to 100 %): 1 of 3 (33.3 %)",
            "wave 1 (to 100 %): 2 of 3 (66.7 %)",
            "wave 1 (to 100 %): 3 of 3 (100 %)",
            "ended: 3 of 3 (100 %)",
            "",
            "Ended: 3 migrated.",
          ],
        );
        assert.deepEqual(await ledger("cafe"), ["0001_init", "0002_done"]);
        const again = await cli("apply", ...byFlags, "acme,bolt,cafe", "--yes");
        assert.equal(again.code, 0);
        assert.equal(lines(again.stdout).at(-1), "app: 0 of 3 tenants to be brought to 0002_done, 3 there already.");
      });
    });

    it("destroys nothing that was not allowed by name", async () => {
      await withSchemaScene(async ({ cli, write, make, ledger }) => {
        await write({ ...init, "0002_less.sql": "ALTER TABLE notes DROP COLUMN text;\n" });
        await make(["acme"]);
        const planned = await cli("plan", ...byFlags, "acme");
        assert.equal(planned.code, 2);
        assert.match(planned.stdout, /^ +LOSES DATA: .*notes\.text/m);
        const refused = await cli("apply", ...byFlags, "acme", "--yes");
        assert.equal(refused.code, 1);
        assert.match(
          refused.stderr,
          /would destroy data:\n.*0002_less\.sql, line 1: drop-column: .*\nNo tenant was touched\./,
        );
        assert.match(refused.stderr, /or pass --allow-destructive 0002_less\.\n$/);
        assert.deepEqual(await ledger("acme"), []);
        const allowed = await cli("apply", ...byFlags, "acme", "--yes", "--allow-destructive", "0002_less");
        assert.deepEqual([allowed.code, allowed.stderr], [0, ""]);
        assert.match(allowed.stdout, /^ +LOSES DATA: .*notes\.text.* \(allowed\)$/m);
        assert.deepEqual(await ledger("acme"), ["0001_init", "0002_less"]);
      });
    });

    it("exits with 3 where somebody was left out, and says it in a document too", async () => {
      await withSchemaScene(async ({ bench, cli, write, make }) => {
        await write(init);
        await make(["acme", "bolt"]);
        await bench.api.ok("PATCH", "/databases/bolt/configuration", { block_writes: true });
        const { code, stdout, stderr } = await cli("apply", ...byFlags, "acme,bolt", "--yes", "--json");
        assert.equal(code, 3, stderr);
        const { seconds, template, ...rest } = JSON.parse(stdout) as { seconds: number; template: { target: string } };
        assert.deepEqual([typeof seconds, template.target], ["number", "0001_init"]);
        assert.deepEqual(rest, {
          ...{ format: 1, scope: "PLATFORM", stack: null, planned: 1, stopped: null, error: null, minVersion: null },
          versions: [
            { version: "none", tenants: 1 },
            { version: "0001_init", tenants: 1 },
          ],
          counts: { current: 0, migrated: 1, skipped: 1, failed: 0, quarantined: 0, unknown: 0 },
          tenants: [
            { name: "acme", group: "eu", state: "migrated", version: "0001_init", why: null },
            { name: "bolt", group: "eu", state: "skipped", version: null, why: "its writes are blocked" },
          ],
          notes: [],
        });
        assert.match(stderr, /^ended: 1 of 1 \(100 %\)/m);
      });
    });

    it("a first Ctrl-C ends it between tenants and says so, and the next run goes on", async () => {
      await withSchemaScene(async ({ cli, start, write, make, ledger }) => {
        await write(init);
        await make(["acme", "bolt"]);
        const run = start("apply", ...byFlags, "acme,bolt", "--yes", "--pause-between", "1h");
        await run.says(/^pause: 1 of 2/m);
        run.child.kill("SIGINT");
        const { code, stdout, stderr } = await run.ended;
        assert.equal(code, 1);
        assert.match(
          stdout,
          /^Stopping: tenants under way are finished, no other is begun\. Ctrl-C again ends it at once\.$/m,
        );
        assert.match(stdout, /^Ended .*: 1 migrated, 1 skipped\.\n {2}skipped {2}bolt: the run ended before it$/m);
        assert.match(stderr, /^tenantry: schema "app": 1 of 2 tenants are at 0001_init; somebody asked it to stop\./);
        assert.deepEqual([await ledger("acme"), await ledger("bolt")], [["0001_init"], []]);
        assert.equal((await cli("apply", ...byFlags, "acme,bolt", "--yes")).code, 0);
        assert.deepEqual(await ledger("bolt"), ["0001_init"]);
      });
    });
  });

  it("a first signal is heard, and a second one is nobody's to hold up", () => {
    const before = process.listenerCount("SIGTERM");
    let heard = 0;
    const { signal, close } = listenForInterrupt(() => (heard += 1));
    assert.equal(process.listenerCount("SIGTERM"), before + 1);
    process.emit("SIGTERM");
    assert.deepEqual([signal.aborted, heard, process.listenerCount("SIGTERM")], [true, 1, before]);
    close();
  });

  describe("quarantine", () => {
    it("is shown with file and statement, left out of runs, and ended by release", async () => {
      await withSchemaScene(async ({ bench, cli, write, make, ledger }) => {
        await write(init);
        await make(["acme", "bolt", "cafe"]);
        await cli("apply", ...byFlags, "acme,bolt,cafe", "--yes");
        await write({ "0002_unique.sql": "-- texts are names\nCREATE UNIQUE INDEX by_text ON notes (text);\n" });
        await bench.sql("cafe", "INSERT INTO notes (text) VALUES ('twice'), ('twice')");
        const allow = ["--allow-destructive", "0002_unique"];
        const policy = [...allow, "--on-failure", "quarantine", "--max-failures", "1", "--no-verify"];
        const ran = await cli("apply", ...byFlags, "acme,bolt,cafe", "--yes", ...policy);
        assert.deepEqual([ran.code, ran.stderr], [3, ""]);
        assert.match(
          ran.stdout,
          /^cafe: migrations\/0002_unique\.sql, line 2: .*UNIQUE constraint failed: notes\.text$/m,
        );
        assert.match(ran.stdout, /^Ended .*: 2 migrated, 1 quarantined\.$/m);

        const { code, stdout } = await cli("status", ...byFlags, "acme,bolt,cafe");
        assert.equal(code, 2);
        assert.deepEqual(
          lines(stdout).map((line) => line.replace(/ended \d+s ago/, "ended AGO")),
          [
            ...head(2, 3),
            "app: 3 tenants, to be at 0002_unique",
            "",
            "  0002_unique  ███████████████████████████░░░░░░░░░░░░░  2  66.7 %",
            "  0001_init    █████████████░░░░░░░░░░░░░░░░░░░░░░░░░░░  1  33.3 %",
            "",
            "  2 current, 1 quarantined",
            "",
            "  quarantined  cafe: migrations/0002_unique.sql, line 2: SQLite error: UNIQUE constraint failed: notes.text",
            "                 CREATE UNIQUE INDEX by_text ON notes (text)",
            "",
            "The last run, to 0002_unique, ended AGO: 3 of 3 done (100 %), begun by tenantry schema apply.",
          ],
        );
        assert.match(
          (await cli("plan", ...byFlags, "acme,bolt,cafe")).stdout,
          /^app: 0 of 3 .*\n\nLeft as they are:\n {2}quarantined {2}cafe: /m,
        );

        const wrong = await cli("release", "cafee", "--template", "app");
        assert.deepEqual(
          [wrong.code, wrong.stderr],
          [1, 'tenantry: "cafee" is not in quarantine of template app. Did you mean "cafe"?\n'],
        );
        const released = await cli("release", "cafe", "--template", "app");
        assert.equal(
          lines(released.stdout).at(-1),
          "Released 1 tenant of template app: cafe. The next run tries it again.",
        );
        const all = await cli("release", "--all", "--template", "app");
        assert.deepEqual([all.code, lines(all.stdout).at(-1)], [0, "Nobody is in quarantine of template app."]);
        const none = await cli("release", "--all", "--template", "app", "--json");
        assert.deepEqual(
          [none.code, JSON.parse(none.stdout)],
          [0, { ...document, template: { name: "app" }, released: [] }],
        );
        assert.match((await cli("release", "--template", "app")).stderr, /Name databases, or pass --all\.$/m);
        await bench.sql("cafe", "DELETE FROM notes");
        assert.equal((await cli("apply", ...byFlags, "acme,bolt,cafe", "--yes", ...allow)).code, 0);
        assert.deepEqual(await ledger("cafe"), ["0001_init", "0002_unique"]);
      });
    });
  });

  describe("stop", () => {
    it("ends a run between tenants, waits for it and says which; --watch follows it to its end", async () => {
      await withSchemaScene(async ({ cli, start, write, make, ledger }) => {
        await write(init);
        await make(["acme", "bolt"]);
        const run = start("apply", ...byFlags, "acme,bolt", "--yes", "--pause-between", "1h");
        await run.says(/^pause: 1 of 2/m);
        const watch = start("status", ...byFlags, "acme,bolt", "--watch");
        await watch.says(/^pause: 1 of 2 \(50\.0 %\)/m);
        const under = await cli("status", ...byFlags, "acme,bolt");
        assert.match(
          under.stdout,
          /^Under way to 0001_init: pause, 1 of 2 done \(50\.0 %\), begun \d+s ago by tenantry schema apply\.$/m,
        );
        assert.equal(lines((await cli("stop", "--template", "other")).stdout).at(-1), "No rollout is under way.");

        const stop = await cli("stop");
        assert.deepEqual(
          [stop.code, ...lines(stop.stdout)],
          [
            0,
            "Platform PLATFORM (TENANTRY_PLATFORM).",
            "Asked to stop: app to 0001_init, by tenantry schema apply, pause, 1 of 2 done (50.0 %).",
            "Stopped: app to 0001_init, by tenantry schema apply, 1 of 2 done (50.0 %).",
          ],
        );
        assert.equal((await run.ended).code, 1);
        const watched = await watch.ended;
        assert.equal(watched.code, 2);
        assert.match(
          watched.stdout,
          /^Watching the run to 0001_init, begun by tenantry schema apply\.\n(?:verify: .*\n)?(?:canary: .*\n)?pause: 1 of 2 \(50\.0 %\).*\nended: 1 of 2 \(50\.0 %\)/,
        );
        assert.match(watched.stdout, /^It ended early: somebody asked it to stop\.$/m);
        assert.deepEqual([await ledger("acme"), await ledger("bolt")], [["0001_init"], []]);
      });
    });

    it("says in a document what became of each run: asked, ended, or still going on when nobody waits any longer", async () => {
      await withSchemaScene(async ({ bench, cli, start, write, make }) => {
        await write(init);
        await make(["acme", "bolt"]);
        const run = start("apply", ...byFlags, "acme,bolt", "--yes", "--pause-between", "1h");
        await run.says(/^pause: 1 of 2/m);
        const asked = await cli("stop", "--template", "app", "--no-wait", "--json");
        const { runs, ...rest } = JSON.parse(asked.stdout);
        assert.deepEqual([asked.code, rest], [0, { ...document, error: null }]);
        // The run writes down how far it is once a second.
        const [{ id, done: soFar, ...one }] = runs;
        assert.ok(soFar <= 1);
        assert.deepEqual(one, {
          ...{ template: "app", target: "0001_init", startedBy: "tenantry schema apply", groups: ["eu"] },
          ...{ state: "asked", planned: 2 },
        });
        await run.ended;
        const none = await cli("stop", "--json");
        assert.deepEqual([none.code, JSON.parse(none.stdout)], [0, { ...document, error: null, runs: [] }]);

        // One that lives, and does not listen.
        const registry = (await bench.context().registrySql("eu"))!;
        const soon = new Date(Date.now() + 3_600_000).toISOString();
        const revive = "UPDATE rollouts SET ended_at = NULL, beat_at = ? WHERE id = ?";
        await registry.execute({ sql: revive, args: [soon, id] });
        const late = await cli("stop", "--timeout", "1s", "--json");
        const { error, runs: left } = JSON.parse(late.stdout);
        assert.deepEqual([late.code, left.map((each: { state: string }) => each.state)], [1, ["under way"]]);
        assert.match(error, /^1 rollout had not stopped in time\. Each stops when/);
        const text = await cli("stop", "--timeout", "1s");
        assert.deepEqual([text.code, text.stderr], [1, `tenantry: ${error}\n`]);
      });
    });
  });
});
