import assert from "node:assert/strict";
import { inspect } from "node:util";
import { type PersqlPlatform, persqlPlatform } from "../../provider/drivers/persql";
import { TenantryError } from "../../provider/platform/errors";
import type { Sql } from "../../provider/platform/sql-connection";
import { persqlModel } from "../support/persql/model";
import { slugOf } from "../support/persql/namespace";
import { type ScriptedReply, type ScriptedRequest, withScriptedServer } from "../support/scripted-server";
import { type VirtualClock, virtualClock } from "../support/virtual-clock";

type Kind = "read" | "create" | "claim" | "drop" | "branches" | "mint" | "sql-read" | "sql-write" | "ready";

interface Call {
  readonly name: string;
  readonly kind: Kind;
  /** The request that meets the fault; what else the call needs is answered truly. */
  readonly target: RegExp;
  readonly run: (of: { readonly platform: PersqlPlatform; readonly sql: Sql }) => Promise<unknown>;
  /** Its effect in the model's words. */
  readonly effect?: string;
}

const select = { sql: "SELECT 1 AS x", args: [] };
const insert = { sql: "INSERT INTO t VALUES (1)", args: [] };
const query = new RegExp(`${slugOf("bolt")}/query$`);
const batch = new RegExp(`${slugOf("bolt")}/batch$`);
const branch = { access: "read-write", lifetime: 600 } as const;
const written = `write to ${slugOf("bolt")}`;

const calls: readonly Call[] = [
  { name: "account", kind: "read", target: /v1\/databases$/, run: ({ platform }) => platform.account() },
  { name: "getDatabase", kind: "read", target: /v1\/databases$/, run: ({ platform }) => platform.getDatabase("bolt") },
  {
    name: "getDatabase, at the catalogue",
    kind: "sql-read",
    target: /tenantry-catalogue\/query$/,
    run: ({ platform }) => platform.getDatabase("bolt"),
  },
  {
    name: "createDatabase of a tenant",
    kind: "create",
    target: /v1\/users$/,
    run: ({ platform }) => platform.createDatabase({ name: "new", group: "acme" }),
    effect: "provision new",
  },
  {
    name: "createDatabase of our own",
    kind: "create",
    target: /^POST .*v1\/databases$/,
    run: ({ platform }) => platform.createDatabase({ name: "tenantry-new", group: "acme" }),
    effect: "create database tenantry-new",
  },
  {
    name: "mintToken",
    kind: "mint",
    target: /v1\/users$/,
    run: ({ platform }) => platform.mintToken({ database: "bolt" }, { access: "read-only", lifetime: 60 }),
    effect: "mint for bolt",
  },
  { name: "execute, reading", kind: "sql-read", target: query, run: ({ sql }) => sql.execute(select) },
  {
    name: "execute, writing",
    kind: "sql-write",
    target: query,
    run: ({ sql }) => sql.execute(insert),
    effect: written,
  },
  { name: "batch, reading", kind: "sql-read", target: batch, run: ({ sql }) => sql.batch([select, select], "read") },
  {
    name: "batch, writing",
    kind: "sql-write",
    target: batch,
    run: ({ sql }) => sql.batch([insert, insert], "write"),
    effect: written,
  },
  {
    name: "list branches",
    kind: "branches",
    target: /v1\/databases$/,
    run: ({ platform }) => platform.branches.list("bolt"),
  },
  {
    name: "create a branch",
    kind: "claim",
    target: /claim_branch$/,
    run: ({ platform }) => platform.branches.create("bolt", "new", branch),
    effect: "create branch new",
  },
  {
    name: "reset a branch",
    kind: "claim",
    target: /claim_branch$/,
    run: ({ platform }) => platform.branches.reset("bolt", "old", branch),
    effect: "reset branch old",
  },
  {
    name: "delete a branch",
    kind: "drop",
    target: /branches\/old$/,
    run: ({ platform }) => platform.branches.delete("bolt", "old"),
    effect: "delete branch old",
  },
  { name: "ready", kind: "ready", target: query, run: ({ sql }) => sql.ready() },
];

interface Situation {
  readonly request: ScriptedRequest;
  /** Which request to the target this is, from 1. */
  readonly n: number;
  /** The true answer, with its effect. */
  readonly answer: () => ScriptedReply;
  readonly clock: VirtualClock;
}

