import { Command } from "commander";
import { TenantryError } from "../../provider/platform/errors";
import { reapedMeanwhile } from "../../provider/registry/reaping";
import { isRuntimeAddress } from "../../provider/registry/runtime-address";
import { findTrash } from "../../provider/registry/trash";
import { untrash } from "../../provider/registry/untrash";
import { withSettings } from "./registry/flags";
import { type GroundFlags, groundLine, openPlainGround } from "./schema/ground";
import { findTenant } from "./tenant/find";

type Flags = GroundFlags & { readonly json?: boolean };

/** `tenantry restore TENANT`: brings back what was deleted softly. */
export function restoreCommand(): Command {
  return withSettings(new Command("restore"))
    .description("Bring a tenant back that was deleted softly, with all its rows.")
    .argument("<tenant>", "name of its database, or its id")
    .option("--json", "print one JSON document in place of text")
    .addHelpText(
      "after",
      `
A tenant that is not in the trash is left as it is.

Exit code: 0, 1 an error or there is no such tenant.

Example:
  tenantry restore acme`,
    )
    .action(run);
}

async function run(tenant: string, { json, ...flags }: Flags): Promise<void> {
  const ground = await openPlainGround(flags, "full-access");
  const { claim, group, sql } = await findTenant(ground, tenant);
  const { name, state, address } = claim;
  if (state === "reaping") throw reapedMeanwhile(name);
  const trash = state === "trashed" || state === "deleting" ? await findTrash(sql, name) : undefined;
  if (state === "deleting" && trash?.databaseId !== claim.databaseId) {
    throw new TenantryError("not-ready", `${name}: a delete of it was begun, and not a soft one.`, {
      fix: "Run `pulumi up` on its stack: where it is declared and still there, it stays.",
    });
  }
  const { wasExpired } = trash ? await untrash(ground.context.platform, sql, claim, trash) : { wasExpired: false };
  const lines = trash
    ? [`${name}: it is back, with all its rows.`, ...whatNext(address), ...(wasExpired ? [wasOver] : [])]
    : [`${name}: it is not in the trash, so nothing was done.`];
  const document = {
    format: 1,
    scope: ground.scope,
    name,
    group,
    tenant: claim.tenant ?? null,
    restored: trash !== undefined,
  };
  process.stdout.write(
    json ? `${JSON.stringify(document, undefined, 2)}\n` : `${[groundLine(ground), ...lines].join("\n")}\n`,
  );
}

const wasOver = "Its own time was over, so it has no end any more, until a program declares one.";

const whatNext = (address: string): string[] =>
  isRuntimeAddress(address)
    ? []
    : [
        `The next \`pulumi up\` of ${address} takes it as it is; \`npx tenantry registry claim\` gives it to another resource.`,
      ];
