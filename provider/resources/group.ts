import { z } from "zod";
import type { Context } from "../context";
import { TenantryError, hasCode } from "../platform/errors";
import type { PlatformGroup } from "../platform/platform";
import type { Claim } from "../registry/claim";
import { claimed, letGoOrTakeBack, takeOrphan } from "../registry/commands";
import { isOurs, registryName } from "../registry/reserved-names";
import { type CommonInputs, type Handler, Unfinished } from "./handler";
import { commonShape, judge, judgeName, keepDefaultName, nameShape } from "./inputs";
import { randomId } from "../random-id";
import { endsWhen, graceOf, judgeGrace } from "./rotation";
import { requireKnownScope, requireScope } from "./scope";
import { hasMoved, isOfOtherStack, parseSelf } from "./self";
import { requireKnownSuccessor } from "./successor";
import type { Adopt } from "./tenant-database/inputs";
import { hasUnknown } from "./unknown";

export interface GroupInputs extends CommonInputs {
  readonly name: string;
  readonly nameIsDefault?: boolean;
  readonly location: string;
  readonly deleteProtection?: boolean;
  readonly extensions?: "all" | readonly string[];
  readonly adopt?: Adopt;
  readonly rotate?: string;
  readonly rotateGrace?: string;
}

export interface GroupOutputs extends GroupInputs {
  readonly scope: string;
  readonly groupId: string;
  readonly incarnation: string;
  readonly adopted?: boolean;
}

const extension = z.enum(["vector", "crypto", "fuzzy", "math", "stats", "text", "unicode", "uuid", "regexp", "vec"]);
const shape = {
  ...commonShape,
  ...nameShape,
  location: z.string('must be the code of a location, such as "aws-eu-west-1"'),
  deleteProtection: z.boolean().optional(),
  extensions: z.union([z.literal("all"), z.array(extension)]).optional(),
  adopt: z.enum(["never", "unowned", "force"]).optional(),
  rotate: z.string().optional(),
  rotateGrace: z.string().optional(),
};
const schema = z.strictObject(shape);
const known = ["name", "location", "deleteProtection", "extensions", "adopt", "rotate", "rotateGrace", "connection"];

