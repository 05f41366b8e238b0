import { createHash, randomInt } from "node:crypto";
import { z } from "zod";
import type { Context } from "../context";
import { engineLog } from "../engine-log";
import { didYouMean } from "../platform/did-you-mean";
import type { Directory, OrganizationApiToken } from "../platform/directory";
import { hasCode, TenantryError } from "../platform/errors";
import { randomId } from "../random-id";
import { type CommonInputs, type Failure, type Handler, Unfinished } from "./handler";
import { commonShape, judge, judgeName, keepDefaultName, nameShape } from "./inputs";
import { directoryOf, isElsewhere, lacksDirectory, listed } from "./organization";
import { requireKnownScope, requireScope } from "./scope";
import { typeToken, urnOf } from "./self";
import { hasUnknown } from "./unknown";

export interface ApiTokenInputs extends CommonInputs {
  /** What its name on the platform begins with. */
  readonly name: string;
  readonly nameIsDefault?: boolean;
  readonly group?: string;
  readonly scopes?: readonly string[];
  readonly rotate?: string;
}

export interface ApiTokenOutputs extends ApiTokenInputs {
  readonly scope: string;
  readonly token: string;
  readonly tokenId: string;
  /** Its whole name on the platform, which no two tokens ever have. */
  readonly tokenName: string;
  readonly issuedAt: string;
  /** Ids of predecessors that could not be revoked yet. */
  readonly unrevoked?: readonly string[];
}

export const defaultScopes = ["read"] as const;
/** What makes a name the token's own: "-1a2b3c4d-5e6f" of the resource, and four characters of chance. */
const endingLength = 18;
export const longestName = 64 - endingLength;

const schema = z.strictObject({
  ...commonShape,
  ...nameShape,
  group: z.string("must be a Group, or the name of a group").optional(),
  scopes: z.array(z.string("must be a text"), "must be a list of scopes").min(1, "must name at least one").optional(),
  rotate: z.string().optional(),
});
const kind = typeToken("apiToken");
const known = ["name", "group", "scopes", "rotate", "connection"];

/**
 * A token of the platform's API. Write-once: made on create, and another one when what it says changes or `rotate` does.
 * Never read back. Each has a name of its own, so that one whose reply was lost, or that a killed update has made, can be
 * told, and is revoked: nobody has it.
 */
export const apiToken: Handler<ApiTokenInputs, ApiTokenOutputs> = {
  check({ news, olds, capabilities, platform }) {
    const inputs = keepDefaultName(news, olds);
    const lacking = lacksDirectory("name", "API tokens", capabilities, platform);
    if (lacking) return { inputs, failures: lacking };
    const failures: Failure[] = [...judge(schema, news, known), ...judgeName("name", news.name, capabilities)];
    if (typeof news.name === "string" && !hasUnknown(news.name) && news.name.length > longestName)
      failures.push(`name: it has ${news.name.length} characters, and ${longestName} at most are possible.`);
    if (news.scopes !== undefined && news.group === undefined)
      failures.push("scopes: they come with a group; give one, or leave them out for all of the organization.");
    failures.push(...judgeScopes(news.scopes, capabilities.apiTokenScopes));
    return { inputs, failures };
  },

  diff({ olds, news, context }) {
    if (isElsewhere(olds, news, context)) return { changes: true, replaces: ["connection"] };
    requireKnownScope(context, olds.scope);
    const another = asksForAnother(olds, news);
    const records = (["connection", "rotate", "nameIsDefault"] as const).some((key) => olds[key] !== news[key]);
    return {
      changes: another || records || olds.unrevoked !== undefined || Object.values(news).some(hasUnknown),
      note:
        another && !Object.values(news).some(hasUnknown)
          ? `${olds.tokenName} stops working as soon as its successor is made`
          : undefined,
    };
  },

  async create({ inputs, context }) {
    const scope = await context.scope();
    const id = randomId();
    // Of a run that was killed, of a state that was lost, or of a stack of this name in another backend, whose application
    // works with it: which of them, nothing tells, and what nobody has does no harm.
    const others = await madeBy([inputs.self], undefined, context);
    const outputs = { ...inputs, scope, ...(await make(inputs, id, context)) };
    if (others.length > 0) {
      const names = others.map(({ name }) => name).join(", ");
      const text = `another run has made ${names} for it, which still work: revoke what no other stack uses`;
      await engineLog("warning", text, urnOf(inputs.self, kind));
    }
    return { id, outputs };
  },

  async read({ outputs, context }) {
    await requireScope(context, outputs.scope);
    const directory = directoryOf(context);
    // A list is all there is to ask. One that lacks it is asked for again before it is believed.
    for (const _ of [1, 2]) {
      if ((await directory.listApiTokens()).some(({ id }) => id === outputs.tokenId)) return outputs;
    }
    return undefined;
  },

  async update({ id, olds, news, context }) {
    const scope = await requireScope(context, olds.scope);
    const { token, tokenId, tokenName, issuedAt, unrevoked = [] } = olds;
    // Successors that a killed run has made.
    const strays = idsOf(await madeBy([olds.self, news.self], id, context));
    const others = new Set([...unrevoked, ...strays].filter((one) => one !== tokenId));
    if (!asksForAnother(olds, news)) {
      const same = { ...news, scope, token, tokenId, tokenName, issuedAt };
      return { ...same, ...(await revokeAll([...others], id, same, context)) };
    }
    // The successor first: without one the application would be left with nothing.
    const made = { ...news, scope, ...(await make(news, id, context)) };
    return { ...made, ...(await revokeAll([...others, tokenId], id, made, context)) };
  },

  async delete({ id, outputs, context }) {
    await requireScope(context, outputs.scope);
    const directory = directoryOf(context);
    for (const one of [outputs.tokenId, ...(outputs.unrevoked ?? [])]) await directory.revokeApiToken(one);
    for (const one of await madeBy([outputs.self], id, context)) await directory.revokeApiToken(one.id);
  },
};

