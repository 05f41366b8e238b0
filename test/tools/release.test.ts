import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { releaseProblem } from "../../tools/release/agreement";

const root = path.resolve(__dirname, "..", "..");
const read = (file: string): string => readFileSync(path.join(root, file), "utf8");
const manifest = JSON.parse(read("package.json")) as { scripts: Record<string, string>; engines: { node: string } };

interface Workflow {
  on: { push?: { tags?: string[]; branches?: string[] }; pull_request?: unknown };
  permissions: Record<string, string>;
  jobs: Record<
    string,
    {
      permissions?: Record<string, string>;
      strategy?: { matrix: { node: number[] } };
      "timeout-minutes": number;
      steps: { uses?: string; run?: string; env?: Record<string, string>; with?: Record<string, unknown> }[];
    }
  >;
}
const folder = ".github/workflows";
const workflow = (name: string): Workflow => parse(read(`${folder}/${name}`)) as Workflow;
const runs = ({ jobs }: Workflow, job: string): string[] => jobs[job]!.steps.flatMap(({ run }) => run ?? []);

describe("a release", () => {
  const changelog = "# Changelog\n\nFormat: 1.1.0.\n\n## 0.2.0 - 2026-12-01\n\n### Added\n\n## 0.1.0 - 2026-11-28\n";
  const good = { tag: "v0.2.0", version: "0.2.0", locked: "0.2.0", changelog };

  it("is one version: tag, package, lockfile and the head of the changelog, with its day", () => {
    assert.equal(releaseProblem(good), undefined);
    const wrong: [object, RegExp][] = [
      [{ tag: undefined }, /^Which tag\?/],
      [{ tag: "0.2.0" }, /^The tag is 0\.2\.0, package\.json says 0\.2\.0: tag v0\.2\.0/],
      [{ tag: "v0.1.0" }, /^The tag is v0\.1\.0/],
      [{ locked: "0.1.0" }, /^package-lock\.json says 0\.1\.0/],
      [{ changelog: changelog.replace("## 0.2.0 - 2026-12-01\n", "") }, /begins with "0\.1\.0", not with 0\.2\.0/],
      [{ changelog: "" }, /begins with "nothing"/],
      [{ changelog: "## 0.2.0 - unreleased\n" }, /says "0\.2\.0 - unreleased": give the day/],
      [{ changelog: "## 0.2.0\n" }, /give the day/],
      [{ changelog: "## 0.2.0 - 2026-13-41\n" }, /give the day/],
    ];
    for (const [change, says] of wrong) assert.match(releaseProblem({ ...good, ...change }) ?? "", says);
  });

  it("holds of this repository, but for its day", () => {
    const { version } = JSON.parse(read("package.json")) as { version: string };
    const locked = (JSON.parse(read("package-lock.json")) as { version: string }).version;
    const dated = read("CHANGELOG.md").replace("- unreleased", "- 2026-12-01");
    assert.equal(releaseProblem({ tag: `v${version}`, version, locked, changelog: dated }), undefined);
  });
});

describe("the workflows of this repository", () => {
  it("run what the README says, on each Node.js that the package is for", () => {
    const ci = workflow("ci.yml");
    assert.ok("pull_request" in ci.on && ci.on.push?.branches?.includes("main"));
    assert.deepEqual(ci.jobs["test"]!.strategy!.matrix.node, [20, 22, 24]);
    assert.match(manifest.engines.node, /^>=20\./);
    assert.deepEqual(runs(ci, "test"), ["npm test"]);
    assert.match(read("README.md"), /^npm test$/m);
    assert.deepEqual(ci.permissions, { contents: "read" });
  });

  it("publish a tag that agrees with the package and passes its tests, with provenance and without a token", () => {
    const release = workflow("release.yml");
    assert.deepEqual(release.on, { push: { tags: ["v*"] } });
    assert.deepEqual(release.permissions, {});
    assert.deepEqual(release.jobs["publish"]!.permissions, { contents: "read", "id-token": "write" });
    assert.deepEqual(runs(release, "publish"), [
      'npm run release -- "$TAG"',
      "npm test",
      'npm pkg set "repository=git+$GITHUB_SERVER_URL/$GITHUB_REPOSITORY.git"',
      "npm publish --provenance --access public",
    ]);
    assert.doesNotMatch(read(`${folder}/release.yml`), /secrets\.|_authToken|NODE_AUTH_TOKEN/);
  });

  for (const name of readdirSync(path.join(root, folder))) {
    it(`${name}: pins its actions, names no registry and no machine, and ends`, () => {
      const text = read(`${folder}/${name}`);
      const { jobs } = workflow(name);
      assert.doesNotMatch(text, /registry|https?:\/\/|self-hosted/);
      for (const job of Object.values(jobs)) {
        assert.ok(job["timeout-minutes"] > 0);
        for (const { uses, run } of job.steps) {
          if (uses !== undefined) assert.match(uses, /^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
          // What somebody else chose, such as the name of a tag, is passed by the environment: no shell reads it.
          if (run === undefined) continue;
          assert.doesNotMatch(run, /\$\{\{/);
          const script = /^npm run (\S+)/.exec(run)?.[1];
          if (script !== undefined) assert.ok(script in manifest.scripts, run);
        }
      }
    });
  }
});