export const group: Handler<GroupInputs, GroupOutputs> = {
  check({ news, olds, capabilities, platform }) {
    const failures = [...judge(schema, news, known), ...judgeName("name", news.name, capabilities)];
    const without = (property: keyof GroupInputs, can: boolean, instead: string): void => {
      if (news[property] !== undefined && !can) failures.push(`${property}: ${platform} cannot do that; ${instead}.`);
    };
    without("deleteProtection", capabilities.deleteProtection, 'use Pulumi\'s "protect" option');
    without("extensions", capabilities.extensions, "leave it out");
    without("rotate", capabilities.rotation !== "none", "leave it out: tokens end by themselves only");
    failures.push(...judgeGrace(news.rotateGrace, capabilities, platform));
    return { inputs: keepDefaultName(news, olds), failures };
  },

  diff({ olds, news, context }) {
    requireKnownScope(context, olds.scope);
    context.incarnations.add(olds.incarnation);
    const bothDefault = news.nameIsDefault === true && olds.nameIsDefault === true;
    for (const key of ["name", "location", "extensions"] as const) {
      if (hasUnknown(news[key]) || (key === "name" && bothDefault) || same(olds[key], news[key])) continue;
      throw new TenantryError(
        "needs-decision",
        `${key}: changing it from ${JSON.stringify(olds[key])} to ${JSON.stringify(news[key])} would replace the group and every database in it.`,
        { fix: `Set it back, or declare another Group and move the tenants into it.` },
      );
    }
    return {
      changes:
        Object.values(news).some(hasUnknown) ||
        !same(olds.rotate, news.rotate) ||
        !same(olds.rotateGrace, news.rotateGrace) ||
        hasMoved(olds, news) ||
        (olds.deleteProtection ?? false) !== (news.deleteProtection ?? false) ||
        !same(olds.connection, news.connection),
      note: rotates(olds, news)
        ? `${olds.name}: every token of the group and of its databases ${endsWhen(news.rotateGrace)}`
        : undefined,
    };
  },

  async create({ inputs, context }) {
    const scope = await context.scope();
    const { claim, found, adopted } = await acquireGroup(context, inputs);
    const outputs: GroupOutputs = {
      ...inputs,
      name: found.name,
      deleteProtection: inputs.deleteProtection === undefined ? undefined : (found.deleteProtection ?? false),
      scope,
      groupId: found.id,
      incarnation: claim.incarnation,
      adopted: adopted || undefined,
    };
    try {
      return { id: claim.owner, outputs: await protect(context, outputs, inputs) };
    } catch (error) {
      throw new Unfinished(error, claim.owner, outputs);
    }
  },

  async read({ outputs, context }) {
    await requireScope(context, outputs.scope);
    const found = await context.listing.group(outputs.name);
    if (!found || found.id !== outputs.groupId) return undefined;
    const deleteProtection =
      outputs.deleteProtection === undefined ? undefined : (found.deleteProtection ?? outputs.deleteProtection);
    return { ...outputs, deleteProtection };
  },

  async update({ id, olds, news, context }) {
    await requireScope(context, olds.scope);
    let reached: GroupOutputs = {
      ...olds,
      ...news,
      self: olds.self,
      name: olds.name,
      rotate: olds.rotate,
      deleteProtection: olds.deleteProtection,
    };
    try {
      if (hasMoved(olds, news)) await readdress(context, olds, news);
      reached = await protect(context, { ...reached, self: news.self }, news);
      if (rotates(olds, news)) await context.rotate({ group: olds.name }, news.rotate!, graceOf(news.rotateGrace));
    } catch (error) {
      throw new Unfinished(error, id, reached);
    }
    return { ...reached, rotate: news.rotate };
  },

  async delete({ id, outputs, context }) {
    await requireScope(context, outputs.scope);
    const found = await context.listing.group(outputs.name);
    if (!found || found.id !== outputs.groupId) return undefined;
    const registry = await context.existingRegistry(outputs.name, parseSelf(outputs.self).stack);
    const claim = await registry?.find("group", outputs.name);
    if (claim?.owner === id && claim.incarnation !== outputs.incarnation) {
      if (claim.databaseId === outputs.groupId) requireKnownSuccessor(context, outputs.name, claim.incarnation);
      return undefined;
    }
    if (claim && (claim.owner !== id || isOfOtherStack(claim.address, outputs.self))) {
      throw new TenantryError(
        "not-owner",
        `${outputs.name}: the group now belongs to ${claim.address}, so it was not deleted.`,
        { fix: letGoOrTakeBack(claim, outputs.self) },
      );
    }
    if (outputs.adopted) {
      await registry?.release({ kind: "group", name: outputs.name, incarnation: outputs.incarnation });
      return undefined;
    }
    const unfinished = (await registry?.all())?.filter((one) => one.kind === "database") ?? [];
    await requireEmpty(context, outputs.name, unfinished);
    await context.platform.deleteGroup(outputs.name);
    if (unfinished.length === 0) return undefined;
    const names = unfinished.map((one) => `${one.name} (${one.address})`).join(", ");
    return `its registry still had claims, whose databases do not exist: ${names}`;
  },
};

/**
 * The group's claim, in its own registry, decides whose it is. A group without a claim is free for the taking only when
 * it holds no database: nothing can then be lost, and a create that was killed before its claim goes on by itself.
 */
async function acquireGroup(context: Context, declared: GroupInputs) {
  const { stack } = parseSelf(declared.self);
  let before = await context.listing.group(declared.name);
  if (!before && declared.nameIsDefault) before = await underFormerName(context, declared);
  const name = before?.name ?? declared.name;
  const inputs = { ...declared, name };
  const found = before ?? (await createGroup(context, inputs));
  if (before && before.location && before.location !== inputs.location) {
    throw new TenantryError("already-exists", `location: the group "${name}" exists already, in ${before.location}.`, {
      fix: `Declare it with location: "${before.location}", or choose another name.`,
    });
  }
  context.listing.madeGroup(found);
  const owned = before ? await context.existingRegistry(name, stack) : undefined;
  const holder = await owned?.find("group", name);
  // Where groups cannot be made, to declare one is to say which of those that exist is meant.
  const given = !context.platform.capabilities.createsGroups;
  const others = before && !holder && !given ? await databasesIn(context, name) : [];
  if (others.length > 0 && (inputs.adopt ?? "never") === "never") {
    throw new TenantryError(
      "already-exists",
      `name: a group "${name}" exists already, holds ${others.length} database${others.length > 1 ? "s" : ""} and is not this stack's.`,
      {
        fix: 'Refer to it by its name without declaring it (group: "…"), choose another name, or take it over with adopt: "unowned".',
      },
    );
  }
  const registry = await context.registry(name, stack);
  const incarnation = randomId();
  const claim = await registry.claim({
    kind: "group",
    name,
    address: inputs.self,
    formerAddresses: inputs.formerly ?? [],
    owner: randomId(),
    incarnation,
    existed: before !== undefined,
    defaultName: inputs.nameIsDefault === true,
    force: inputs.adopt === "force",
  });
  if (claim.incarnation !== incarnation) {
    throw new TenantryError("not-owner", `name: the group "${name}" belongs to ${claim.address}.`, {
      fix: `Refer to it by its name without declaring it (group: "…"), or take it over with adopt: "force". ${takeOrphan(claim, inputs.self)}`,
    });
  }
  const adopted = given || others.length > 0 || claim.adopted;
  await registry.hold(claim, found.id, adopted);
  context.incarnations.add(incarnation);
  return { claim, found, adopted };
}

