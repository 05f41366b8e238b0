import { engineLog } from "../../engine-log";
import { randomId } from "../../random-id";
import type { Handler } from "../handler";
import type { Say } from "../schema-rollout/narration";
import { requireScope } from "../scope";
import { typeToken, urnOf } from "../self";
import { hasUnknown } from "../unknown";
import { changeText } from "./change-text";
import { diffTenantFleet, requireSamePlace } from "./diff";
import { type TenantFleetInputs, judgeTenantFleet } from "./inputs";
import { judgeRoster } from "./judge-roster";
import type { TenantFleetOutputs } from "./outputs";
import { readTenantFleet } from "./read";
import { reconcile, rosterOf } from "./reconcile";
import { removeTenantFleet } from "./remove";

/** Lines on the line of the resource with that address. */
const onItsLine =
  (self: string): Say =>
  (kind, text) =>
    engineLog(kind === "warning" ? "warning" : "info", text, urnOf(self, typeToken("tenantFleet")), kind === "status");

/** Lists that a program of this run has declared, by the fleet's address. */
const declared = new Map<string, string>();

/** `sayOf` is where the lines about a run go, by the resource's address. */
export const tenantFleetHandler = (
  sayOf: (self: string) => Say = onItsLine,
): Handler<TenantFleetInputs, TenantFleetOutputs> => ({
  check({ news, olds, capabilities, platform }) {
    if (news.self !== undefined && news.digest !== undefined) declared.set(news.self, news.digest);
    if (capabilities.schemas === "deployments") {
      return {
        inputs: news,
        failures: [`tenants: ${platform} has no fleets yet; declare a TenantDatabase for each tenant.`],
      };
    }
    const failures = judgeTenantFleet(news);
    // A roster that was deployed before has been judged before.
    const isKnown = olds?.digest === news.digest || hasUnknown(news.digest) || hasUnknown(news.roster);
    if (failures.length > 0 || isKnown) return { inputs: news, failures };
    const roster = rosterOf(news as TenantFleetInputs);
    failures.push(...judgeRoster(roster, capabilities, platform));
    if (failures.length > 0 || olds !== undefined || roster.tenants.length === 0) return { inputs: news, failures };
    const all = { create: roster.tenants, change: [], replace: [], bring: new Map(), remove: [] };
    return { inputs: news, failures, note: changeText(all) };
  },

  // A refresh asks for a diff too, of what state has: there is no program then, and its files may be others by now.
  diff: ({ olds, news, context }) => diffTenantFleet(olds, news, context, declared.get(news.self) === news.digest),

  async create({ inputs: news, context }) {
    const id = randomId();
    const scope = await context.scope();
    return { id, outputs: await reconcile({ id, olds: undefined, news, context, scope, say: sayOf(news.self) }) };
  },

  read: ({ outputs, context }) => readTenantFleet(outputs, context),

  async update({ id, olds, news, context }) {
    requireSamePlace(olds, news, await context.scope());
    const scope = await requireScope(context, olds.scope);
    return reconcile({ id, olds, news, context, scope, say: sayOf(news.self) });
  },

  delete: ({ outputs, context }) => removeTenantFleet(outputs, context, sayOf(outputs.self)),
});

export const tenantFleet = tenantFleetHandler();
