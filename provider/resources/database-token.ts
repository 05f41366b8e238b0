import { z } from "zod";
import type { Context } from "../context";
import { formatDuration, parseDuration } from "../duration";
import type { Capabilities } from "../platform/capabilities";
import { TenantryError } from "../platform/errors";
import type { Access, TokenSubject } from "../platform/platform";
import { type CommonInputs, type Failure, type Handler, Unfinished } from "./handler";
import { commonShape, judge } from "./inputs";
import { randomId } from "../random-id";
import { endsWhen, graceOf, judgeGrace } from "./rotation";
import { requireKnownScope, requireScope } from "./scope";
import { hasUnknown } from "./unknown";

export interface DatabaseTokenInputs extends CommonInputs {
  readonly database?: string;
  readonly group?: string;
  readonly access?: Access;
  readonly expiresIn?: string;
  readonly renewBefore?: string;
  readonly attach?: readonly string[];
  readonly rotate?: string;
  readonly rotateGrace?: string;
}

export interface DatabaseTokenOutputs extends DatabaseTokenInputs {
  readonly scope: string;
  readonly token: string;
  readonly issuedAt: string;
  readonly expiresAt?: string;
  /**
   * The database the token was minted for; a token does not open another one of the same name. Empty: it is gone, and
   * there was none to mint for.
   */
  readonly databaseId?: string;
  /** The id that the last refresh saw under the name, where it was another one; empty where there was none. */
  readonly presentId?: string;
}

export const defaultAccess: Access = "read-only";
export const defaultLifetime = "7d";

/** The lifetime of a token that none was given for, where tokens live so many seconds at most. */
const lifetimeWhere = (longest: number | undefined): string =>
  longest !== undefined && longest < parseDuration(defaultLifetime, "expiresIn")!
    ? formatDuration(longest)
    : defaultLifetime;

const schema = z.strictObject({
  ...commonShape,
  database: z.string("must be a TenantDatabase, or the name of a database").optional(),
  group: z.string("must be a Group, or the name of a group").optional(),
  access: z.enum(["read-only", "read-write", "full-access"]).optional(),
  expiresIn: z.string().optional(),
  renewBefore: z.string().optional(),
  attach: z.array(z.string()).optional(),
  rotate: z.string().optional(),
  rotateGrace: z.string().optional(),
});
const known = [
  ...["database", "group", "access", "expiresIn", "renewBefore", "attach", "rotate", "rotateGrace", "connection"],
];

/** What a change of makes another token; the rest of the inputs only has to be in state. */
const minting = ["database", "group", "access", "expiresIn", "attach"] as const;