/** The group that this resource has under a default name of earlier, from before it was renamed (aliases). */
async function underFormerName(context: Context, { self, formerly = [] }: GroupInputs) {
  const ours = [self, ...formerly];
  const groups = [...(await context.listing.groups()).byName.values()];
  const claims = await Promise.all(
    // The databases of an archived group answer nothing, and so its registry.
    groups.map(async ({ name, archived }) => {
      const registry = archived ? undefined : await context.existingRegistry(name, parseSelf(self).stack);
      return registry?.find("group", name);
    }),
  );
  return groups.find((_, i) => claims[i]?.defaultName && ours.includes(claims[i].address));
}

/** The claim carries the address by which a forced replacement finds the group again: it follows a renamed resource. */
async function readdress(context: Context, { name, incarnation }: GroupOutputs, { self }: GroupInputs): Promise<void> {
  const registry = await context.existingRegistry(name, parseSelf(self).stack);
  if (!(await registry?.find("group", name))) return;
  const nothing = { template: undefined, tenant: undefined, expiresAt: undefined };
  await registry?.amend({ kind: "group", name, incarnation }, { address: self, ...nothing });
}

/** Taking the key away is no wish to log anybody out. */
const rotates = (olds: GroupOutputs, { rotate }: GroupInputs): boolean =>
  rotate !== undefined && !same(olds.rotate, rotate);

async function createGroup(context: Context, { name, location, extensions }: GroupInputs): Promise<PlatformGroup> {
  try {
    return await context.platform.createGroup({ name, location, extensions });
  } catch (error) {
    // Somebody made it in the same moment, or our own first attempt did: the claim will tell.
    const found = hasCode(error, "already-exists") ? await context.platform.getGroup(name) : undefined;
    if (!found) throw error;
    return found;
  }
}

async function protect(context: Context, outputs: GroupOutputs, inputs: GroupInputs): Promise<GroupOutputs> {
  const desired = inputs.deleteProtection ?? false;
  if ((outputs.deleteProtection ?? false) === desired) return { ...outputs, deleteProtection: inputs.deleteProtection };
  await context.platform.configureGroup(outputs.name, { deleteProtection: desired });
  return { ...outputs, deleteProtection: inputs.deleteProtection };
}

/** Databases of the group that are not Tenantry's own, and that this process has not just deleted. */
async function databasesIn(context: Context, name: string): Promise<string[]> {
  const names: string[] = [];
  for await (const database of context.platform.listDatabases({ group: name })) {
    if (!isOurs(database.name, name) && !context.listing.isGone(database)) names.push(database.name);
  }
  return names;
}

/** One list is not enough for a delete that takes all: what the registry knows of is asked for one by one. */
async function requireEmpty(context: Context, name: string, claims: readonly Claim[]): Promise<void> {
  const listed = await databasesIn(context, name);
  const present = await Promise.all(
    claims.map(async (claim) => {
      const found = await context.platform.getDatabase(claim.name);
      if (!found || context.listing.isGone(found)) return [];
      return found.group === undefined || found.group === name ? [found.name] : [];
    }),
  );
  const left = [...new Set([...listed, ...present.flat()])];
  if (left.length === 0) return;
  const ofClaims = left.some((one) => claims.some((claim) => claim.name === one)) ? ` ${claimed(name)}` : "";
  const shown = left.slice(0, 5).join(", ") + (left.length > 5 ? `, and ${left.length - 5} more` : "");
  throw new TenantryError(
    "not-empty",
    `${name}: the group still holds databases that this stack does not have (${shown}), and deleting it would delete them.`,
    {
      fix: `Delete or move them first, or keep the group with Pulumi's "retainOnDelete" (its registry is "${registryName(name)}").${ofClaims}`,
    },
  );
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);
