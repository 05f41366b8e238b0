import { z } from "zod";
import { parseDuration } from "../../provider/duration";

// The one definition of a manifest: what is read is held against it, and the JSON Schema that editors use is made of it.

const aDuration = 'must be a duration such as "7d" or "1h30m"';
const isDuration = (text: string): boolean => {
  try {
    return parseDuration(text, "") !== undefined;
  } catch {
    return false;
  }
};
const duration = z
  .string()
  .regex(/^(?:\d+[wdhms])+$/, { error: aDuration, abort: true })
  .refine(isDuration, aDuration);
const lifetime = z
  .string()
  .regex(/^(?:never|(?:\d+[wdhms])+)$/, { error: `${aDuration}, or "never"`, abort: true })
  .refine((text) => text === "never" || isDuration(text), `${aDuration}, or "never"`);
const moment = z.iso.datetime({ offset: true, error: 'must be a moment such as "2027-01-31T00:00:00Z"' });

const minute = 60;
const day = 86_400;
const ttl = duration.refine((text) => {
  const seconds = isDuration(text) ? parseDuration(text, "")! : NaN;
  return seconds >= minute && seconds <= day;
}, "must be from 60s to 24h");

const ofALabel = z.string().min(1, "must not be empty").max(63, "must have at most 63 characters");
const labels = z
  .record(ofALabel, ofALabel)
  .refine((all) => Object.keys(all).length <= 32, "there are at most 32 labels")
  .describe(
    "Words by which a rollout's canary and waves find tenants, such as { ring: beta }; those of tenant, plan and defaults add up.",
  );

const named = z.string().min(1, "must not be empty");

/** What a tenant, a plan and the defaults can say; a tenant wins over its plan, that over the defaults. */
const settings = {
  group: named.optional().describe("The group that the database is put into."),
  schema: named.optional().describe("One of `schemas`: what the database is made with and migrated to."),
  labels: labels.optional(),
  blockReads: z.boolean().optional().describe("Refuse all reads."),
  blockWrites: z.boolean().optional().describe("Refuse all writes."),
  suspended: z.boolean().optional().describe("Refuse reads and writes, keep the data."),
  deleteProtection: z.boolean().optional().describe("The platform refuses to delete the database."),
  allowedIps: z
    .array(z.union([z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()], "must be an IP address or a CIDR range"))
    .optional()
    .describe("Addresses or CIDR ranges that may connect; an empty list allows all. Paid plans of Turso."),
  sizeLimit: z
    .string()
    .regex(/^\d+(?:b|kb|mb|gb|tb)?$/i, 'must be a size such as "256mb"')
    .optional()
    .describe('Such as "256mb". Current Turso databases refuse it.'),
  adopt: z
    .enum(["never", "unowned", "force", "restore"])
    .optional()
    .describe(
      'A database that exists already: "never" refuses it, "unowned" takes it over as it is if nobody else has it, "force" takes it from another stack, "restore" takes it out of the trash. Default: never.',
    ),
  onReplace: z
    .enum(["error", "copy", "destroy"])
    .optional()
    .describe(
      'A change that needs another database (name, group): "error" refuses it, "copy" copies, compares and switches, "destroy" starts anew, empty. Default: error.',
    ),
  deletionPolicy: z
    .enum(["delete", "retain", "soft"])
    .optional()
    .describe(
      "What becomes of the database of a tenant that is taken out. Default: delete what was created, retain what was adopted.",
    ),
  gracePeriod: duration
    .optional()
    .describe('How long what is deleted softly can be brought back, such as "30d". Default: 7d.'),
  expiresIn: lifetime.optional().describe('Lifetime from the first deploy on, such as "14d".'),
  expiresAt: moment.optional().describe("The same as a moment, ISO 8601."),
  tokens: z
    .strictObject({
      access: z
        .enum(["read-only", "read-write", "full-access"])
        .optional()
        .describe("What an application's token may do. Default: read-write."),
      ttl: ttl.optional().describe('How long a token lives, from "60s" to "24h". Default: 1h.'),
    })
    .optional()
    .describe("The tokens that the run-time library mints. No token is ever part of a fleet's state."),
};

