import { Command, Option } from "commander";
import { z } from "zod";
import { TenantryError } from "../../provider/platform/errors";
import type { RestorePoint } from "../../provider/platform/life";
import { reapedMeanwhile } from "../../provider/registry/reaping";
import { isRuntimeAddress } from "../../provider/registry/runtime-address";
import { findTrash } from "../../provider/registry/trash";
import { type Untrashed, untrash } from "../../provider/registry/untrash";
import { withSettings } from "./registry/flags";
import { type Ground, type GroundFlags, groundLine, openPlainGround } from "./schema/ground";
import { type FoundTenant, findTenant, requireLiving } from "./tenant/find";
import { pastInstead } from "./tenant/reader";

type Flags = GroundFlags & {
  readonly json?: boolean;
  readonly backup?: readonly string[];
  readonly timestamp?: string;
  readonly undo?: boolean;
};

/** `tenantry restore TENANT`: brings back what was deleted softly, or what a backup has. */
export function restoreCommand(): Command {
  return withSettings(new Command("restore"))
    .description("Bring a tenant back that was deleted softly, or put it back to a backup of it.")
    .argument("<tenant>", "name of its database, or its id")
    .addOption(
      new Option(
        "--backup <backup>",
        "put it back to that one, as `tenantry backups` calls it; may be repeated",
      ).argParser((backup: string, others: readonly string[] = []) => [...others, backup]),
    )
    .addOption(
      new Option("--timestamp <moment>", 'put it back to what it was then, such as "2026-11-27T09:30:00Z"').conflicts([
        "backup",
        "undo",
      ]),
    )
    .addOption(new Option("--undo", "take the last --timestamp back, as long as that is possible").conflicts("backup"))
    .option("--json", "print one JSON document in place of text")
    .addHelpText(
      "after",
      `
A tenant that is not in the trash is left as it is. With --backup or --timestamp
what was written since is gone, each time that it is called; where a platform
puts nothing back in place, \`restoreFrom\` in a program makes a copy.

Exit code: 0, 1 an error, there is no such tenant, or it came back with other
rows than it had.

Examples:
  tenantry restore acme
  tenantry restore acme --backup "s3://backups/acme/2026-02-15.sql"
  tenantry restore acme --timestamp 2026-11-27T09:30:00Z
  tenantry restore acme --undo`,
    )
    .action(run);
}

async function run(tenant: string, { json, backup, timestamp, undo, ...flags }: Flags): Promise<void> {
  if (timestamp !== undefined && !z.iso.datetime({ offset: true }).safeParse(timestamp).success) {
    throw new TenantryError("invalid-input", `--timestamp: "${timestamp}" is not a moment with its zone.`, {
      fix: 'Write it like "2026-11-27T09:30:00Z".',
    });
  }
  const ground = await openPlainGround(flags, "full-access");
  const found = await findTenant(ground, tenant);
  const points = timestamp === undefined ? backup?.map((one) => ({ backup: one })) : [{ timestamp }];
  if (points) return putBack(ground, found, points, json);
  if (undo) return takeBack(ground, found, json);
  const { claim, group, sql } = found;
  const { name, state, address } = claim;
  if (state === "reaping") throw reapedMeanwhile(name);
  const trash = state === "trashed" || state === "deleting" ? await findTrash(sql, name) : undefined;
  if (state === "deleting" && trash?.databaseId !== claim.databaseId) {
    throw new TenantryError("not-ready", `${name}: a delete of it was begun, and not a soft one.`, {
      fix: "Run `pulumi up` on its stack: where it is declared and still there, it stays.",
    });
  }
  const { wasExpired, missing } = trash
    ? await untrash(ground.context.platform, sql, claim, trash)
    : ({ wasExpired: false } as Untrashed);
  // It is back, and the registry has it so: said again, it would be left as it is.
  if (missing instanceof TenantryError) throw missing;
  const back = missing === undefined ? `${name}: it is back, with all its rows.` : `${name}: it is back.`;
  const lines = trash
    ? [back, ...(missing === undefined ? [] : [`${missing}.`]), ...whatNext(address), ...(wasExpired ? [wasOver] : [])]
    : [`${name}: it is not in the trash, so nothing was done.`];
  const document = {
    format: 1,
    scope: ground.scope,
    name,
    group,
    tenant: claim.tenant ?? null,
    restored: trash !== undefined,
    note: missing ?? null,
  };
  process.stdout.write(
    json ? `${JSON.stringify(document, undefined, 2)}\n` : `${[groundLine(ground), ...lines].join("\n")}\n`,
  );
}

/** One after the other: a tenant of several databases has a backup of each. */
async function putBack(ground: Ground, found: FoundTenant, points: readonly RestorePoint[], json?: boolean) {
  const { platform } = ground.context;
  const kind = "timestamp" in points[0]! ? "timestamp" : "backup";
  if (!platform.capabilities.restoreInPlace.includes(kind)) {
    const what = kind === "backup" ? "has no backups that can be named" : "puts nothing back where it is";
    throw new TenantryError("unsupported", `--${kind}: ${platform.name} ${what}.`, {
      fix: pastInstead(platform.capabilities),
    });
  }
  await requireLiving(ground, found);
  const { name } = found.claim;
  let undoUntil: string | undefined;
  for (const point of points) ({ undoUntil } = await platform.restoreDatabase!(name, point));
  const where = points.map((one) => ("backup" in one ? `in "${one.backup}"` : `at ${one.timestamp}`)).join(" and ");
  const until = undoUntil === undefined ? "" : ` Until ${undoUntil} \`npx tenantry restore ${name} --undo\` undoes it.`;
  const backups = points.flatMap((one) => ("backup" in one ? [one.backup] : []));
  const done = kind === "backup" ? { backups } : { ...points[0], undoUntil: undoUntil ?? null };
  tell(ground, found, `${name}: it is as it was ${where}.${until}`, done, json);
}

async function takeBack(ground: Ground, found: FoundTenant, json?: boolean): Promise<void> {
  const { platform } = ground.context;
  if (platform.capabilities.restoreUndo === 0) {
    throw new TenantryError("unsupported", `--undo: ${platform.name} takes no restore back.`, {
      fix: platform.capabilities.seedAtTime
        ? "`restoreFrom: { undo }` deletes the copy that a restore has made there."
        : "Nothing is restored there either.",
    });
  }
  await requireLiving(ground, found);
  const { name } = found.claim;
  await platform.undoRestore!(name);
  tell(ground, found, `${name}: the last restore is undone.`, { undone: true }, json);
}

function tell(ground: Ground, { claim, group }: FoundTenant, line: string, more: object, json?: boolean): void {
  const document = { format: 1, scope: ground.scope, name: claim.name, group, tenant: claim.tenant ?? null, ...more };
  process.stdout.write(json ? `${JSON.stringify(document, undefined, 2)}\n` : `${groundLine(ground)}\n${line}\n`);
}

const wasOver = "Its own time was over, so it has no end any more, until a program declares one.";

const whatNext = (address: string): string[] =>
  isRuntimeAddress(address)
    ? []
    : [
        `The next \`pulumi up\` of ${address} takes it as it is; \`npx tenantry registry claim\` gives it to another resource.`,
      ];
