import type { ClaimKind } from "./claim";

/**
 * The commands of `tenantry registry`, as messages name them: whole, so that they can be pasted into a shell. What a
 * refusal says about unclear ownership is written here and nowhere else.
 */
interface Named {
  readonly kind: ClaimKind;
  readonly name: string;
}

export const orphansCommand = (group: string, ...more: string[]): string =>
  command("orphans", "--group", group, ...more);

export function claimCommand({ kind, name }: Named, as: string, ...more: string[]): string {
  return command("claim", name, ...ofKind(kind), "--as", as, ...more);
}

export const releaseCommand = ({ kind, name }: Named, ...more: string[]): string =>
  command("release", name, ...ofKind(kind), ...more);

/** For a resource that wants what somebody else has: the way that looks first whether anybody still has it. */
export const takeOrphan = (claim: Named & { readonly address: string }, as: string): string =>
  `If no state has it any more, run \`${claimCommand(claim, as, "--stack", stackOf(claim.address))}\`, then \`pulumi up\`.`;

/** For a resource that wants what another one has that still stands in a state: the hand-over, before the next `up`. */
export const handOverFirst = ({ name, address }: Named & { readonly address: string }, as: string): string =>
  `To move it there, run \`${shell("move", name, "--to", as, "--stack", stackOf(address))}\`, then \`pulumi up\`.`;

export const undoCommand = ({ name }: Pick<Named, "name">, ...more: string[]): string =>
  shell("move", "--undo", name, ...more);

export const restoreCommand = ({ name }: Pick<Named, "name">, ...more: string[]): string =>
  shell("restore", name, ...more);

export const reapCommand = ({ name }: Pick<Named, "name">, ...more: string[]): string =>
  shell("reap", name, "--yes", ...more);

/** For a resource of a state that has lost it: its row has another owner now. */
export const letGoOrTakeBack = (claim: Named, self: string): string =>
  `Take it out of this stack with \`pulumi state delete\`; to have it back after that, run \`${claimCommand(claim, self, "--force")}\`, then \`pulumi up\`.`;

/** For a database that the registry does not know. */
export const unclaimed = (group: string): string => `\`${orphansCommand(group, "--unclaimed")}\` lists such databases.`;

/** For a group that cannot go, because its registry has claims on databases that no resource of this run deleted. */
export const claimed = (group: string): string => `\`${orphansCommand(group)}\` shows whose they are, and what to do.`;

/** The stack of an address: `organization/project/stack`. */
export const stackOf = (address: string): string => address.split("/", 3).join("/");

const ofKind = (kind: ClaimKind): string[] => (kind === "group" ? ["--kind", "group"] : []);

const command = (...parts: string[]): string => shell("registry", ...parts);

const shell = (...parts: string[]): string => ["npx tenantry", ...parts.map(quoted)].join(" ");

/** For a shell: the address of a component's child has a "$" in it. */
export const quoted = (text: string): string =>
  /^[\w./:@=+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
