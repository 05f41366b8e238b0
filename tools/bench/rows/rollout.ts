import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { inTurn } from "../../../provider/rollout/fleet/pool";
import { registryName } from "../../../provider/registry/reserved-names";
import { createNamespace } from "../../sqld/namespace";
import { startSqld } from "../../sqld/server";
import { startLocal } from "../local/platform";
import { peakMiB } from "../peak-memory";
import type { Target, Task } from "../rollout/runner";
import type { Row } from "../row";

const TENANTS = 1_000;
/** How many batches at a time the reference is tried with, before the fastest is measured. */
const IN_FLIGHT = [4, 8, 16, 32];

/** The Platform API is that of `tenantry local`; SQL goes to libsql-server, which keeps all namespaces open. */
export const rollout1000: Row = {
  name: "rollout-1000",
  what: "rolls 2 statements out over 1,000 namespaces of libsql-server, beside a loop of batches at its best concurrency",
  unit: "s",
  goal: { of: "ratio", atMost: 1.5 },
  async open({ profile }) {
    const home = await mkdtemp(path.join(tmpdir(), "tenantry-bench-"));
    const undo: (() => Promise<unknown>)[] = [() => rm(home, { recursive: true, force: true })];
    const close = async () => {
      for (const step of undo.reverse()) await step();
    };
    try {
      const local = await startLocal(path.join(home, "local"));
      undo.push(() => local.close());
      const names = Array.from({ length: TENANTS }, (_, i) => `tenant-${i + 1}`);
      const sqld = await startSqld({
        directory: path.join(home, "sqld"),
        namespaces: true,
        activeNamespaces: 2 * TENANTS,
      });
      undo.push(() => sqld.close());
      await inTurn(names, 16, (name) => local.call("POST", "/databases", { name, group: "bench" }));
      await inTurn([registryName("bench"), ...names], 16, (name) => createNamespace(sqld.adminUrl, name));
      const target: Target = {
        ...{ apiUrl: local.url, apiToken: local.apiToken, names },
        databaseUrl: sqld.url.replace("127.0.0.1", "{name}.localhost"),
      };
      const runner = startRunner(profile);
      undo.push(runner.close);

      const texts = ["CREATE TABLE orders (id INTEGER PRIMARY KEY, total INTEGER)"];
      let references = 0;
      const ours = () => runner.time({ kind: "ours", target, texts });
      const reference = (inFlight: number) =>
        runner.time({ kind: "reference", target, inFlight, text: twoStatements(`its_${++references}`) });
      await ours();
      const tried: { inFlight: number; seconds: number }[] = [];
      for (const inFlight of [IN_FLIGHT[0]!, ...IN_FLIGHT])
        tried.push({ inFlight, seconds: await reference(inFlight) });
      // The first one warmed the process up.
      const [best] = tried.slice(1).sort((a, b) => a.seconds - b.seconds);
      return {
        async ours() {
          texts.push(twoStatements(`ours_${texts.length}`));
          return { value: await ours(), peakMiB: peakMiB(runner.pid) };
        },
        reference: async () => ({ value: await reference(best!.inFlight) }),
        close,
      };
    } catch (error) {
      await close();
      throw error;
    }
  },
};

/** Each once, on the same tables for both sides: so they grow alike. */
const twoStatements = (column: string): string =>
  `ALTER TABLE orders ADD COLUMN ${column} TEXT;\nCREATE INDEX by_${column} ON orders (${column});`;

function startRunner(profile: string | undefined) {
  const program = path.join(__dirname, "..", "rollout", "runner.ts");
  const execArgv = [
    "-r",
    "ts-node/register/transpile-only",
    ...(profile ? ["--cpu-prof", `--cpu-prof-dir=${profile}`] : []),
  ];
  const child = fork(program, [], { execArgv });
  const ended = once(child, "exit");
  return {
    pid: child.pid!,
    async time(task: Task): Promise<number> {
      const answer = once(child, "message");
      child.send(task);
      const stopped = ended.then(() => Promise.reject(new Error("the process that rolls out ended")));
      const [done] = await Promise.race([answer, stopped]);
      if ("error" in done) throw new Error(done.error);
      return done.seconds;
    },
    async close() {
      child.disconnect();
      await ended;
    },
  };
}
