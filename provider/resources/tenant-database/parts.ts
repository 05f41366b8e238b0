import { z } from "zod";
import type { Capabilities } from "../../platform/capabilities";
import { TenantryError } from "../../platform/errors";
import type { PartSpec, PlatformDatabase } from "../../platform/platform";
import { parseTemplateRef } from "../../rollout/template-ref";
import type { Failure } from "../handler";
import { hasUnknown } from "../unknown";
import type { TenantDatabaseInputs } from "./inputs";
import type { TenantDatabaseOutputs } from "./outputs";

/** One of the databases of a tenant, where a tenant can have several. */
export interface PartInputs {
  readonly blueprint: string;
  readonly isolation?: string;
  readonly region?: string;
  /** Its connection string may be kept in the outputs although it holds the project's API key. */
  readonly allowApiKey?: boolean;
}

const level = z.enum(["L1", "L2"], 'must be "L1" (shared) or "L2" (a machine of its own)');

export const partShapes = {
  isolation: level.optional(),
  region: z.string().min(1).optional(),
  databases: z
    .array(
      z.strictObject({
        blueprint: z.string().min(1),
        isolation: level.optional(),
        region: z.string().min(1).optional(),
        allowApiKey: z.boolean().optional(),
      }),
    )
    .min(1, "name one at least, or leave it out")
    .optional(),
};

type Inputs = Pick<TenantDatabaseInputs, "databases" | "isolation" | "region" | "schema">;

/** A template's blueprint has its name. */
const blueprintOf = (schema: string | undefined): string | undefined =>
  schema === undefined ? undefined : parseTemplateRef(schema)?.name;

/** What a tenant is made of: what is declared, else the schema's blueprint. */
export function partsOf({ databases, isolation, region, schema }: Inputs): PartInputs[] {
  const name = blueprintOf(schema);
  const declared = databases ?? (name === undefined ? [] : [{ blueprint: name }]);
  return declared.map((one) => {
    const its = one.isolation ?? isolation ?? "L1";
    return { ...one, isolation: its, region: one.region ?? (its === "L2" ? region : undefined) };
  });
}

/** What can be held against the databases that a tenant is to have, where it can have several. */
export function judgeParts(
  news: Partial<TenantDatabaseInputs>,
  { severalDatabases }: Capabilities,
  platform: string,
): Failure[] {
  const keys = ["databases", "isolation", "region", "schema"] as const;
  if (!severalDatabases || keys.some((key) => hasUnknown(news[key]))) return [];
  const parts = partsOf(news);
  if (parts.length === 0) {
    return [
      `databases: a tenant of ${platform} is made of blueprints; name them, \`databases: [{ blueprint: "app" }]\`, or give a schema.`,
    ];
  }
  const failures: Failure[] = [];
  const seen = new Set<string>();
  for (const [i, { blueprint, isolation, region }] of parts.entries()) {
    const path = news.databases ? `databases.${i}.` : "";
    if (seen.has(blueprint))
      failures.push(`${path}blueprint: "${blueprint}" is given twice; a tenant has one database of each.`);
    seen.add(blueprint);
    if (region !== undefined && isolation !== "L2") {
      failures.push(`${path}region: ${platform} places only databases of isolation "L2"; set that, or leave it out.`);
    }
  }
  if (news.region !== undefined && parts.every(({ region }) => region === undefined)) {
    failures.push(`region: ${platform} places only databases of isolation "L2"; set that, or leave it out.`);
  }
  const schema = blueprintOf(news.schema);
  if (schema !== undefined && !seen.has(schema)) {
    failures.push(
      `databases: the schema is of blueprint "${schema}", which is not among them; add it, or leave the schema out.`,
    );
  }
  return failures;
}

/** The parts that are to be somewhere else. Fails where there are to be others, which no call makes of a tenant. */
export function placingOf(olds: TenantDatabaseOutputs, news: TenantDatabaseInputs): PartInputs[] {
  const had = partsOf(olds);
  const wanted = partsOf(news);
  return wanted.filter((part) => {
    const before = had.find(({ blueprint }) => blueprint === part.blueprint);
    if (!before) return false;
    // A region that is not mentioned is wherever it is.
    const isElsewhere = part.region !== undefined && part.region !== before.region;
    return part.isolation !== before.isolation || isElsewhere;
  });
}

