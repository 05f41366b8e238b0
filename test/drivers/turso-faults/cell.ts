import assert from "node:assert/strict";
import { inspect } from "node:util";
import { tursoPlatform } from "../../../provider/drivers/turso";
import { TenantryError } from "../../../provider/platform/errors";
import { openSql } from "../../../provider/platform/sql";
import { selfSigned } from "../../support/certificate";
import { type Fault, type ScriptedServer, freshToken, withScriptedServer } from "../../support/scripted-server";
import { tursoModel } from "../../support/turso-model";
import { virtualClock } from "../../support/virtual-clock";
import type { Call } from "./calls";
import { type FaultColumn, type Outcome, readyRequests } from "./situation";

/** What one call under one fault came to. */
export interface Cell {
  readonly outcome: Outcome;
  /** Requests that the platform read, or where it read none, connections. */
  readonly requests: number;
  /** Faults of the connection that were used. */
  readonly faults: readonly Fault[];
}

let certificate: ReturnType<typeof selfSigned> | undefined;

/** Makes the call under the fault, with the default settings, and holds it to everything that is promised of it. */
export async function tryCell(call: Call, fault: FaultColumn): Promise<Cell> {
  const model = tursoModel();
  const faults: Fault[] = [];
  let server: ScriptedServer | undefined;
  let away = fault.server === "away";
  const clock = virtualClock(async (now) => {
    if (!away || now < (fault.back ?? Infinity)) return;
    away = false;
    await server!.start();
  });
  let n = 0;

  return withScriptedServer(
    (request) => {
      const reply = fault.meet({
        request,
        n: ++n,
        clock,
        answer: () => model.answer(request),
        stop() {
          away = true;
          void server!.stop();
        },
      });
      if (reply.fault) faults.push(reply.fault);
      return reply;
    },
    async (opened) => {
      server = opened;
      if (away) await server.stop();
      const secrets = [freshToken(), `sql-${freshToken()}`] as const;
      const driver = {
        platform: tursoPlatform({ apiUrl: server.url, apiToken: secrets[0], organization: "acme", clock }),
        sql: openSql({ url: `${server.url}/db/a/`, token: async () => secrets[1], clock }),
      };
      const error = await failureOf(async () => call.run(driver));
      const elapsed = clock.now();
      driver.sql.close();
      const outcome = error ? nameOf(error) : "value";
      if (error) checkError(error, call, [...secrets, ...model.minted]);
      assert.equal(outcome, fault.outcome(call), error?.message);
      checkEffects(model.effects, call, outcome, fault.lies ?? false);
      checkBounds(call, fault, { requests: n, connections: server.connections, elapsed, sent: server.sent });
      return { outcome, requests: n || server.connections, faults };
    },
    {
      tls: fault.server === "tls" ? (certificate ??= selfSigned("127.0.0.1")) : undefined,
      unread: (connection) =>
        fault.server === "connections unread" || (fault.server === "first connection unread" && connection === 1),
    },
  );
}

async function failureOf(work: () => Promise<unknown>): Promise<TenantryError | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof TenantryError, `no TenantryError, but ${inspect(error)}`);
    return error;
  }
}

function nameOf({ code, afterLostReply }: TenantryError): Outcome {
  return afterLostReply ? `${code}?` : code;
}

/** It says what happened, where, and what to do, and holds no secret. */
function checkError(error: TenantryError, { subject }: Call, secrets: readonly string[]): void {
  const shown = `${inspect(error, { depth: 10, showHidden: true })} ${JSON.stringify(error)}`;
  for (const secret of secrets) assert.ok(!shown.includes(secret), `it shows a secret: ${shown}`);
  const { message, fix } = error;
  assert.ok(fix && /^[A-Z].*\.$/.test(fix), `it does not say what to do: ${message}`);
  assert.ok(message.endsWith(` ${fix}`), message);
  const what = message.slice(0, -fix.length).trim();
  assert.match(what, /\.$/, "it does not say what happened");
  assert.ok(/127\.0\.0\.1:\d+/.test(what) || (subject && what.includes(subject)), `it does not say where: ${message}`);
}

/** No effect but its own, none without an outcome that admits it, and what may not happen twice happens once. */
function checkEffects(effects: readonly string[], call: Call, outcome: Outcome, lies: boolean): void {
  for (const effect of effects) assert.equal(effect, call.effect);
  const repeatable = ["set", "mint", "rotate"].includes(call.kind);
  assert.ok(effects.length <= (repeatable ? 5 : 1), `it happened ${effects.length} times`);
  if (outcome === "value" && call.effect && !lies) assert.ok(effects.length > 0, "it was said to be done, and is not");
  if (outcome !== "value" && !outcome.endsWith("?"))
    assert.deepEqual(effects, [], "it was said not to be done, and is");
}

interface Spent {
  readonly requests: number;
  readonly connections: number;
  /** Virtual ms. */
  readonly elapsed: number;
  /** Bytes of bodies. */
  readonly sent: number;
}

/** One answer of a database may be this long; then there is what lies in the buffers of two sockets. */
const longestAnswer = 64 * 2 ** 20 + 16 * 2 ** 20;

function checkBounds(call: Call, fault: FaultColumn, { requests, connections, elapsed, sent }: Spent): void {
  if (call.kind === "pure") return assert.deepEqual([requests, connections, elapsed], [0, 0, 0]);
  const most = call.kind === "ready" ? readyRequests : call.requests + (fault.extra ?? 0);
  assert.ok(requests <= most, `${requests} requests`);
  // A connection that ends unread was an attempt too.
  assert.ok(connections <= most + 5, `${connections} connections`);
  const [least, longest] = fault.time;
  const touched = requests > 0 || connections > 0 || fault.server === "away";
  assert.ok(touched, "the platform was not asked");
  // What does not meet the fault (SQL's, say, of a call to the API) takes no time either.
  if (elapsed > 0 || fault.outcome(call) !== "value") assert.ok(elapsed >= least, `only ${elapsed} ms`);
  assert.ok(elapsed <= longest, `${elapsed} ms`);
  assert.ok(sent <= longestAnswer, `${sent} bytes were read`);
}