const geo = named.describe(
  "Where the data must stay: one of `residency`. The tenant's group must be one of those allowed there.",
);

export const plan = z.strictObject(settings);

export const defaults = z.strictObject({
  ...settings,
  plan: named.optional().describe("The plan of tenants that name none."),
  geo: geo.optional(),
});

/** Text that a database or an organization can be called. */
const databaseName = z
  .string()
  .regex(/^[a-z0-9-]{1,64}$/, "must be lowercase letters, digits and dashes, at most 64 characters");

const ofATenant = {
  name: databaseName.optional().describe("The database's name, where it is not the one that `namePattern` gives."),
  plan: named.optional().describe("One of `plans`."),
  geo: geo.optional(),
  ...settings,
  seed: z
    .strictObject({
      database: named.describe("A database of the same group."),
      timestamp: moment.optional().describe("As it was then, ISO 8601. Default: now."),
    })
    .optional()
    .describe("Start as a copy of another database. Used at creation only."),
};

const anId = "must have 1 to 200 characters, none of them a control character";
const isId = (text: string): boolean => text.length >= 1 && text.length <= 200 && !/\p{Cc}/u.test(text);
const id = z.string().refine(isId, anId).describe("The tenant's own id, unique, and for ever.");

export const tenant = z.strictObject(ofATenant);
export const listedTenant = z.strictObject({ id, ...ofATenant });

export const group = z.strictObject({
  adopt: z
    .enum(["never", "unowned", "force"])
    .optional()
    .describe("With a location: what to do with a group of that name that holds databases already. Default: never."),
  location: named
    .optional()
    .describe(
      'Where it is, such as "aws-eu-west-1": the fleet makes the group there. Without it: a group that exists.',
    ),
});

export const residencyRule = z
  .strictObject({
    groups: z.array(named).optional().describe("Groups that are allowed."),
    locations: z.array(named).optional().describe("Locations whose groups (of `groups`) are allowed."),
  })
  .refine((rule) => rule.groups !== undefined || rule.locations !== undefined, "must have groups, or locations");

export const schema = z.strictObject({
  migrations: named.describe("Folder of migrations, from the manifest's folder."),
  format: z
    .enum(["auto", "sql", "drizzle", "prisma", "dbmate"])
    .optional()
    .describe("How that folder is laid out. Default: auto."),
  seedFrom: z
    .enum(["template", "migrations"])
    .optional()
    .describe(
      "How a new tenant gets the schema: copied from a template database, or migrated from empty. Default: template.",
    ),
});

const whole = (from: number, to: number) => {
  const text = `must be a whole number from ${from} to ${to}`;
  return z.int(text).min(from, text).max(to, text);
};
const aWave = "must be a share of the fleet such as 0.1, or labels";
const aCanary = "must be ids of tenants, labels, or a number of tenants";

export const rollout = z.strictObject({
  canary: z
    .union([whole(0, 1_000_000), z.array(named), labels], aCanary)
    .optional()
    .describe("Who goes first, alone: ids of tenants, labels, or a number. Default: 1."),
  waves: z
    .array(z.union([z.number().gt(0, aWave).max(1, aWave), labels], aWave))
    .min(1, "there must be one at least")
    .optional()
    .describe(
      "Then, one after the other: those with these labels, or everybody up to a share of the fleet. Default: [1].",
    ),
  concurrency: whole(1, 256).optional().describe("Tenants at a time. Default: 16."),
  maxFailures: z
    .union(
      [whole(0, 1_000_000), z.string().regex(/^\d+(?:\.\d+)?\s?%$/)],
      'must be a number of tenants, or a share such as "5%"',
    )
    .optional()
    .describe('How many may fail before no other is begun: a number, or "5%". Default: 0.'),
  pauseBetween: duration.optional().describe('Between two waves, such as "10m". Default: none.'),
  onFailure: z
    .enum(["stop", "quarantine"])
    .optional()
    .describe("What a failed tenant does to the deploy. Default: stop."),
  timeout: duration.optional().describe("For one tenant. Default: 5m."),
  lockTimeout: duration.optional().describe("For a database that somebody else keeps locked. Default: 30s."),
  allowDestructive: z.array(named).optional().describe("Ids of migrations that may destroy data."),
  verify: z.boolean().optional().describe("Try the change on a few tenants first, and take it back. Default: true."),
});