/** Write-once: minted on create, and again when what it says changes or its time comes. Never read back, never printed. */
export const databaseToken: Handler<DatabaseTokenInputs, DatabaseTokenOutputs> = {
  check({ news, capabilities, platform }) {
    const failures: Failure[] = judge(schema, news, known);
    if ((news.database === undefined) === (news.group === undefined)) {
      failures.push("database: give a database or a group, one of them.");
    }
    const access = news.access ?? defaultAccess;
    if (
      !hasUnknown(access) &&
      !failures.some((text) => text.startsWith("access")) &&
      !capabilities.tokenAccess.includes(access)
    ) {
      if (capabilities.tokenAccess.length === 0) failures.push(`access: ${noTokens(platform)}`);
      else
        failures.push(
          `access: ${platform} has no "${access}" tokens; use ${capabilities.tokenAccess.map((one) => `"${one}"`).join(" or ")}.`,
        );
    }
    if (news.group !== undefined && !capabilities.groupTokens)
      failures.push(`group: ${platform} has no tokens for a whole group; declare one for each database.`);
    if (news.attach && !capabilities.attach)
      failures.push(`attach: ${platform} has no tokens that attach; leave it out.`);
    if (news.rotate !== undefined && capabilities.rotation === "none")
      failures.push(`rotate: ${platform} cannot end tokens before their time; leave it out, and keep expiresIn short.`);
    failures.push(...judgeGrace(news.rotateGrace, capabilities, platform));
    failures.push(...judgeLifetime(news, capabilities, platform));
    return { inputs: { ...news }, failures };
  },

  diff({ olds, news, context }) {
    if (!isElsewhere(olds, news, context)) requireKnownScope(context, olds.scope);
    const why = whyMint(olds, news, context);
    const records = (["renewBefore", "connection", "rotate", "rotateGrace"] as const).some(
      (key) => !same(olds[key], news[key]),
    );
    const noted = rotates(olds, news) && !hasUnknown(news.rotate);
    return { changes: why !== undefined || records, note: noted ? whoIsLoggedOut(news, context) : undefined };
  },

  async create({ inputs, context }) {
    const scope = await context.scope();
    return { id: randomId(), outputs: { ...inputs, scope, ...(await mint(inputs, context)) } };
  },

  async read({ outputs, context }) {
    await requireScope(context, outputs.scope);
    if (outputs.database === undefined) return (await context.listing.group(outputs.group!)) ? outputs : undefined;
    const database = await context.listing.database(outputs.database);
    // Without its database the token opens nothing: the next one of the name needs another.
    const presentId = database?.id ?? "";
    return { ...outputs, presentId: presentId === outputs.databaseId ? undefined : presentId };
  },

  async update({ id, olds, news, context }) {
    const scope = isElsewhere(olds, news, context) ? await context.scope() : await requireScope(context, olds.scope);
    const { token, issuedAt, expiresAt, databaseId } = olds;
    if (whyMint(olds, news, context) === undefined) return { ...news, scope, token, issuedAt, expiresAt, databaseId };
    // What was declared of it is as before, so what is gone is the database (expired, perhaps): nothing is left to renew.
    if (!asksForAnother(olds, news) && (await isGone(news, context))) {
      return { ...news, scope, token, issuedAt, expiresAt, databaseId: "" };
    }
    let reached = same(olds.database, news.database) ? { ...olds, presentId: presentIdOf(olds, context) } : olds;
    try {
      if (rotates(olds, news)) {
        await context.rotate(subjectOf(news), news.rotate!, graceOf(news.rotateGrace));
        // The old token ends. That is recorded, because a second rotation would end what others have minted since.
        reached = { ...reached, rotate: news.rotate, expiresAt: new Date().toISOString() };
      }
      return { ...news, scope, ...(await mint(news, context)) };
    } catch (error) {
      throw new Unfinished(error, id, reached);
    }
  },

  // No platform can revoke one token, so all there is to do is to say how long it goes on.
  delete: async ({ outputs }) => afterlife(outputs),
};

const noTokens = (platform: string): Failure =>
  `${platform} has no tokens of a database: its tenants share the project's credential. ` +
  "Leave the DatabaseToken out, and give applications the TenantDatabase's connectionStrings.";

/** Until when a deleted token goes on working, for the reader. */
function afterlife(outputs: DatabaseTokenOutputs): string {
  const name = outputs.database ?? outputs.group;
  const until = outputs.expiresAt ? `until ${outputs.expiresAt}` : "for ever";
  return `the token for ${name} cannot be revoked by itself and stays valid ${until}; to end it now, rotate the tokens of ${name}`;
}

function whyMint(olds: DatabaseTokenOutputs, news: DatabaseTokenInputs, context: Context): string | undefined {
  const changed = asksForAnother(olds, news);
  if (changed) return changed;
  if (isElsewhere(olds, news, context)) return "its database has moved";
  if (rotates(olds, news)) return "its predecessors are rotated away";
  if (presentIdOf(olds, context) !== undefined) return "the database was made anew";
  if (olds.databaseId === "") return undefined;
  return renewsAt(olds, news) <= Date.now() ? "it expires soon" : undefined;
}

/** The id under the name, if it is another one than the token's; this process may know better than the last refresh. */
function presentIdOf({ database, databaseId, presentId }: DatabaseTokenOutputs, context: Context): string | undefined {
  const id = database === undefined ? undefined : context.identities.get(database);
  if (id === undefined) return presentId;
  return id === databaseId ? undefined : id;
}

/** Its database has moved to another connection, where the token opens nothing. */
const isElsewhere = (olds: DatabaseTokenOutputs, news: DatabaseTokenInputs, { knownScope }: Context): boolean =>
  !same(olds.connection, news.connection) && knownScope !== olds.scope;

