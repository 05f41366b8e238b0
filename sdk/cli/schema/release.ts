import { Command } from "commander";
import { didYouMean } from "../../../provider/platform/did-you-mean";
import { TenantryError } from "../../../provider/platform/errors";
import { listQuarantine, releaseFromQuarantine } from "../../../provider/registry/rollouts";
import { printDocument } from "./document";
import { templateName } from "./fleet";
import { withSettings } from "./flags";
import { type Ground, type GroundFlags, groundLine, openGround } from "./ground";
import { type OpenRegistry, groupsOf, onEach, openRegistries } from "./registries";
import { fold, screenOf } from "./screen";
import { counted, listed } from "./table";

interface Flags extends GroundFlags {
  readonly template?: string;
  readonly all?: boolean;
  readonly json?: boolean;
}

export function releaseCommand(): Command {
  return withSettings(new Command("release"))
    .description("Take tenants out of quarantine, so that the next run tries them again. Changes no database.")
    .argument("[names...]", "of their databases")
    .option("--all", "all that are in it")
    .option("--json", "print one JSON document in place of text")
    .addHelpText(
      "after",
      `
A template that has changed is tried again by itself.
Exit code: 0 done, also where --all found nobody; 1 somebody named is not in it
and nobody was released, or an error.

Examples:
  tenantry schema release acme
  tenantry schema release --all --template app`,
    )
    .action(async (names: string[], flags: Flags) => {
      if (names.length > 0 === Boolean(flags.all)) {
        throw new TenantryError("needs-decision", "Whom to release was not said.", {
          fix: "Name databases, or pass --all.",
        });
      }
      const ground = await openGround(flags);
      const template = templateName(ground, flags.template);
      const registries = await openRegistries(ground, await groupsOf(ground));
      const released = await release(ground, registries, template, flags.all ? undefined : names);
      if (flags.json) return printDocument(ground, undefined, { template: { name: template }, released });
      const said =
        released.length === 0
          ? `Nobody is in quarantine of template ${template}.`
          : `Released ${counted(released.length, "tenant")} of template ${template}: ${listed(released, 20)}. The next run tries ${released.length === 1 ? "it" : "them"} again.`;
      const screen = screenOf(process.stdout);
      const lines = [groundLine(ground), ...ground.notes, said].flatMap((text) => fold(text, screen, screen.width));
      screen.write(`${lines.join("\n")}\n`);
    });
}

/** `names`: undefined for all. Answers who was released. */
async function release(
  ground: Ground,
  registries: readonly OpenRegistry[],
  template: string,
  names: readonly string[] | undefined,
): Promise<string[]> {
  const rows = await onEach(ground, registries, async (registry) =>
    (await listQuarantine(registry.sql, template)).map(({ name }) => ({ name, registry })),
  );
  const known = new Set(rows.map(({ name }) => name));
  const stranger = names?.find((name) => !known.has(name));
  if (stranger !== undefined) throw notInQuarantine(stranger, template, [...known]);
  const chosen = rows.filter(({ name }) => names === undefined || names.includes(name));
  for (const registry of registries) {
    const its = chosen.filter((one) => one.registry === registry).map(({ name }) => name);
    if (its.length > 0) await releaseFromQuarantine(registry.sql, template, its);
  }
  return chosen.map(({ name }) => name).sort();
}

function notInQuarantine(name: string, template: string, known: readonly string[]): TenantryError {
  const near = didYouMean(name, known);
  const others = known.length > 0 ? `In it: ${listed(known, 10)}.` : "Nobody is.";
  return new TenantryError("invalid-input", `"${name}" is not in quarantine of template ${template}.`, {
    fix: near ? `Did you mean "${near}"?` : others,
  });
}
