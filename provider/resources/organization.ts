import { z } from "zod";
import type { Context } from "../context";
import type { Capabilities } from "../platform/capabilities";
import { didYouMean } from "../platform/did-you-mean";
import type { Directory, GivenRole } from "../platform/directory";
import { TenantryError } from "../platform/errors";
import type { CommonInputs, Failure } from "./handler";
import { hasUnknown } from "./unknown";

/** What Member, Invite and ApiToken have in common: they belong to an organization, not to a group. */
export const roles = ["admin", "member", "viewer"] as const satisfies readonly GivenRole[];
export const defaultRole: GivenRole = "member";
/** Judged by `judgeRole`. */
export const roleShape = z.string().optional();

export function judgeRole(role: unknown): Failure[] {
  if (role === undefined || hasUnknown(role) || roles.some((one) => one === role)) return [];
  if (role === "owner") return [`role: an owner is not made by a role; use ${listed(roles)}.`];
  const guess = didYouMean(String(role), roles);
  return [`role: must be ${listed(roles)}${guess ? `; did you mean "${guess}"?` : "."}`];
}

export const listed = (words: readonly string[]): string =>
  words
    .map((word) => `"${word}"`)
    .join(", ")
    .replace(/, ([^,]*)$/, " or $1");

/** The failure of a platform that has none, with the path of what the resource cannot do without. */
export function lacksDirectory(
  path: string,
  what: string,
  { directory }: Capabilities,
  platform: string,
): Failure[] | undefined {
  if (directory) return undefined;
  return [`${path}: ${platform} has no ${what} that a program could manage; leave it out, and see its console.`];
}

export function directoryOf({ platform }: Context): Directory {
  if (platform.directory) return platform.directory;
  throw new TenantryError("unsupported", `${platform.name} has no directory that a program could manage.`, {
    fix: "Leave the resource out, and see the platform's console.",
  });
}

/** It is to be in another organization: what is here ends, and another one begins there. */
export const isElsewhere = (
  olds: CommonInputs & { readonly scope: string },
  news: CommonInputs,
  { knownScope }: Context,
): boolean => !hasUnknown(news.connection) && olds.connection !== news.connection && knownScope !== olds.scope;

/** Names of accounts and addresses, which are the same in whatever case. */
export const sameName = (one: string | undefined, other: string | undefined): boolean =>
  one?.toLowerCase() === other?.toLowerCase();