interface Fault {
  readonly name: string;
  readonly meet: (situation: Situation) => ScriptedReply;
  /** "value", or an error's code; with "?" the call may have had its effect. By kind, `others` for the rest. */
  readonly outcome: { readonly others: string } & { readonly [K in Kind]?: string };
  /** Virtual ms at most. */
  readonly longest?: number;
}

/** What a broken platform says repeats what it was sent, for the worst. */
const echo = ({ headers }: ScriptedRequest): string => `oops, you sent ${String(headers.authorization)}`;
const fails =
  (status: number, headers = {}) =>
  ({ request }: Situation): ScriptedReply => ({
    ...{ status, headers },
    json: { success: false, error: echo(request) },
  });
const drop = (): ScriptedReply => ({ fault: "drop" });
const once = (meet: (situation: Situation) => ScriptedReply) => (situation: Situation) =>
  situation.n === 1 ? meet(situation) : situation.answer();
const afterEffect = (reply: (situation: Situation) => ScriptedReply) => (situation: Situation) => (
  situation.answer(),
  reply(situation)
);
const html = ({ request }: Situation): ScriptedReply => ({ text: `<html>${echo(request)}</html>` });
const silent = ({ clock }: Situation): ScriptedReply => (clock.ring(), drop());
const cut = (situation: Situation): ScriptedReply => ({
  text: JSON.stringify(situation.answer().json),
  fault: "truncate",
});
/** The true answer, each value of it put through `change`. */
const changed =
  (change: (value: unknown, key: string) => unknown) =>
  ({ answer }: Situation): ScriptedReply => ({
    json: JSON.parse(
      JSON.stringify(answer().json, (key, value: unknown) => (typeof value === "object" ? value : change(value, key))),
    ) as unknown,
  });

const value = { others: "value" };
/** A create finds what its own first attempt has made; SQL is done once, by its key. A claim is not sent again. */
const found = (claim: string) => ({ others: "value", create: "already-exists?", claim });
const always = (code: string) => ({ others: code, ready: "not-ready" });

const faults: readonly Fault[] = [
  { name: "no fault", meet: ({ answer }) => answer(), outcome: value, longest: 0 },
  { name: "dropped before the effect, once", meet: once(drop), outcome: { ...value, claim: "unreachable?" } },
  { name: "dropped after the effect, once", meet: once(afterEffect(drop)), outcome: found("unreachable?") },
  { name: "cut off after the effect, once", meet: once(cut), outcome: found("unreachable?") },
  { name: "silent after the effect, once", meet: once(afterEffect(silent)), outcome: found("timed-out?") },
  { name: "503 after the effect, once", meet: once(afterEffect(fails(503))), outcome: found("unavailable?") },
  { name: "HTML with 200 after the effect, once", meet: once(afterEffect(html)), outcome: found("bad-answer?") },
  { name: "500 before the effect, once", meet: once(fails(500)), outcome: { ...value, claim: "unavailable?" } },
  { name: "429 with 7 s, once", meet: once(fails(429, { "retry-after": "7" })), outcome: value, longest: 12_000 },
  { name: "dropped before the effect, for ever", meet: drop, outcome: always("unreachable?") },
  { name: "dropped after the effect, for ever", meet: afterEffect(drop), outcome: always("unreachable?") },
  { name: "silent for ever", meet: silent, outcome: always("timed-out?"), longest: 130_000 },
  { name: "500 for ever", meet: fails(500), outcome: always("unavailable?") },
  { name: "429 for ever", meet: fails(429, { "retry-after": "5" }), outcome: always("rate-limited"), longest: 130_000 },
  { name: "429 for a day", meet: fails(429, { "retry-after": "86400" }), outcome: always("rate-limited") },
  { name: "HTML with 200, for ever", meet: html, outcome: always("bad-answer?") },
  { name: "{} with 200", meet: () => ({ json: {} }), outcome: always("bad-answer?") },
  {
    name: "success: false with 200",
    meet: ({ request }) => ({ json: { success: false, error: echo(request) } }),
    outcome: always("bad-answer?"),
  },
  {
    name: "success without data",
    meet: afterEffect(() => ({ json: { success: true } })),
    outcome: { ...always("bad-answer?"), drop: "value" },
  },
  {
    name: "values of wrong types",
    meet: changed((old) => (typeof old === "string" ? 7 : "seven")),
    outcome: always("bad-answer?"),
  },
  {
    name: "another database, in another namespace",
    meet: changed((old, key) => (/^(?:namespaceSlug|slug)$/.test(key) ? "another" : old)),
    outcome: { others: "value", create: "bad-answer?", mint: "bad-answer?", branches: "database-not-found" },
  },
  { name: "402", meet: fails(402), outcome: { others: "plan-refused" } },
  { name: "403", meet: fails(403), outcome: { others: "forbidden" } },
  { name: "401", meet: fails(401), outcome: { others: "credentials-rejected" } },
  {
    name: "a proxy's 404",
    meet: ({ request }) => ({ status: 404, text: `<h1>${echo(request)}</h1>` }),
    outcome: always("bad-answer"),
  },
  {
    name: "a redirect",
    meet: ({ request }) => ({ status: 302, headers: { location: `https://elsewhere.invalid/?${echo(request)}` } }),
    outcome: always("bad-answer"),
  },
];