const asksForAnother = (olds: ApiTokenOutputs, news: ApiTokenInputs): boolean =>
  olds.name !== news.name ||
  olds.group !== news.group ||
  scopesText(olds) !== scopesText(news) ||
  // Taking the key away is no wish to end anything.
  (news.rotate !== undefined && olds.rotate !== news.rotate);

const scopesText = ({ scopes = defaultScopes }: ApiTokenInputs): string => [...new Set(scopes)].sort().join(" ");

const hash = (text: string, length: number): string => createHash("sha256").update(text).digest("hex").slice(0, length);

/**
 * What is in the name of each token of a resource: "-1a2b3c4d-", of its address; and behind it, where `id` is given, of
 * this one making of it. That alone tells what a killed update has made from what a replacement, or a stack of the same
 * name in another backend, has.
 */
export const markOf = (self: string, id?: string): string => `-${hash(self, 8)}-${id === undefined ? "" : hash(id, 4)}`;

/** Under whatever name of the resource. */
async function madeBy(
  addresses: readonly string[],
  id: string | undefined,
  context: Context,
): Promise<OrganizationApiToken[]> {
  const marks = addresses.map((self) => markOf(self, id));
  const all = await directoryOf(context).listApiTokens();
  return all.filter(({ name }) => marks.some((mark) => name.slice(-endingLength).startsWith(mark)));
}

const idsOf = (tokens: readonly OrganizationApiToken[]): string[] => tokens.map(({ id }) => id);

type Made = Pick<ApiTokenOutputs, "token" | "tokenId" | "tokenName" | "issuedAt">;

async function make(inputs: ApiTokenInputs, id: string, context: Context): Promise<Made> {
  const directory = directoryOf(context);
  const { group, scopes = defaultScopes } = inputs;
  const limit = group === undefined ? undefined : { group, scopes: [...new Set(scopes)] };
  for (let attempt = 1; ; attempt += 1) {
    const ending = randomInt(36 ** 4).toString(36);
    const tokenName = `${inputs.name}${markOf(inputs.self, id)}${ending.padStart(4, "0")}`;
    const issuedAt = new Date().toISOString();
    try {
      const { id: tokenId, token } = await directory.createApiToken({ name: tokenName, limit });
      return { token, tokenId, tokenName, issuedAt };
    } catch (error) {
      if (!(error instanceof TenantryError) || !error.afterLostReply) throw error;
      // One may have been made that nobody was told of. Nobody else gives names like that.
      const isGone = await revokeNamed(tokenName, directory);
      if (!hasCode(error, "already-exists") || attempt === 3) throw isGone ? error : withLitter(error, tokenName);
    }
  }
}

/** Answers whether none of that name is left, as far as could be found out. */
async function revokeNamed(tokenName: string, directory: Directory): Promise<boolean> {
  try {
    for (const { id } of (await directory.listApiTokens()).filter(({ name }) => name === tokenName))
      await directory.revokeApiToken(id);
    return true;
  } catch {
    return false;
  }
}

function withLitter(error: TenantryError, tokenName: string): TenantryError {
  const fix = `${error.fix ?? ""} An API token "${tokenName}" may have been made that nobody has: revoke it.`.trim();
  const what = error.fix ? error.message.slice(0, -error.fix.length - 1) : error.message;
  return new TenantryError(error.code, what, { ...error, fix, cause: error });
}

/** What cannot be revoked now is kept for the next run, with the successor, which must not be lost. */
async function revokeAll(
  ids: readonly string[],
  id: string,
  outputs: ApiTokenOutputs,
  context: Context,
): Promise<Pick<ApiTokenOutputs, "unrevoked">> {
  const left = [...ids];
  try {
    while (left[0] !== undefined) {
      await directoryOf(context).revokeApiToken(left[0]);
      left.shift();
    }
  } catch (error) {
    throw new Unfinished(error, id, { ...outputs, unrevoked: left });
  }
  return {};
}

function judgeScopes(given: unknown, possible: readonly string[]): Failure[] {
  if (!Array.isArray(given) || hasUnknown(given)) return [];
  return (given as readonly unknown[]).flatMap((scope, i) => {
    if (typeof scope !== "string" || possible.includes(scope)) return [];
    const guess = didYouMean(scope, possible);
    return [
      `scopes.${i}: there is no scope "${scope}"; ${guess ? `did you mean "${guess}"?` : `use ${listed(possible)}.`}`,
    ];
  });
}
