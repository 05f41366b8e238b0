import { Command, Option } from "commander";
import { TenantryError } from "../../provider/platform/errors";
import { reapedMeanwhile } from "../../provider/registry/reaping";
import { isRuntimeAddress } from "../../provider/registry/runtime-address";
import { findTrash } from "../../provider/registry/trash";
import { type Untrashed, untrash } from "../../provider/registry/untrash";
import { withSettings } from "./registry/flags";
import { type Ground, type GroundFlags, groundLine, openPlainGround } from "./schema/ground";
import { type FoundTenant, findTenant, requireLiving } from "./tenant/find";

type Flags = GroundFlags & { readonly json?: boolean; readonly backup?: readonly string[] };

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
    .option("--json", "print one JSON document in place of text")
    .addHelpText(
      "after",
      `
A tenant that is not in the trash is left as it is. With --backup what was
written since is gone, each time that it is called.

Exit code: 0, 1 an error, there is no such tenant, or it came back with other
rows than it had.

Examples:
  tenantry restore acme
  tenantry restore acme --backup "s3://backups/acme/2026-02-15.sql"`,
    )
    .action(run);
}

async function run(tenant: string, { json, backup: backups, ...flags }: Flags): Promise<void> {
  const ground = await openPlainGround(flags, "full-access");
  const found = await findTenant(ground, tenant);
  if (backups) return putBack(ground, found, backups, json);
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
async function putBack(ground: Ground, found: FoundTenant, backups: readonly string[], json?: boolean): Promise<void> {
  const { platform } = ground.context;
  if (!platform.capabilities.restoreInPlace.includes("backup")) {
    throw new TenantryError("unsupported", `--backup: ${platform.name} has no backups that can be named.`, {
      fix: "`restoreFrom: { timestamp, key }` copies a past moment where the platform keeps a history.",
    });
  }
  const { name, tenant } = found.claim;
  await requireLiving(ground, found);
  for (const backup of backups) await platform.restoreDatabase!(name, { backup });
  const document = { format: 1, scope: ground.scope, name, group: found.group, tenant: tenant ?? null, backups };
  process.stdout.write(
    json
      ? `${JSON.stringify(document, undefined, 2)}\n`
      : `${groundLine(ground)}\n${name}: it is as it was in ${backups.map((one) => `"${one}"`).join(" and ")}.\n`,
  );
}

const wasOver = "Its own time was over, so it has no end any more, until a program declares one.";

const whatNext = (address: string): string[] =>
  isRuntimeAddress(address)
    ? []
    : [
        `The next \`pulumi up\` of ${address} takes it as it is; \`npx tenantry registry claim\` gives it to another resource.`,
      ];
