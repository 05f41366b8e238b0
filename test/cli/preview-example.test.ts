import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { Command } from "commander";
import { ensureSchema } from "../../sdk/client";
import { manifestCommand } from "../../sdk/cli/manifest";
import { previewCommand } from "../../sdk/cli/preview";
import { findActionlint } from "../../tools/actionlint/find-actionlint";
import { mint } from "../local/api-caller";
import { type Bench, withBench } from "../support/bench";
import { canHave } from "../support/can-have";
import { startExample } from "../support/example-app";
import { type ScriptedRequest, withScriptedServer } from "../support/scripted-server";
import {
  type Knowledge,
  type Ran,
  commandsIn,
  gitLabJobsFor,
  jobsFor,
  readGitLab,
  readWorkflow,
  runGitHubJob,
  runGitLabJob,
} from "./pipeline";
import { runCli } from "./run-cli";

const example = path.resolve(__dirname, "..", "..", "examples", "preview-per-pr");
const workflows = ["preview", "deploy", "reap"];
const fileOf = (name: string): string => path.join(example, ".github", "workflows", `${name}.yaml`);
const gitLabFile = path.join(example, ".gitlab-ci.yml");

/** What a pull request of the repository's own people, or of a fork, is to a workflow. */
const event = (action: string, { from = "acme/shop", login = "ada" } = {}): Knowledge => ({
  github: {
    ...{ repository: "acme/shop", base_ref: "main", token: "github-token" },
    event: { action, pull_request: { number: 7, head: { repo: { full_name: from } }, user: { login } } },
  },
});