describe("persql driver: every call under every fault", () => {
  for (const call of calls) {
    it(call.name, async () => {
      const problems: string[] = [];
      for (const fault of faults) {
        await tryCell(call, fault).catch((error: Error) => problems.push(`${fault.name}: ${error.message}`));
      }
      assert.equal(problems.length, 0, `${problems.length} of ${faults.length} faults:\n${problems.join("\n")}`);
    }).timeout(60_000);
  }
});

/** Makes the call under the fault, with the default settings, and holds it to what is promised of it. */
async function tryCell(call: Call, fault: Fault): Promise<void> {
  const model = persqlModel();
  const clock = virtualClock();
  let [meets, n] = [false, 0];
  await withScriptedServer(
    (request) => {
      const answer = () => model.answer(request);
      if (!meets || !call.target.test(`${request.method} ${request.path}`)) return answer();
      return fault.meet({ request, n: ++n, answer, clock });
    },
    async ({ url }) => {
      const platform = persqlPlatform({ apiUrl: url, apiToken: model.adminToken, clock });
      const bolt = await platform.createDatabase({ name: "bolt", group: "acme" });
      const at = { name: "bolt", url: platform.databaseUrl(bolt) };
      const setUp = platform.openSql!(at, { access: "full-access" });
      await setUp.execute({ sql: "CREATE TABLE t (x)", args: [] });
      const sql = platform.openSql!(at, { access: "full-access" });
      // By another process: what this one has looked at, it would not ask for again.
      await persqlPlatform({ apiUrl: url, apiToken: model.adminToken, clock }).branches.create("bolt", "old", branch);
      const before = { effects: model.effects.length, time: clock.now(), rows: 0 };
      meets = true;
      const error = await call.run({ platform, sql }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      meets = false;
      if (error !== undefined) checkError(error, [model.adminToken, ...model.namespace.tokens.keys()]);
      const outcome = error instanceof TenantryError ? `${error.code}${error.afterLostReply ? "?" : ""}` : "value";
      assert.equal(outcome, fault.outcome[call.kind] ?? fault.outcome.others, String(error));
      const effects = model.effects.slice(before.effects).filter((effect) => effect === call.effect);
      // However often it was sent: a token that nobody got ends by itself, all else was done once.
      assert.ok(effects.length <= (call.kind === "mint" ? 5 : 1), `it happened ${effects.length} times`);
      if (call.effect && outcome === "value") assert.ok(effects.length > 0, "it was said to be done, and is not");
      if (outcome !== "value" && !outcome.endsWith("?"))
        assert.deepEqual(effects, [], "it was said not to be done, and is");
      const elapsed = clock.now() - before.time;
      assert.ok(elapsed <= (fault.longest ?? 95_000), `${elapsed} ms`);
      model.namespace.close();
    },
  );
}

/** It says what happened, where, and what to do, and holds no secret. */
function checkError(error: unknown, secrets: readonly string[]): void {
  assert.ok(error instanceof TenantryError, `no TenantryError, but ${inspect(error)}`);
  const shown = `${inspect(error, { depth: 10, showHidden: true })} ${JSON.stringify(error)}`;
  for (const secret of secrets) assert.ok(!shown.includes(secret), `it shows a secret: ${shown}`);
  const { message, fix } = error;
  assert.ok(fix && /^[A-Z].*\.$/.test(fix), `it does not say what to do: ${message}`);
  assert.ok(message.endsWith(` ${fix}`), message);
  assert.ok(/127\.0\.0\.1:\d+|database|tenantry-catalogue/.test(message), `it does not say where: ${message}`);
}
