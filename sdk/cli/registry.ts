import { Command, Option } from "commander";
import type { ClaimKind } from "../../provider/registry/claim";
import { withSettings } from "./registry/flags";
import { findOrphans } from "./registry/orphan";
import { contextLine, reportOf } from "./registry/report";
import { type Scene, type SceneFlags, openScene } from "./registry/scene";
import { claimOrphan, releaseClaim } from "./registry/transfer";

interface TransferFlags extends SceneFlags {
  readonly kind: ClaimKind;
  readonly as?: string;
  readonly force?: boolean;
  readonly yes?: boolean;
}

/** `tenantry registry orphans | claim | release`: what runs left behind in the groups' registries, and who is to have it. */
export function registryCommand(): Command {
  return new Command("registry")
    .description("What broken runs left behind: claims without state, databases without owner. Deletes no database.")
    .addCommand(orphansCommand())
    .addCommand(claimCommand())
    .addCommand(releaseCommand());
}

function orphansCommand(): Command {
  return withSettings(new Command("orphans"))
    .description("List claims that no state has, unfinished creates and deletes, and claims whose database is gone.")
    .option("--unclaimed", "list databases without a claim too")
    .option("--json", "print one JSON document in place of a table")
    .action(async ({ unclaimed, json, ...flags }: SceneFlags & { unclaimed?: boolean; json?: boolean }) => {
      const scene = await openScene(flags);
      const found = await findOrphans(scene, unclaimed);
      process.stdout.write(json ? documentOf(scene, found) : reportOf(scene, found));
    });
}

function claimCommand(): Command {
  return withSettings(new Command("claim"))
    .description("Hand an orphan to a resource, whose next `pulumi up` adopts it.")
    .argument("<name>", "of the database (or of the group, with --kind group)")
    .option("--as <address>", "ORGANIZATION/PROJECT/STACK/RESOURCE (default: as it is, in the stack)")
    .addOption(kindOption())
    .option("--force", "also where a state has it, or may have it: that stack then leaves it alone")
    .option("--yes", "do not ask")
    .action((name: string, flags: TransferFlags) => transfer(name, flags, claimOrphan));
}

function releaseCommand(): Command {
  return withSettings(new Command("release"))
    .description("Give a claim up. The database stays as it is, and is nobody's.")
    .argument("<name>", "of the database (or of the group, with --kind group)")
    .addOption(kindOption())
    .option("--force", "also where a state has it, or may have it: that stack then leaves it alone")
    .option("--yes", "do not ask")
    .action((name: string, flags: TransferFlags) => transfer(name, flags, releaseClaim));
}

async function transfer(
  name: string,
  { kind, as, force, yes, ...flags }: TransferFlags,
  act: (scene: Scene, wanted: Omit<TransferFlags, keyof SceneFlags> & { name: string }) => Promise<string>,
): Promise<void> {
  const scene = await openScene(flags);
  process.stdout.write(`${[contextLine(scene), ...scene.notes].join("\n")}\n`);
  process.stdout.write(`${await act(scene, { kind, name, as, force, yes })}\n`);
}

const kindOption = (): Option =>
  new Option("--kind <kind>", "what it is").choices(["database", "group"]).default("database");

function documentOf({ scope, stack, registries, notes }: Scene, found: object): string {
  const groups = registries.map(({ group }) => group.name);
  const head = { scope, stack: stack?.name ?? null, groups, notes };
  return `${JSON.stringify({ ...head, ...found }, undefined, 2)}\n`;
}
