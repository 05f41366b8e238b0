import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { TenantryError } from "../../platform/errors";
import type { CommonInputs } from "../handler";
import { parseSelf } from "../self";
import type { TenantDatabaseInputs } from "../tenant-database/inputs";

/** A tenant of a fleet, with everything that is declared of it. */
export type RosterTenant = { readonly id: string } & Omit<
  TenantDatabaseInputs,
  keyof CommonInputs | "nameIsDefault" | "tenant" | "timeouts" | "isolation" | "region" | "databases" | "restoreFrom"
>;

/**
 * The tenants of one fleet, as they travel from the program to the provider: by file, because an input of 10,000 entries
 * costs the engine 20 s at every step.
 */
export interface Roster {
  /** Sorted by id, by UTF-16 code units. */
  readonly tenants: readonly RosterTenant[];
}

/** What can be declared of a tenant, in the order in which it is written. */
export const rosterKeys = [
  ...(["id", "name", "group", "labels", "schema", "seed", "blockReads", "blockWrites", "suspended"] as const),
  ...(["deleteProtection", "allowedIps", "sizeLimit", "adopt", "onReplace", "deletionPolicy", "gracePeriod"] as const),
  ...(["expiresIn", "expiresAt"] as const),
] satisfies (keyof RosterTenant)[];

const rosterKeySet: ReadonlySet<string> = new Set(rosterKeys);

/** What can be declared of a tenant beside its id, its name and its end. */
export const profileKeys = rosterKeys.filter((key) => key !== "id" && key !== "name" && key !== "expiresAt");

/** One text for one roster: sorted tenants, keys in one order, a tenant a line. */
export function rosterText({ tenants }: Roster): string {
  const sorted = [...tenants].sort((a, b) => (a.id < b.id ? -1 : Number(a.id > b.id)));
  const lines = sorted.map((tenant) => JSON.stringify(whole(tenant)));
  return `{"tenants":[\n${lines.join(",\n")}\n]}\n`;
}

/** 32 hexadecimal digits. */
export const rosterDigest = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 32);

/** What is not known is kept, for whoever judges it. */
function whole(tenant: RosterTenant): object {
  const strange = Object.entries(tenant).filter(([key]) => !isRosterKey(key));
  return { ...orderedKeys(tenant, rosterKeys), ...sorted(Object.fromEntries(strange)) };
}

export const isRosterKey = (key: string): boolean => rosterKeySet.has(key);

/** These properties in this order, without what is not given. Labels are sorted: on some ways a map loses its order. */
export function orderedKeys<Of extends Partial<RosterTenant>>(of: Of, wanted: readonly (keyof RosterTenant)[]): object {
  const picked: Record<string, unknown> = {};
  for (const key of wanted) {
    const value = of[key];
    if (value !== undefined) picked[key] = key === "labels" ? sorted(value as NonNullable<Of["labels"]>) : value;
  }
  return picked;
}

const sorted = <Value>(map: Readonly<Record<string, Value>>): Record<string, Value> =>
  Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));

/** Where a fleet's rosters are, as seen from the project's folder, so that state is the same on every machine. */
export function rosterFolder(self: string): string {
  const { stack, resource } = parseSelf(self);
  const [, , stackName = ""] = stack.split("/");
  return [".tenantry", "fleets", encodeURIComponent(stackName), encodeURIComponent(resource)].join("/");
}

/** The roster that a program wrote last, in a preview too; undefined where there is none. */
export function newestRoster(folder: string): { readonly digest: string; readonly writtenAt: Date } | undefined {
  const [file] = existsSync(folder) ? byAge(folder) : [];
  const writtenAt = file && statSync(join(folder, file), { throwIfNoEntry: false })?.mtime;
  return file && writtenAt ? { digest: file.slice(0, -".json".length), writtenAt } : undefined;
}

/** How many rosters of a fleet are kept: the one at work, and what a preview beside it has written. */
const kept = 3;

/**
 * Writes the roster into `folder` (absolute) under the name of its digest, whole or not at all, and removes old ones.
 * Answers the digest.
 */
export function writeRoster(folder: string, roster: Roster): string {
  const text = rosterText(roster);
  const digest = rosterDigest(text);
  const file = join(folder, `${digest}.json`);
  mkdirSync(folder, { recursive: true });
  if (!isThere(file, text)) {
    const part = join(folder, `${digest}.${process.pid}.part`);
    writeFileSync(part, text);
    renameSync(part, file);
  }
  const now = new Date();
  utimesSync(file, now, now);
  removeOld(folder, digest);
  return digest;
}

function isThere(file: string, text: string): boolean {
  try {
    return readFileSync(file, "utf8") === text;
  } catch {
    return false;
  }
}

function removeOld(folder: string, digest: string): void {
  // The one just written stays whatever the clock says: within a millisecond, all are as new.
  const others = byAge(folder).filter((file) => file !== `${digest}.json`);
  for (const file of others.slice(kept - 1)) rmSync(join(folder, file), { force: true });
}

/** The newest first. A file that somebody else removes at the same time is as gone. */
function byAge(folder: string): string[] {
  const age = (file: string): number => statSync(join(folder, file), { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const rosters = readdirSync(folder).filter((file) => /^[0-9a-f]{32}\.json$/.test(file));
  const aged = rosters.map((file) => ({ file, at: age(file) })).sort((one, other) => other.at - one.at);
  return aged.map(({ file }) => file);
}

/** The roster of that digest. Fails with "invalid-input" where it is not there, or is not what the program wrote. */
export function readRoster(folder: string, digest: string): Roster {
  const file = join(folder, `${digest}.json`);
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch {
    throw unusable(file, "is not there");
  }
  if (rosterDigest(text) !== digest) throw unusable(file, "was changed since the program wrote it");
  return JSON.parse(text) as Roster;
}

const unusable = (file: string, what: string): TenantryError =>
  new TenantryError("invalid-input", `tenants: the fleet's roster ${file} ${what}.`, {
    fix: "The program writes it: run `pulumi up` again.",
  });
