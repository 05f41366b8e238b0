import { Command } from "commander";
import { TenantryError } from "../../provider/platform/errors";
import { isRuntimeAddress } from "../../provider/registry/runtime-address";
import { openRuntimeRegistry } from "../../provider/registry/runtime-registry";
import { withSettings } from "./registry/flags";
import { type Ground, type GroundFlags, groundLine, openPlainGround } from "./schema/ground";
import { type FoundTenant, findTenant, requireLiving } from "./tenant/find";

type Flags = GroundFlags & { readonly json?: boolean };

/** `tenantry suspend TENANT`: refuses reads and writes, keeps the data. */
export const suspendCommand = (): Command =>
  command("suspend", "Refuse all reads and writes of a tenant's database, and keep its data.", true);

/** `tenantry resume TENANT` */
export const resumeCommand = (): Command => command("resume", "Let a suspended tenant go on.", false);

function command(verb: string, description: string, to: boolean): Command {
  return withSettings(new Command(verb))
    .description(description)
    .argument("<tenant>", "name of its database, or its id")
    .option("--json", "print one JSON document in place of text")
    .addHelpText(
      "after",
      `
Done twice it does nothing the second time. A program that declares \`suspended\`
or one of the two blocks sets them again with its next \`pulumi up\`.

Exit code: 0, 1 an error or there is no such tenant.

Example:
  tenantry ${verb} acme`,
    )
    .action((tenant: string, flags: Flags) => run(tenant, to, flags));
}

async function run(tenant: string, to: boolean, { json, ...flags }: Flags): Promise<void> {
  const ground = await openPlainGround(flags, "full-access");
  const found = await findTenant(ground, tenant);
  const isChanged = await suspend(ground, found, to);
  const { name, tenant: id } = found.claim;
  const document = { format: 1, scope: ground.scope, name, group: found.group, tenant: id ?? null };
  const said = to
    ? isChanged
      ? "reads and writes are refused, its data stays"
      : "it was suspended already"
    : isChanged
      ? "it goes on"
      : "it was not suspended";
  process.stdout.write(
    json
      ? `${JSON.stringify({ ...document, suspended: to, changed: isChanged }, undefined, 2)}\n`
      : `${groundLine(ground)}\n${name}: ${said}.\n`,
  );
}

/** Answers whether something changed. */
async function suspend(ground: Ground, found: FoundTenant, to: boolean): Promise<boolean> {
  const { platform } = ground.context;
  if (!platform.capabilities.block && !platform.capabilities.suspend) {
    throw new TenantryError("unsupported", `${platform.name} cannot suspend a tenant and keep its data.`, {
      fix: platform.capabilities.rotation === "none" ? "Let its tokens run out." : "Rotate its tokens.",
    });
  }
  const { name, address } = found.claim;
  await requireLiving(ground, found);
  const { blockReads = false, blockWrites = false } = (await platform.getConfiguration(name)) ?? {};
  const isSuspended = blockReads && blockWrites;
  if (!to && !isSuspended && (blockReads || blockWrites)) {
    // Somebody relies on that: a rename blocks writes while it copies.
    const what = blockReads
      ? "its reads are blocked, and its writes are not"
      : "its writes are blocked, and its reads are not";
    throw new TenantryError("needs-decision", `${name}: it is not suspended; ${what}.`, {
      fix: "Whoever has blocked them opens them again: a program by blockReads and blockWrites, a rename when it ends.",
    });
  }
  if (isSuspended !== to) await platform.configureDatabase(name, { blockReads: to, blockWrites: to });
  // Else `provision` would lift it once more, whoever has set it then.
  if (!to && isRuntimeAddress(address)) await openRuntimeRegistry(found.sql).suspend(name, false);
  return isSuspended !== to;
}