describe("examples/preview-per-pr: its pipelines", function () {
  this.timeout(120_000);

  it("are right in the eyes of actionlint", async function () {
    const title = "the workflow files of examples/preview-per-pr, by actionlint";
    if (!(await canHave(title, () => findActionlint()))) return this.skip();
    // With the shell's own checker it would say other things on other machines.
    const flags = ["-no-color", "-shellcheck=", "-pyflakes="];
    const all = workflows.map(fileOf);
    await promisify(execFile)(await findActionlint(), [...flags, ...all]);
    const folder = await mkdtemp(path.join(tmpdir(), "tenantry-actionlint-"));
    try {
      const wrong = path.join(folder, "wrong.yaml");
      await writeFile(wrong, (await readFile(fileOf("preview"), "utf8")).replace("steps.preview.", "steps.previw."));
      await assert.rejects(
        promisify(execFile)(await findActionlint(), [...flags, wrong]),
        ({ stdout }: Error & { stdout: string }) => /previw/.test(stdout),
      );
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it("let a job do no more than it needs, and one at a time", async () => {
    const writes: string[] = [];
    for (const name of workflows) {
      const { permissions, concurrency, jobs } = await readWorkflow(fileOf(name));
      assert.deepEqual(permissions, {}, name);
      assert.equal(concurrency["cancel-in-progress"], false, name);
      for (const [job, { permissions: own = {}, steps }] of Object.entries(jobs)) {
        for (const [what, access] of Object.entries(own)) if (access !== "read") writes.push(`${name}.${job} ${what}`);
        for (const { uses } of steps) if (uses) assert.match(uses, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/, `${name}.${job}`);
        // A secret is for one step, not for what `npm ci` starts.
        const given = JSON.stringify({ ...jobs[job], steps: undefined });
        assert.doesNotMatch(given, /secrets\./, `${name}.${job}`);
      }
    }
    assert.deepEqual(writes, ["preview.branches pull-requests", "preview.down pull-requests", "deploy.up id-token"]);
    const { concurrency } = await readWorkflow(fileOf("preview"));
    assert.equal(concurrency.group, "preview-${{ github.event.pull_request.number }}");
    const { jobs } = await readGitLab(gitLabFile);
    assert.equal(jobs["branches"]!.resource_group, "preview-$CI_MERGE_REQUEST_IID");
    assert.equal(jobs["down"]!.resource_group, jobs["branches"]!.resource_group);
    assert.deepEqual(jobs["branches"]!.environment, {
      ...{ name: "preview/$CI_MERGE_REQUEST_IID", on_stop: "down", auto_stop_in: "1 week" },
    });
  });

  it("start what an event asks for, and nothing with secrets for a fork", async () => {
    const preview = await readWorkflow(fileOf("preview"));
    for (const action of ["opened", "synchronize", "reopened"]) {
      assert.deepEqual(jobsFor(preview, event(action)), ["branches"]);
    }
    assert.deepEqual(jobsFor(preview, event("closed")), ["down"]);
    for (const action of ["opened", "closed"]) {
      assert.deepEqual(jobsFor(preview, event(action, { from: "mallory/shop" })), ["without-secrets"]);
      assert.deepEqual(jobsFor(preview, event(action, { login: "dependabot[bot]" })), ["without-secrets"]);
    }
    const told = await runGitHubJob(preview, "without-secrets", event("opened"), { folder: tmpdir(), env: {} });
    assert.match(told.log, /^::notice title=No preview::A pull request from a fork is given no secrets/m);

    const gitLab = await readGitLab(gitLabFile);
    const request = { CI_PIPELINE_SOURCE: "merge_request_event", CI_MERGE_REQUEST_IID: "7", CI_DEFAULT_BRANCH: "main" };
    const of = (source: string) => ({ CI_MERGE_REQUEST_SOURCE_PROJECT_ID: source, CI_MERGE_REQUEST_PROJECT_ID: "1" });
    assert.deepEqual(gitLabJobsFor(gitLab, { ...request, ...of("1") }), ["branches", "down"]);
    assert.deepEqual(gitLabJobsFor(gitLab, { ...request, ...of("2") }), ["without-secrets"]);
    const onMain = { CI_COMMIT_BRANCH: "main", CI_DEFAULT_BRANCH: "main" };
    assert.deepEqual(gitLabJobsFor(gitLab, { ...onMain, CI_PIPELINE_SOURCE: "push" }), ["up"]);
    assert.deepEqual(gitLabJobsFor(gitLab, { ...onMain, CI_PIPELINE_SOURCE: "schedule" }), ["reap"]);
  });

  it("call the command with options that it has", async () => {
    const gitLab = await readGitLab(gitLabFile);
    const scripts = Object.values(gitLab.jobs).flatMap(({ script, after_script = [] }) => [...script, ...after_script]);
    for (const name of workflows) {
      const { jobs } = await readWorkflow(fileOf(name));
      scripts.push(...Object.values(jobs).flatMap(({ steps }) => steps.map(({ run = "" }) => run)));
    }
    const calls = commandsIn(scripts);
    const verbs = new Set<string>();
    for (const [noun, verb, ...words] of calls) {
      const command = [previewCommand(), manifestCommand()]
        .find((one) => one.name() === noun)
        ?.commands.find((one: Command) => one.name() === verb);
      assert.ok(command, `tenantry ${noun} ${verb}`);
      verbs.add(`${noun} ${verb}`);
      const known = command.options.map(({ long }) => long);
      for (const word of words.filter((one) => one.startsWith("--")))
        assert.ok(known.includes(word), `${verb} ${word}`);
    }
    assert.deepEqual([...verbs].sort(), [
      "manifest validate",
      "preview comment",
      "preview down",
      "preview reap",
      "preview up",
    ]);
  });
});

interface Scene {
  readonly bench: Bench;
  readonly folder: string;
  readonly env: NodeJS.ProcessEnv;
  /** A token of the platform with no more than the pipelines say that it needs. */
  readonly apiToken: string;
  readonly rows: (database: string) => Promise<Record<string, unknown>[]>;
  /** Names of the pull request's databases, in the order of their tenants. */
  readonly branches: () => Promise<string[]>;
}

const fleet = ["shop-acme", "shop-globex", "shop-initech"];
/** Beside the fleet's own first migration, as a pull request adds it. */
const added = {
  "0002_paid.sql": "ALTER TABLE orders ADD COLUMN paid INTEGER NOT NULL DEFAULT 0;\nUPDATE orders SET paid = cents;\n",
};

/** The example in a folder of its own, with its fleet as the last deploy left it, and a pull request's migration. */
async function withExample(use: (scene: Scene) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), "tenantry-preview-"));
  try {
    await withBench(async (bench) => {
      await cp(example, folder, { recursive: true });
      await symlink(path.join(example, "..", "..", "node_modules"), path.join(folder, "node_modules"), "junction");
      const migrations = path.join(folder, "migrations");
      for (const name of fleet) {
        await bench.api.ok("POST", "/databases", { name, group: "eu" });
        const authToken = await mint(bench.api, `databases/${name}`);
        await ensureSchema({ url: bench.platform.databaseUrl(name), authToken, migrations });
        await bench.sql(name, `INSERT INTO orders (email, cents) VALUES ('ada@${name}.example', 500)`);
      }
      for (const [name, text] of Object.entries(added)) await writeFile(path.join(migrations, name), text);
      const scopes = ["read", "db:create", "db:delete", "db:mint-token", "group:mint-token"];
      const body = { organization: "local", group: "eu", scopes };
      const answer = await fetch(`${bench.platform.url}/v1/auth/api-tokens/pipeline`, {
        ...{
          method: "POST",
          headers: { authorization: `Bearer ${bench.platform.apiToken}` },
          body: JSON.stringify(body),
        },
      });
      const { token } = (await answer.json()) as { token: string };
      await use({
        ...{ bench, folder, apiToken: token },
        env: { TENANTRY_PLATFORM: "local", TENANTRY_ORGANIZATION: "local", TENANTRY_API_URL: bench.platform.url },
        rows: (database) => bench.sql(database, "SELECT * FROM orders ORDER BY id"),
        branches: async () => (await bench.databases(true)).filter((name) => name.startsWith("tenantry-pr-")).sort(),
      });
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Comment {
  readonly id: number;
  body: string;
  readonly author: string;
}

/** Comments of pull request 7, as GitHub and GitLab answer for them; somebody else's is there from the beginning. */
async function withComments(use: (url: string, comments: Comment[]) => Promise<void>): Promise<void> {
  const marker = "<!-- tenantry-preview acme/shop#7 -->";
  const comments: Comment[] = [{ id: 1, body: `${marker}\nforged`, author: "mallory" }];
  const shown = ({ id, body, author }: Comment) => ({ id, body, user: { login: author }, author: { id: author } });
  const answer = ({ method, path: at, body, headers }: ScriptedRequest) => {
    const gitLab = at.startsWith("/projects/1/") || at === "/user";
    const token = gitLab ? headers["private-token"] : headers["authorization"];
    if (token !== (gitLab ? "notes-token" : "Bearer github-token")) return { status: 401, json: {} };
    const me = gitLab ? "bot" : "github-actions[bot]";
    if (at === "/user") return { json: { id: me } };
    const id = Number(/\/(?:comments|notes)\/(\d+)$/.exec(at)?.[1]);
    if (method === "GET") return { json: comments.map(shown) };
    const { body: text } = body as { body: string };
    if (method === "POST") return (comments.push({ id: comments.length + 1, body: text, author: me }), { json: {} });
    const found = comments.find((one) => one.id === id);
    if (!found || method !== (gitLab ? "PUT" : "PATCH")) return { status: 404, json: {} };
    found.body = text;
    return { json: {} };
  };
  await withScriptedServer(answer, ({ url }) => use(url, comments));
}

/** Nobody who reads a log, a comment or a report learns a token. */
function assertNoToken(ran: Ran, ...others: string[]): void {
  const log = ran.log.split("\n").filter((line) => !line.startsWith("::add-mask::"));
  for (const text of [log.join("\n"), ...others]) assert.doesNotMatch(text, /eyJ[\w-]{20,}/);
}

/** Whoever runs the pipelines: what a push, and the end, are there. */
interface Host {
  readonly name: string;
  push(): Promise<Ran>;
  close(): Promise<Ran>;
  reap(): Promise<Ran>;
}

const hosts: Record<string, (scene: Scene, url: string) => Promise<Host>> = {
  async GitHub({ folder, env, apiToken }, url) {
    const preview = await readWorkflow(fileOf("preview"));
    const reap = await readWorkflow(fileOf("reap"));
    const surroundings = { folder, env: { ...env, GITHUB_API_URL: url, GITHUB_REPOSITORY: "acme/shop" } };
    const secrets = { TENANTRY_API_TOKEN: apiToken };
    const run = (action: string) => {
      const known = { ...event(action), secrets };
      const [job] = jobsFor(preview, known);
      return runGitHubJob(preview, job!, known, surroundings);
    };
    return {
      name: "github-actions[bot]",
      push: () => run("synchronize"),
      close: () => run("closed"),
      reap: () => runGitHubJob(reap, "reap", { secrets }, surroundings),
    };
  },
  async GitLab({ folder, env, apiToken }, url) {
    const file = await readGitLab(gitLabFile);
    const variables = {
      ...{ CI_API_V4_URL: url, CI_PROJECT_PATH: "acme/shop", CI_MERGE_REQUEST_PROJECT_ID: "1" },
      ...{ CI_MERGE_REQUEST_IID: "7", NOTES_TOKEN: "notes-token", TENANTRY_API_TOKEN: apiToken },
    };
    const run = (job: string) => runGitLabJob(file, job, variables, { folder, env });
    return { name: "bot", push: () => run("branches"), close: () => run("down"), reap: () => run("reap") };
  },
};

describe("examples/preview-per-pr: its application", function () {
  this.timeout(600_000);

  it("serves the branches' rows and not production's with TENANTRY_PREVIEW, and the reverse without it", async () => {
    await withExample(async ({ bench, folder, env, rows, branches }) => {
      const own = { ...env, TENANTRY_API_TOKEN: bench.platform.apiToken };
      const up = "preview up acme --manifest tenants.yaml --data copy --repository acme/shop --pull-request 7";
      const made = await runCli([...up.split(" "), "--to-env-file", "preview.env"], { cwd: folder, env: own });
      assert.equal(made.code, 0, made.stderr);
      const value = /^TENANTRY_PREVIEW=(\S+)$/m.exec(await readFile(path.join(folder, "preview.env"), "utf8"))![1]!;
      const [branch] = await branches();
      const order = { email: "eve@example.test", cents: 7 };

      const served = async (more: NodeJS.ProcessEnv) => {
        const app = startExample("preview-per-pr/server.ts", bench.platform, { PORT: "0", ...more });
        const address = await app.printed(/http:\/\/127\.0\.0\.1:\d+/);
        const ask = async (tenant: string, init?: RequestInit) => fetch(`${address}/${tenant}/orders`, init);
        return { ask, stop: () => app.stop() };
      };
      const post = { method: "POST", body: JSON.stringify(order) };

      const preview = await served({ TENANTRY_PREVIEW: value, TENANTRY_API_URL: "", TENANTRY_API_TOKEN: "" });
      try {
        assert.equal((await preview.ask("acme", post)).status, 204);
        assert.deepEqual(await (await preview.ask("acme")).json(), await rows(branch!));
        const refused = await preview.ask("globex");
        assert.equal(refused.status, 403);
        assert.match(await refused.text(), /has no branch of this tenant; there is acme\./);
      } finally {
        await preview.stop();
      }
      assert.deepEqual([(await rows(branch!)).length, (await rows("shop-acme")).length], [2, 1]);

      const production = await served({});
      try {
        assert.equal((await production.ask("acme", post)).status, 204);
        assert.equal((await production.ask("acme", post)).status, 204);
        assert.equal(((await (await production.ask("acme")).json()) as unknown[]).length, 3);
        assert.equal((await production.ask("globex")).status, 200);
      } finally {
        await production.stop();
      }
      assert.deepEqual([(await rows(branch!)).length, (await rows("shop-acme")).length], [2, 3]);
    });
  });
});

describe("examples/preview-per-pr: a pull request", function () {
  // Each step starts a program or two.
  this.timeout(600_000);

  for (const [name, on] of Object.entries(hosts)) {
    it(`is opened, pushed to and closed on ${name}: branches come, stay and go, and one comment says how`, async () => {
      await withExample(async (scene) => {
        await withComments(async (url, comments) => {
          const { folder, rows, branches } = scene;
          const host = await on(scene, url);
          const before = await Promise.all(fleet.map(rows));

          const opened = await host.push();
          assert.equal(opened.code, 0, `${opened.log}\n${comments.at(-1)!.body}`);
          assert.match(opened.log, /^acme: 1 orders\nglobex: 1 orders$/m);
          const made = await branches();
          assert.equal(made.length, 2, "of the tenants that are labelled");
          const [order] = await rows(made[0]!);
          assert.deepEqual([order?.["cents"], order?.["paid"]], [500, 500]);
          assert.doesNotMatch(String(order?.["email"]), /ada|example/);
          assert.deepEqual(
            comments.map(({ author }) => author),
            ["mallory", host.name],
          );
          assert.match(comments[1]!.body, /2 of 2 ready: copies with masked rows\./);
          assert.match(comments[1]!.body, /\| `acme` \| `0002_paid` \|/);
          assertNoToken(opened, comments[1]!.body, await readFile(path.join(folder, "preview.json"), "utf8"));

          // Another push: what testers did on the branches stays, its migration is tried, and fails on one tenant's data.
          await scene.bench.sql(made[0]!, "INSERT INTO orders (email, cents) VALUES ('a tester', 1)");
          await scene.bench.sql("shop-globex", "UPDATE orders SET cents = 0");
          await scene.bench.sql(made[1]!, "UPDATE orders SET cents = 0");
          await writeFile(
            path.join(folder, "migrations", "0003_positive.sql"),
            "CREATE TABLE paid (cents INTEGER CHECK (cents > 0));\nINSERT INTO paid SELECT cents FROM orders;\n",
          );
          const failed = await host.push();
          assert.notEqual(failed.code, 0, failed.log);
          assert.deepEqual(await branches(), made);
          assert.equal((await rows(made[0]!)).length, 2);
          assert.equal(comments.length, 2, "the same comment");
          assert.match(comments[1]!.body, /^\*\*A migration fails on 1 tenant\.\*\* 1 of 2 ready/m);
          assert.match(comments[1]!.body, /\| `globex` \|.*\*\*failed\*\* at `0003_positive`/);
          assert.match(comments[1]!.body, /0003_positive\.sql, line 2: .*CHECK constraint failed/);

          const closed = await host.close();
          assert.equal(closed.code, 0, closed.log);
          assert.deepEqual(await branches(), []);
          assert.equal(comments.length, 2, "the same comment");
          assert.match(
            comments[1]!.body,
            /^<!-- tenantry-preview acme\/shop#7 -->\n.*\n\nDeleted: nothing is left of them\.$/m,
          );
          const last = comments.pop();
          const again = await host.close();
          assert.equal(again.code, 0, again.log);
          assert.equal(comments.length, 1, "no last words where there were no first ones");
          comments.push(last!);
          const changed = before.map((all, i) => (i === 1 ? all.map((one) => ({ ...one, cents: 0 })) : all));
          assert.deepEqual(await Promise.all(fleet.map(rows)), changed, "nothing else happened to the tenants");

          const reaped = await host.reap();
          assert.equal(reaped.code, 0, reaped.log);
          assert.deepEqual(await scene.bench.databases(true), [...fleet, "tenantry-registry-eu"]);
        });
      });
    });
  }
});
