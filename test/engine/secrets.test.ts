import assert from "node:assert/strict";
import { readFile, readdir } from "node:fs/promises";
import path from "node:path";
import { describe, it } from "mocha";
import { withCountedPlatform } from "../support/counted-platform";
import { withProject, type Project } from "../support/engine";
import { startRecordingProxy } from "../support/recording-proxy";

const program = (access: string, rotate: string) => `
import { DatabaseToken, Group, SchemaTemplate, TenantDatabase } from "tenantry";
const connection = "ours";
const eu = new Group("eu", { location: "local", connection });
const app = new SchemaTemplate("app", { migrations: "./migrations", connection });
const acme = new TenantDatabase("acme", { group: eu, schema: app, connection });
const reader = new DatabaseToken("reader", { database: acme, access: "${access}", rotate: "${rotate}", connection });
const all = new DatabaseToken("all", { group: eu, connection });
export const token = reader.token;
export const groupToken = all.token;
export const url = acme.url;
`;

describe("secrets", () => {
  it("of any kind are nowhere in clear: export, state, history, logs, messages", async function () {
    this.timeout(200_000);
    await withCountedPlatform({}, async (platform) => {
      const proxy = await startRecordingProxy(platform.url);
      try {
        const files = { "index.ts": program("read-only", "1"), "migrations/0001_init.sql": "CREATE TABLE t (x);" };
        await withProject({ files }, async (project) => {
          const set = async (key: string, value: string, ...flags: string[]) => {
            const place = `tenantry:connections.ours.${key}`;
            const args = ["config", "set", "--stack", project.stack, "--path", ...flags, place, value];
            assert.equal((await project.pulumi(args)).code, 0);
          };
          await set("platform", "local");
          await set("apiUrl", proxy.url);
          await set("apiToken", platform.apiToken, "--secret");
          const said = await live(project);

          const issued = proxy.exchanges.flatMap(({ answer }) => answer.match(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g) ?? []);
          const outputs = await project.outputs({ showSecrets: true });
          for (const name of ["token", "groupToken"]) assert.ok(issued.includes(String(outputs[name])), name);
          // Two tokens of the program, one of them minted again, and our own for each process that ran SQL.
          assert.ok(issued.length >= 5, `${issued.length} tokens issued`);
          assert.ok(
            proxy.exchanges.some(({ requestHeaders: { authorization } }) => authorization?.includes(issued[0]!)),
          );

          const places = [...said, ["stack export", JSON.stringify(await project.stackExport())] as const];
          places.push(...(await filesUnder(path.dirname(project.folder))));
          assert.ok(
            places.some(([where]) => where.includes("history")),
            "no history was searched",
          );
          assert.ok(
            places.some(([where]) => where.endsWith(".bak")),
            "no older state was searched",
          );
          for (const secret of new Set([platform.apiToken, ...issued])) {
            const found = places.filter(([, text]) => text.includes(secret)).map(([where]) => where);
            assert.deepEqual(found, [], `a token is in clear: ${secret.slice(0, 6)}... (of ${issued.length})`);
          }
          const destroyed = await project.destroy({ args: detailed });
          for (const secret of [platform.apiToken, ...issued]) assert.ok(!destroyed.output.includes(secret));
        });
      } finally {
        await proxy.close();
      }
    });
  });
});

const detailed = ["--diff"];

/**
 * A stack's life with its errors; everything that was said, by where it was said. Without -v and --debug: then the
 * engine and its SDK print whatever passes between them, every provider's secrets included.
 */
async function live(project: Project): Promise<[string, string][]> {
  const said: [string, string][] = [];
  const note = (what: string, { output }: { output: string }) => void said.push([what, output]);
  note("up", await project.up({ args: detailed }));
  await project.write({ "index.ts": program("full-access", "2") });
  note("preview", await project.preview({ args: detailed }));
  note("up with a change", await project.up({ args: detailed }));
  note("refresh", await project.refresh({ args: detailed }));
  await project.write({ "migrations/0002_broken.sql": "ALTER TABLE nowhere ADD COLUMN y;" });
  note("up that fails", await project.up({ args: detailed, fails: true }));
  note("stack", await project.pulumi(["stack", "--stack", project.stack, "--show-ids"]));
  note("outputs", await project.pulumi(["stack", "output", "--stack", project.stack]));
  note("history", await project.pulumi(["stack", "history", "--stack", project.stack]));
  return said;
}

/** Every file of the project, of the backend with its history, and of the engine's logs, with its text. */
async function filesUnder(folder: string): Promise<[string, string][]> {
  const found: [string, string][] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile() && !file.includes("node_modules"))
      found.push([file, withoutDebugging(await readFile(file, "utf8"))]);
  }
  return found;
}

/** The event log, which only tests switch on, has the messages of --debug too. */
function withoutDebugging(text: string): string {
  const lines = text.split("\n").filter((line) => !/^\{.*"diagnosticEvent":.*"severity":"debug"/.test(line));
  return lines.join("\n");
}
