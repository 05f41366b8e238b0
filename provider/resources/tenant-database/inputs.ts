import { z } from "zod";
import { parseDuration } from "../../duration";
import type { Capabilities } from "../../platform/capabilities";
import { type TemplateRef, parseTemplateRef } from "../../rollout/template-ref";
import { type CommonInputs, type Failure } from "../handler";
import { commonShape, judge, judgeName, labelsShape, nameShape } from "../inputs";
import { hasUnknown } from "../unknown";
import { type PartInputs, judgeParts, partShapes } from "./parts";
import { type RestoreFrom, restoreFromShape } from "./restore-point";

export interface TenantDatabaseInputs extends CommonInputs {
  readonly name: string;
  readonly nameIsDefault?: boolean;
  readonly tenant?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly group: string;
  /** A template's `ref`; see rollout/template-ref.ts. */
  readonly schema?: string;
  readonly seed?: { readonly database: string; readonly timestamp?: string };
  readonly blockReads?: boolean;
  readonly blockWrites?: boolean;
  readonly suspended?: boolean;
  readonly deleteProtection?: boolean;
  readonly allowedIps?: readonly string[];
  readonly sizeLimit?: string;
  readonly isolation?: string;
  readonly region?: string;
  readonly databases?: readonly PartInputs[];
  readonly adopt?: Adopt;
  readonly onReplace?: "error" | "copy" | "destroy";
  readonly deletionPolicy?: "delete" | "retain" | "soft";
  readonly gracePeriod?: string;
  readonly expiresIn?: string;
  readonly expiresAt?: string;
  readonly timeouts?: { readonly create?: string };
  readonly restoreFrom?: RestoreFrom;
}

export type Adopt = "never" | "unowned" | "force" | "restore";

const shape = {
  ...commonShape,
  ...nameShape,
  tenant: z.string().min(1).max(200).optional(),
  labels: labelsShape.optional(),
  group: z.string("must be a Group, or the name of a group that exists"),
  schema: z
    .string("must be a SchemaTemplate, or the ref of one")
    .refine((text) => parseTemplateRef(text) !== undefined, "must be a SchemaTemplate, or the ref of one")
    .optional(),
  seed: z.strictObject({ database: z.string(), timestamp: z.iso.datetime({ offset: true }).optional() }).optional(),
  blockReads: z.boolean().optional(),
  blockWrites: z.boolean().optional(),
  suspended: z.boolean().optional(),
  deleteProtection: z.boolean().optional(),
  allowedIps: z
    .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], "must be an IP address or a CIDR range"))
    .optional(),
  sizeLimit: z
    .string()
    .regex(/^\d+(?:b|kb|mb|gb|tb)?$/i, 'must be a size such as "256mb"')
    .optional(),
  ...partShapes,
  adopt: z.enum(["never", "unowned", "force", "restore"]).optional(),
  onReplace: z.enum(["error", "copy", "destroy"]).optional(),
  deletionPolicy: z.enum(["delete", "retain", "soft"]).optional(),
  gracePeriod: z.string().optional(),
  expiresIn: z.string().optional(),
  expiresAt: z.iso.datetime({ offset: true }).optional(),
  timeouts: z.strictObject({ create: z.string().optional() }).optional(),
  restoreFrom: restoreFromShape.optional(),
};

const schema = z.strictObject(shape);
/** What a user may write; the rest is the SDK's. */
const known = Object.keys(shape).filter((key) => !["self", "formerly", "nameIsDefault"].includes(key));

