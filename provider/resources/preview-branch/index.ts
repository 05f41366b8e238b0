import { isDeepStrictEqual } from "node:util";
import type { Context } from "../../context";
import { forgetKeeper, keeperOf } from "../../preview/keeper";
import { previewDown } from "../../preview/down";
import { randomId } from "../../random-id";
import { previewStack } from "../../registry/preview-address";
import type { Diff, Handler } from "../handler";
import { requireKnownScope, requireScope } from "../scope";
import { hasMoved } from "../self";
import { hasUnknown } from "../unknown";
import { type PreviewBranchInputs, judgePreviewBranch, previewKeys } from "./inputs";
import type { Branch, PreviewBranchOutputs } from "./outputs";
import { placeOf } from "./place";
import { bringUp } from "./run";

/** Other ones are other branches: there, and these go. */
const placing = ["repository", "pullRequest"] as const;

/** Branches of tenants' databases, as `tenantry preview` makes them, for a stack for each pull request. */
export const previewBranch: Handler<PreviewBranchInputs, PreviewBranchOutputs> = {
  check: ({ news, capabilities, platform }) => ({
    inputs: { ...news },
    failures: judgePreviewBranch(news, capabilities, platform),
  }),

  diff: ({ olds, news, context }) => diff(olds, news, context),

  async create({ inputs, context }) {
    const id = randomId();
    const [scope, place] = [await context.scope(), await placeOf(inputs, context)];
    return { id, outputs: await bringUp(context, { id, inputs, scope, place, reset: false }) };
  },

  async read({ outputs, context }) {
    await requireScope(context, outputs.scope);
    const branches: Record<string, Branch> = {};
    for (const [tenant, branch] of Object.entries(outputs.branches)) {
      const present = await context.listing.database(branch.name);
      if (present?.id === branch.databaseId) branches[tenant] = branch;
    }
    return Object.keys(branches).length === 0 ? undefined : { ...outputs, branches };
  },

  async update({ id, olds, news, context }) {
    const scope = await requireScope(context, olds.scope);
    const gone = olds.from.filter(({ tenant }) => !news.from.some((one) => one.tenant === tenant));
    if (gone.length > 0) await previewDown(context, { ...olds.place, tenants: gone.map(({ tenant }) => tenant) });
    return bringUp(context, { id, inputs: news, scope, place: olds.place, reset: isRefreshed(olds, news) });
  },

  async delete({ id, outputs, context }) {
    await requireScope(context, outputs.scope);
    const { place } = outputs;
    const sql = await context.registrySql(place.group);
    if (!sql) return;
    const keeper = await keeperOf(sql, previewStack(place));
    if (keeper && keeper.id !== id) return `left as they are: ${keeper.self} has the branches now`;
    const { left } = await previewDown(context, place);
    await forgetKeeper(sql, previewStack(place), id);
    if (left.length > 0) return left.map(({ name, why }) => `${name} is left as it is: ${why}`).join("\n");
  },
};

function diff(olds: PreviewBranchOutputs, news: PreviewBranchInputs, context: Context): Diff {
  requireKnownScope(context, olds.scope);
  const differs = (key: (typeof previewKeys)[number]): boolean =>
    !isDeepStrictEqual(plain(olds[key]), plain(news[key]));
  if (previewKeys.some((key) => hasUnknown(news[key]))) return { changes: true };
  const replaces = placing.filter(differs);
  if (replaces.length > 0) return { changes: true, replaces };
  const declared = hasMoved(olds, news) || previewKeys.some(differs);
  const note = isRefreshed(olds, news) ? anew : undefined;
  const open = olds.from.filter(({ tenant }) => olds.branches[tenant]?.state !== "ready");
  return { changes: declared || open.length > 0 || Date.parse(olds.renewAt) <= Date.now(), note };
}

const anew = "all branches will be made anew from their sources: what was written to them is gone then";

/** Taking the key away is no wish for other rows. Other data, or another moment, is. */
const isRefreshed = (olds: PreviewBranchInputs, news: PreviewBranchInputs): boolean =>
  (news.refresh !== undefined && news.refresh !== olds.refresh) ||
  olds.data !== news.data ||
  olds.timestamp !== news.timestamp ||
  !isDeepStrictEqual(plain(olds.mask), plain(news.mask));

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));