/** Whether a tenant is to be made of other blueprints. */
export function changesParts(olds: TenantDatabaseOutputs, news: TenantDatabaseInputs): boolean {
  const names = (of: Inputs): string =>
    JSON.stringify(
      partsOf(of)
        .map(({ blueprint }) => blueprint)
        .sort(),
    );
  return names(olds) !== names(news);
}

export const otherParts = (olds: TenantDatabaseOutputs, news: TenantDatabaseInputs): TenantryError => {
  const names = (of: Inputs): string =>
    partsOf(of)
      .map(({ blueprint }) => `"${blueprint}"`)
      .join(", ");
  return new TenantryError(
    "needs-decision",
    `databases: changing them from ${names(olds)} to ${names(news)} would replace the tenant and its data.`,
    { fix: 'Set them back, declare another tenant, or decide with onReplace: "destroy" (a new, empty tenant).' },
  );
};

/** For the reader: what moves where. */
export const placingNote = (name: string, placing: readonly PartSpec[]): string | undefined =>
  placing.length === 0
    ? undefined
    : `${name}: to move ${placing.map(({ blueprint, isolation, region }) => `${blueprint} to ${isolation}${region ? ` in ${region}` : ""}`).join(", ")}`;

/**
 * The strings with which clients connect, by blueprint, secret: as the platform showed them at first, since later it may
 * mask them. One with the project's API key in it is kept only where the program says so.
 */
export function connectionStringsOf(
  inputs: Inputs,
  parts: PlatformDatabase["parts"],
  known: Readonly<Record<string, string>> | undefined,
): Record<string, string> | undefined {
  const declared = partsOf(inputs);
  if (declared.length === 0) return undefined;
  const found = declared.flatMap(({ blueprint, allowApiKey }): [string, string][] => {
    const part = parts?.find((one) => one.blueprint === blueprint);
    const text = known?.[blueprint] ?? part?.connectionString;
    const holdsApiKey = part?.engine === "redis" || /^rediss?:/.test(text ?? "");
    return text === undefined || (holdsApiKey && allowApiKey !== true) ? [] : [[blueprint, text]];
  });
  return Object.fromEntries(found);
}

/** Why a string is not among the outputs, for the reader; undefined where all are. */
export function missingStrings(
  name: string,
  inputs: Inputs,
  parts: PlatformDatabase["parts"],
  strings: Readonly<Record<string, string>> | undefined,
): string | undefined {
  const missing = partsOf(inputs).filter(({ blueprint }) => strings?.[blueprint] === undefined);
  const whys = missing.map(({ blueprint, allowApiKey }) => {
    const engine = parts?.find((one) => one.blueprint === blueprint)?.engine;
    return engine === "redis" && allowApiKey !== true
      ? `that of "${blueprint}" (redis) holds the project's API key: say allowApiKey: true there to have it in the state`
      : `that of "${blueprint}" is masked by the platform: set tenantry:proxyPassword`;
  });
  return whys.length === 0 ? undefined : `${name}: connectionStrings lacks ${whys.length}: ${whys.join("; ")}`;
}

/** Declared parts with the isolation that was seen, so that what somebody has moved shows. */
export function observedParts(inputs: Inputs, parts: PlatformDatabase["parts"]): Partial<TenantDatabaseInputs> {
  const seen = (blueprint: string): string | undefined => parts?.find((one) => one.blueprint === blueprint)?.isolation;
  const moved = partsOf(inputs).filter(({ blueprint, isolation }) => (seen(blueprint) ?? isolation) !== isolation);
  if (moved.length === 0) return {};
  const databases = partsOf(inputs).map((part) => ({ ...part, isolation: seen(part.blueprint) ?? part.isolation }));
  return { databases };
}
