import { isDeepStrictEqual } from "node:util";
import type { Context } from "../../context";
import { shortWhy } from "../../rollout/fleet/report";
import type { Diff } from "../handler";
import { requireKnownScope } from "../scope";
import { hasMoved } from "../self";
import { hasUnknown } from "../unknown";
import { type SchemaRolloutInputs, policyKeys } from "./inputs";
import { type SchemaRolloutOutputs, isUnfinished } from "./outputs";

/** Observed against desired, without I/O. */
export function diffSchemaRollout(olds: SchemaRolloutOutputs, news: SchemaRolloutInputs, context: Context): Diff {
  requireKnownScope(context, olds.scope);
  const compared = ["schema", "tenants", "connection", ...policyKeys] as const;
  const declared =
    Object.values(news).some(hasUnknown) ||
    hasMoved(olds, news) ||
    compared.some((key) => !isDeepStrictEqual(plain(olds[key]), plain(news[key])));
  if (!isUnfinished(olds)) return { changes: declared };
  return { changes: true, note: declared ? undefined : whatIsOpen(olds) };
}

function whatIsOpen({ counts, tenants, targetVersion, unfinished }: SchemaRolloutOutputs): string {
  const [first] = unfinished;
  const who = first
    ? ` (${first.name}: ${first.state}${first.why === undefined ? "" : `: ${shortWhy(first.name, first.why)}`})`
    : "";
  return `goes on: ${counts.current} of ${tenants.length} tenants are at ${targetVersion}${who}`;
}

/** Without what JSON leaves out. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));
