import { isDeepStrictEqual } from "node:util";
import type { Context } from "../../context";
import type { Diff } from "../handler";
import { TenantryError } from "../../platform/errors";
import { requireKnownScope } from "../scope";
import { hasMoved } from "../self";
import { hasUnknown } from "../unknown";
import { changeText } from "./change-text";
import { changesNothing, planChanges } from "./changes";
import type { TenantFleetInputs } from "./inputs";
import { type TenantFleetOutputs, urlsOf } from "./outputs";
import { unpackFleet } from "./pack";
import { addressOf, createProfiles, isMade } from "./record";
import { rosterOf } from "./reconcile";
import { requireFewRemovals } from "./removal-limit";
import { judgeSchemaChanges } from "./schema-changes";

/**
 * Compares the recorded tenants with the roster, without asking the platform (but where so many leave that it matters
 * whether they were handed over); the roster is read only where something may have changed. What would happen to whom is the note.
 * `isDeclared`: a program of this run has declared it so; otherwise only whether something differs is told.
 */
export async function diffTenantFleet(
  olds: TenantFleetOutputs,
  news: TenantFleetInputs,
  context: Context,
  isDeclared: boolean,
): Promise<Diff> {
  requireSamePlace(olds, news, context.knownScope);
  requireKnownScope(context, olds.scope);
  const profiles = createProfiles();
  const records = unpackFleet(olds.packed, profiles);
  for (const record of records) {
    if (!isMade(record)) continue;
    context.incarnations.add(record.incarnation);
    const [from, to] = [addressOf(olds.self, record.id), addressOf(news.self, record.id)];
    if (from !== to) context.moves.set(from, { to, incarnation: record.incarnation });
  }
  if (hasUnknown(news.digest)) return { changes: true, note: "what would change is known once its tenants are" };
  const differs = (["roster", "digest", "maxRemovals", "rollout", "connection"] as const).some(
    (key) => !isDeepStrictEqual(plain(olds[key]), plain(news[key])),
  );
  if (!differs && !hasMoved(olds, news) && olds.open === 0 && olds.urls === urlsOf(context)) return { changes: false };
  if (!isDeclared) return { changes: true };
  const known = new Map(records.map((record) => [record.id, record]));
  const changes = planChanges(known, rosterOf(news).tenants, { ...news, scope: olds.scope }, context);
  await requireFewRemovals(changes, news, context, records.length);
  if (changesNothing(changes)) return { changes: true };
  return { changes: true, note: [changeText(changes), ...(await judgeSchemaChanges(changes, news))].join("\n  ") };
}

/** A fleet's tenants stay on the platform where they are: of a connection that leads elsewhere, that is said. */
export function requireSamePlace(
  olds: Pick<TenantFleetOutputs, "connection" | "scope">,
  news: Pick<TenantFleetInputs, "connection">,
  scope: string | undefined,
): void {
  if (olds.connection === news.connection || scope === undefined || scope === olds.scope) return;
  const [from, to] = [olds.connection, news.connection].map((one) =>
    one === undefined ? "the stack's own" : `"${one}"`,
  );
  throw new TenantryError(
    "wrong-scope",
    `connection: changing it from ${from} to ${to} would take the fleet from ${olds.scope} to ${scope}, and a fleet does not move its tenants to another platform.`,
    {
      fix: `Set it back. To move tenants, hand them over with \`npx tenantry move --from-fleet\`, and let each TenantDatabase have the connection and onReplace: "copy".`,
    },
  );
}

/** Without what JSON leaves out. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));
