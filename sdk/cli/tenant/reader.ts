import { Command, Option } from "commander";
import { parseDuration } from "../../../provider/duration";
import { TenantryError } from "../../../provider/platform/errors";
import type { Capabilities } from "../../../provider/platform/capabilities";
import type { Platform } from "../../../provider/platform/platform";
import { withSettings } from "../registry/flags";
import { type GroundFlags, groundLine, openPlainGround } from "../schema/ground";
import { findTenant } from "./find";

export type ReaderFlags = GroundFlags & { readonly json?: boolean };

export interface Read {
  /** What --json prints beside whose it is. */
  readonly document: object;
  /** What is printed else. */
  readonly lines: readonly string[];
}

/** A verb that reads something of one tenant from the platform, where the platform has it. */
export interface Reader<Flags extends ReaderFlags> {
  readonly verb: string;
  readonly description: string;
  /** What may have to be said of exit codes and examples. */
  readonly example: string;
  readonly has: (of: Capabilities, flags: Flags) => boolean;
  /** What a platform lacks that has it not, and what to do instead: "no logs of a tenant's queries". */
  readonly lacking: string;
  readonly instead: (of: Capabilities) => string;
  readonly options?: readonly Option[];
  /** `name`: of the database. */
  readonly read: (platform: Platform, name: string, flags: Flags) => Promise<Read>;
  /** Of all of them, where no tenant is given; absent: there has to be one. */
  readonly readAll?: (platform: Platform, flags: Flags) => Promise<Read>;
}

export function readerCommand<Flags extends ReaderFlags>(reader: Reader<Flags>): Command {
  const command = withSettings(new Command(reader.verb))
    .description(reader.description)
    .argument(reader.readAll ? "[tenant]" : "<tenant>", "name of its database, or its id");
  for (const option of reader.options ?? []) command.addOption(option);
  return command
    .option("--json", "print one JSON document in place of text")
    .addHelpText(
      "after",
      `\nExit code: 0, 1 an error, there is no such tenant, or the platform has none.\n\nExample:\n  ${reader.example}`,
    )
    .action((tenant: string | undefined, flags: Flags) => run(reader, tenant, flags));
}

/** Of a platform that has it not; undefined: it has. */
export function refusalOf<Flags extends ReaderFlags>(
  { has, lacking, instead }: Reader<Flags>,
  { name, capabilities }: Pick<Platform, "name" | "capabilities">,
  flags: Flags,
): TenantryError | undefined {
  return has(capabilities, flags)
    ? undefined
    : new TenantryError("unsupported", `${name} has ${lacking}.`, { fix: instead(capabilities) });
}

async function run<Flags extends ReaderFlags>(
  reader: Reader<Flags>,
  tenant: string | undefined,
  flags: Flags,
): Promise<void> {
  // Only the registry is asked by SQL.
  const ground = await openPlainGround(flags, "read-only");
  const { platform } = ground.context;
  const refusal = refusalOf(reader, platform, flags);
  if (refusal) throw refusal;
  const found = tenant === undefined ? undefined : await findTenant(ground, tenant);
  const { document, lines } = found
    ? await reader.read(platform, found.claim.name, flags)
    : await reader.readAll!(platform, flags);
  const whose = found ? { name: found.claim.name, group: found.group, tenant: found.claim.tenant ?? null } : {};
  const head = { format: 1, scope: ground.scope, ...whose };
  process.stdout.write(
    flags.json
      ? `${JSON.stringify({ ...head, ...document }, undefined, 2)}\n`
      : `${[groundLine(ground), ...lines].join("\n")}\n`,
  );
}

/** What to do about the past of a tenant where nothing of it has a name. */
export const pastInstead = ({ seedAtTime }: Capabilities): string =>
  seedAtTime
    ? "`restoreFrom: { timestamp, key }` copies a past moment where the platform keeps a history."
    : "Keep copies of your own.";

/** Fails with "invalid-input" naming the flag. */
export function wholeFlag(text: string, flag: string): number {
  if (/^[1-9]\d{0,6}$/.test(text)) return Number(text);
  throw new TenantryError("invalid-input", `${flag}: "${text}" is not a whole number from 1 to 9999999.`);
}

export const secondsFlag = (text: string | undefined, flag: string): number | undefined =>
  text === undefined ? undefined : parseDuration(text, flag);