const aPattern = 'must hold {id} once, beside lowercase letters, digits and dashes, such as "tenant-{id}"';

/** Where a fleet can run: whose tenants Tenantry migrates itself. */
const fleetPlatforms = ["turso", "local", "libsql-server", "persql"] as const;

/** Sections of which a manifest has one, in one of its files. */
export const single = {
  platform: z
    .enum(fleetPlatforms)
    .optional()
    .describe(
      "Where the command line and the run-time library look when nothing else says so; a deploy asks its stack.",
    ),
  organization: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]*$/, "must be an organization's slug")
    .optional()
    .describe("As `platform`: the organization's slug."),
  namePattern: z
    .string()
    .regex(/^[a-z0-9-]*\{id\}[a-z0-9-]*$/, aPattern)
    .optional()
    .describe('How a database is called: "tenant-{id}". Default: "{id}".'),
  maxRemovals: whole(0, 1_000_000)
    .optional()
    .describe(
      "Tenants that one deploy may remove. Default: 10, or 5 % of more than 200; none where nobody would be left.",
    ),
  rollout: rollout.optional().describe("How migrations go over the tenants."),
  defaults: defaults.optional().describe("For all tenants, where neither the tenant nor its plan says otherwise."),
};

/** Sections whose entries add up over files. */
export const entries = { groups: group, residency: residencyRule, plans: plan, schemas: schema };

const tenants = z.union([
  z.record(z.string(), tenant.nullable()).describe("Ids, with what is special about each, or nothing."),
  z.array(z.union([id, listedTenant])),
  z.string().describe("A CSV file: a row each, `id` and other properties as columns, labels as `label:ring`."),
]);

const version = z.literal(1, "must be 1: this release reads no other").describe("Of this format.");

/** A whole file. */
export const manifestFile = z.strictObject({
  $schema: z.string().optional(),
  version,
  ...single,
  groups: z
    .record(named, group.nullable())
    .optional()
    .describe("Groups by name. Where there is this section, tenants can be in these only."),
  residency: z.record(named, residencyRule).optional().describe("Which groups are allowed for a tenant's `geo`."),
  plans: z.record(named, plan.nullable()).optional().describe("Settings by name, for tenants that have this `plan`."),
  schemas: z.record(named, schema).optional().describe("Folders of migrations by name."),
  tenants: tenants.optional().describe("One database each."),
});

export const sections = Object.keys(manifestFile.shape);
export const tenantProperties = Object.keys(ofATenant);

export type Settings = z.infer<typeof plan>;
export type Plan = Settings;
export type Defaults = z.infer<typeof defaults>;
export type TenantEntry = z.infer<typeof tenant>;
export type ManifestGroup = z.infer<typeof group>;
export type ResidencyRule = z.infer<typeof residencyRule>;
export type ManifestSchema = z.infer<typeof schema>;
export type ManifestRollout = z.infer<typeof rollout>;

/** What a tenant's place and settings follow from; plain data, also at run time. */
export interface Rules {
  readonly defaults: Defaults;
  /** Undefined: any group is allowed. */
  readonly groups: Readonly<Record<string, ManifestGroup>> | undefined;
  readonly residency: Readonly<Record<string, ResidencyRule>>;
  readonly plans: Readonly<Record<string, Plan>>;
}

export interface ManifestTenant extends TenantEntry {
  readonly id: string;
}

/** A manifest that holds together; its files are merged. Plain data. */
export interface Manifest extends Rules {
  readonly version: 1;
  readonly platform?: (typeof fleetPlatforms)[number];
  readonly organization?: string;
  readonly namePattern: string;
  readonly maxRemovals?: number;
  readonly rollout?: ManifestRollout;
  /** Folders are relative to where the manifest's own path is. */
  readonly schemas: Readonly<Record<string, ManifestSchema>>;
  /** In the order of the files. */
  readonly tenants: readonly ManifestTenant[];
}