/** Everything that can be held against the inputs without asking the platform. */
export function judgeTenantDatabase(
  news: Partial<TenantDatabaseInputs>,
  capabilities: Capabilities,
  platform: string,
): Failure[] {
  const failures = judge(schema, news, known);
  failures.push(...judgeName("name", news.name, capabilities), ...judgeDurations(news));
  const without = (property: keyof TenantDatabaseInputs, can: boolean, instead: string): void => {
    if (news[property] !== undefined && !can) failures.push(`${property}: ${platform} cannot do that; ${instead}.`);
  };
  without("blockReads", capabilities.block, "leave it out");
  without("blockWrites", capabilities.block, "leave it out");
  without("suspended", capabilities.block || capabilities.suspend, "leave it out");
  without("deleteProtection", capabilities.deleteProtection, 'use Pulumi\'s "protect" option');
  without("allowedIps", capabilities.allowedIps, "leave it out");
  without("sizeLimit", capabilities.sizeLimit, "leave it out");
  without("isolation", capabilities.isolation, "every tenant is a database of its own there");
  without("region", capabilities.tenantRegion, "put the tenant into a group that is in the region");
  without("databases", capabilities.severalDatabases, "declare one TenantDatabase for each");
  without("seed", capabilities.seedFromDatabase, "use a schema");
  // What has the wrong shape is told by itself.
  if (!failures.some((text) => /^(?:databases|isolation|region|schema)/.test(text))) {
    failures.push(...judgeParts(news, capabilities, platform));
  }
  if (news.onReplace === "copy" && !capabilities.engines.includes("sqlite")) {
    failures.push(
      `onReplace: ${platform} copies no tenant, and its databases are not SQLite's; use "error" or "destroy".`,
    );
  }
  if (news.seed?.timestamp && !capabilities.seedAtTime) {
    failures.push(`seed.timestamp: ${platform} copies a database only as it is now; leave it out.`);
  }
  const kept = `${platform} deletes no database for a program; it stays until somebody deletes it in the platform's console`;
  if (news.deletionPolicy === "soft" && !capabilities.softDelete && !capabilities.block && !capabilities.suspend) {
    const instead = capabilities.deletes ? '"retain" or "delete"' : '"retain"';
    failures.push(`deletionPolicy: ${platform} has no soft delete; use ${instead}.`);
  }
  if (news.deletionPolicy === "delete" && !capabilities.deletes)
    failures.push(`deletionPolicy: ${kept}: leave it out, or use "retain".`);
  if (news.onReplace === "destroy" && !capabilities.deletes) failures.push(`onReplace: ${kept}: leave it out.`);
  for (const end of ["expiresIn", "expiresAt"] as const) {
    if (news[end] !== undefined && !capabilities.deletes) failures.push(`${end}: ${kept}: leave it out.`);
  }
  if (news.suspended && (news.blockReads === false || news.blockWrites === false)) {
    failures.push(
      "suspended: it blocks reads and writes, so blockReads and blockWrites cannot be false; leave them out.",
    );
  }
  if (news.expiresIn !== undefined && news.expiresAt !== undefined) {
    failures.push("expiresIn: expiresAt is given too; give one of them.");
  }
  return failures;
}

function judgeDurations(news: Partial<TenantDatabaseInputs>): Failure[] {
  const { expiresIn, gracePeriod } = news;
  const durations = { expiresIn, gracePeriod, ...prefixed("timeouts", news.timeouts) };
  if (gracePeriod === "never") return ['gracePeriod: it must end; deletionPolicy: "retain" keeps a database for good.'];
  return Object.entries(durations).flatMap(([path, text]) => {
    if (typeof text !== "string" || hasUnknown(text)) return [];
    try {
      parseDuration(text, path);
      return [];
    } catch (error) {
      return [(error as Error).message];
    }
  });
}

const prefixed = (path: string, values: object = {}): Record<string, unknown> =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [`${path}.${key}`, value]));

/** The template that the inputs name. */
export const schemaOf = ({ schema }: Pick<TenantDatabaseInputs, "schema">): TemplateRef | undefined =>
  schema === undefined ? undefined : parseTemplateRef(schema);

/** What becomes of a database that this stack made, where the program does not say. */
export const defaultDeletionPolicy = ({ softDelete, deletes }: Capabilities): "soft" | "delete" | "retain" =>
  softDelete ? "soft" : deletes ? "delete" : "retain";