/** The input, other than `rotate`, for which it is minted anew. */
function asksForAnother(olds: DatabaseTokenOutputs, news: DatabaseTokenInputs): string | undefined {
  return minting.find((key) => hasUnknown(news[key]) || !same(olds[key], news[key]));
}

/** Taking the key away is no wish to log anybody out. */
const rotates = (olds: DatabaseTokenOutputs, { rotate }: DatabaseTokenInputs): boolean =>
  rotate !== undefined && !same(olds.rotate, rotate);

async function isGone({ database }: DatabaseTokenInputs, context: Context): Promise<boolean> {
  if (database === undefined || context.identities.has(database)) return false;
  return (await context.listing.database(database)) === undefined;
}

function renewsAt(olds: DatabaseTokenOutputs, { renewBefore }: DatabaseTokenInputs): number {
  if (olds.expiresAt === undefined) return Infinity;
  const end = Date.parse(olds.expiresAt);
  const before = renewBefore === undefined ? undefined : parseDuration(renewBefore, "renewBefore");
  return end - (before === undefined ? (end - Date.parse(olds.issuedAt)) / 3 : before * 1000);
}

async function mint(inputs: DatabaseTokenInputs, context: Context) {
  const issuedAt = new Date().toISOString();
  const databaseId = inputs.database === undefined ? undefined : await idOf(inputs.database, context);
  const { token, expiresAt } = await context.platform.mintToken(subjectOf(inputs), {
    access: inputs.access ?? defaultAccess,
    lifetime: parseDuration(inputs.expiresIn ?? lifetimeWhere(context.platform.capabilities.longestToken), "expiresIn"),
    attach: inputs.attach,
  });
  return { token, issuedAt, expiresAt: expiresAt?.toISOString(), databaseId };
}

async function idOf(name: string, context: Context): Promise<string> {
  const id = context.identities.get(name) ?? (await context.listing.database(name))?.id;
  if (id !== undefined) return id;
  throw new TenantryError("database-not-found", `database: there is no database "${name}".`, {
    fix: "Pass the TenantDatabase itself, so that it is created first.",
  });
}

const subjectOf = ({ database, group }: DatabaseTokenInputs): TokenSubject =>
  database === undefined ? { group: group! } : { database };

function whoIsLoggedOut(news: DatabaseTokenInputs, context: Context): string {
  const end = endsWhen(news.rotateGrace);
  if (news.group !== undefined) return `rotating: every token of group ${news.group} and of its databases ${end}`;
  if (context.platform.capabilities.rotation === "database") return `rotating: every token of ${news.database} ${end}`;
  return `rotating: every token of ${news.database}, and every other token of its whole group, ${end}`;
}

function judgeLifetime(
  news: Partial<DatabaseTokenInputs>,
  { longestToken: longest, shortestToken: shortest }: Capabilities,
  platform: string,
): Failure[] {
  const failures: Failure[] = [];
  const seconds = (path: "expiresIn" | "renewBefore"): number | undefined => {
    const text = news[path] ?? (path === "expiresIn" ? lifetimeWhere(longest) : undefined);
    if (typeof text !== "string" || hasUnknown(text)) return undefined;
    try {
      return parseDuration(text, path);
    } catch (error) {
      failures.push((error as Error).message);
      return undefined;
    }
  };
  const wrong = failures.length;
  const lifetime = seconds("expiresIn");
  const isForever = lifetime === undefined && failures.length === wrong && !hasUnknown(news.expiresIn);
  if (longest !== undefined && (isForever || (lifetime ?? 0) > longest)) {
    failures.push(`expiresIn: tokens of ${platform} live ${formatDuration(longest)} at most; use that or less.`);
  }
  if (lifetime !== undefined && lifetime < shortest) {
    failures.push(`expiresIn: tokens of ${platform} live ${formatDuration(shortest)} at least; use that or more.`);
  }
  const before = seconds("renewBefore");
  if (lifetime !== undefined && before !== undefined && before >= lifetime) {
    failures.push(
      `renewBefore: it must be shorter than the token's lifetime (${news.expiresIn ?? lifetimeWhere(longest)}), or every run would renew it.`,
    );
  }
  return failures;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
