import type { Orphan, OrphanStatus, Orphans } from "./orphan";
import type { Scene } from "./scene";

/** What each status means, and what to do about it. */
const meanings: Record<OrphanStatus, string> = {
  "unfinished-create":
    "a run announced it and did not end. If none is at work: `pulumi up` on its stack goes on with it.",
  "unfinished-delete":
    "a run began to delete it and did not end. If none is at work: `pulumi up` keeps it where it is declared, `release` gives it up.",
  "without-state":
    "it has an owner, but its stack's state does not have it. `pulumi up` adopts it where its address is declared, `claim` gives it to another address, `release` lets it be nobody's.",
  "handed-over":
    "it was handed over on purpose, and its new place has not taken it yet. `pulumi up` there takes it, `move --undo` gives it back.",
  "database-gone": "it is claimed, but not on the platform. Its command forgets it.",
  "other-database": "somebody made another database under the name since. Its command forgets the first one.",
  "not-compared": "it has an owner; whether a state has it was not looked at.",
  trashed:
    "it was deleted softly, and keeps its name. `restore` brings it back, `reap` deletes it when its time is over.",
  unmanaged: 'an application made it at run time. Declare it with adopt: "unowned" to manage it.',
  unclaimed: 'it is in the group, but not in its registry. Declare it with adopt: "unowned" to manage it.',
};

/** For people: which settings and which state, a table, then what each status in it means. */
export function reportOf(scene: Scene, { orphans, elsewhere, unmanaged, branches }: Orphans, now = Date.now()): string {
  const lines = [contextLine(scene), ...scene.notes, ""];
  if (orphans.length > 0) lines.push(...table(orphans, now), "");
  lines.push(summary(scene, orphans));
  for (const status of new Set(orphans.map((one) => one.status))) lines.push(`${status}: ${meanings[status]}`);
  if (unmanaged > 0 && !orphans.some(({ status }) => status === "unmanaged")) {
    lines.push(`${unmanaged} more that applications made at run time, and no stack manages: --unclaimed lists them.`);
  }
  if (branches > 0) lines.push(`${branches} more for pull requests: \`npx tenantry preview list\` shows them.`);
  const others = Object.entries(elsewhere);
  for (const [stack, count] of others) {
    lines.push(
      `${count} more of ${stack}: compare with \`npx tenantry registry orphans --stack ${stack}\` where pulumi reaches it.`,
    );
  }
  const commands = [...new Set(orphans.flatMap((one) => one.commands))];
  if (commands.length > 0) lines.push("", "Commands:", ...commands.map((command) => `  ${command}`));
  return `${lines.join("\n")}\n`;
}

/** Which stack and platform were used, and who said so. */
export function contextLine({ stack, scope, source }: Scene): string {
  const whose = stack ? `Stack ${stack.name} (${stack.from}), compared with its state. ` : "";
  return `${whose}Platform ${scope} (${source}).`;
}

function summary({ stack, registries }: Scene, orphans: readonly Orphan[]): string {
  const where = `${registries.length} ${registries.length === 1 ? "group" : "groups"}`;
  if (stack) return `${orphans.length} of ${where} ${orphans.length === 1 ? "needs" : "need"} a decision.`;
  return (
    `${orphans.length} ${orphans.length === 1 ? "claim" : "claims"} in ${where}. Which of them a state has was not looked at: ` +
    "run this in a project's folder, or with --stack organization/project/stack."
  );
}

function table(orphans: readonly Orphan[], now: number): string[] {
  const head = ["STATUS", "KIND", "NAME", "GROUP", "STATE", "AGE", "RUN", "ADDRESS"];
  const rows = orphans.map((one) => [
    ...[one.status, one.kind, one.name, one.group, one.state ?? "-"],
    ...[ageOf(one.since, now), one.run === null ? "-" : String(one.run), one.address ?? "-"],
  ]);
  const widths = head.map((_, column) => Math.max(...[head, ...rows].map((row) => row[column]!.length)));
  return [head, ...rows].map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd(),
  );
}

/** "45s", "12m", "3h", "8d"; a dash where it is not known. */
export function ageOf(since: string | null, now: number): string {
  if (since === null) return "-";
  const seconds = Math.max(0, Math.floor((now - Date.parse(since)) / 1000));
  for (const [unit, length] of [
    ["d", 86_400],
    ["h", 3_600],
    ["m", 60],
  ] as const) {
    if (seconds >= 2 * length) return `${Math.floor(seconds / length)}${unit}`;
  }
  return `${seconds}s`;
}
