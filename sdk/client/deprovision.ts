import { TenantryError } from "../../provider/platform/errors";
import type { PlatformDatabase } from "../../provider/platform/platform";
import { reapedMeanwhile } from "../../provider/registry/reaping";
import type { Ground, Place } from "./ground";
import { refuseUnknownOptions } from "./options";
import type { OwnAccess } from "./own-access";
import { placeOf } from "./placing";
import { subjectName } from "./subject";

export interface DeprovisionOptions extends Place {
  /** True: deletes the database with all its rows. False: blocks it, so that nobody reads or writes, and keeps them. */
  readonly erase: boolean;
}

export interface Deprovisioned {
  /** Undefined where there was none. */
  readonly database: { readonly name: string; readonly id: string } | undefined;
  readonly erased: boolean;
  /** Until when whoever runs the platform may be able to bring the rows back, ISO 8601; undefined: for good, or not at all. */
  readonly keptUntil: string | undefined;
  /** What is left, and until when, in words for people. */
  readonly text: string;
}

export type Deprovision = (subject: string, options: DeprovisionOptions) => Promise<Deprovisioned>;

/** Ends what `provision` made. What a stack has claimed is refused: it is for `pulumi up` to remove. */
export function createDeprovision(ground: Ground, own: OwnAccess, defaults: Place): Deprovision {
  return async (subject, options) => {
    refuseUnknownOptions(options ?? {}, ["erase", "group", "geo", "plan"], "deprovision");
    const { erase, ...place } = options ?? {};
    if (typeof erase !== "boolean") {
      throw new TenantryError("invalid-input", "erase: it is not said whether the rows go.", {
        fix: "Pass erase: true to delete them, or erase: false to block the database and keep them.",
      });
    }
    const name = await subjectName(subject);
    const platform = ground.platform();
    if (erase && !platform.capabilities.deletes) {
      throw new TenantryError("unsupported", `erase: ${platform.name} deletes no database for a program.`, {
        fix: `Delete it in the platform's console; here it is called "${name}".`,
      });
    }
    const database = await platform.getDatabase(name);
    const group = database?.group ?? (await placeOf(ground, place, defaults.group)).group;
    const registry = await own.registry(group);
    const found = await registry.find(name);
    if (found && !found.isRuntime) {
      throw new TenantryError("not-owner", `${name}: it belongs to ${found.claim.address}, so it stays as it is.`, {
        fix: "Take it out of that program and run `pulumi up` there.",
      });
    }
    if (database && found?.claim.state === "reaping") throw reapedMeanwhile(name);
    if (!database) {
      await registry.release(name);
      const text = `There is no database of that subject ("${name}").`;
      return { database: undefined, erased: erase, keptUntil: undefined, text };
    }
    const { id } = database;
    if (!erase) {
      await block(ground, database);
      await registry.suspend(name, true);
      const text =
        `The database ${name} stays in group "${group}" with all its rows, for good: reads and writes are blocked. ` +
        "provision opens it again; deprovision with erase: true deletes it.";
      return { database: { name, id }, erased: false, keptUntil: undefined, text };
    }
    if (database.deleteProtection) {
      throw new TenantryError("protected", `${name}: it is protected from deletion, so it stays as it is.`, {
        fix: "Take its delete protection off with the platform's own tools, then try again.",
      });
    }
    // A stack may have taken it over in this moment: from here on it cannot any more.
    if (found && !(await registry.erasing(name))) {
      throw new TenantryError("not-owner", `${name}: a stack has taken it over in this moment, so it stays as it is.`);
    }
    await platform.deleteDatabase(name);
    await registry.release(name);
    const keptUntil = keptFrom(platform.capabilities.keepsDeleted);
    const kept = keptUntil
      ? `Whoever runs the platform may be able to bring it back, by its id ${id}, until ${keptUntil}, if the plan has that; after that`
      : "The platform keeps no copy:";
    const text = `The database ${name} is deleted with all its rows. ${kept} nothing of it is left, and its tokens open nothing.`;
    return { database: { name, id }, erased: true, keptUntil, text };
  };
}

async function block({ platform }: Ground, { name }: PlatformDatabase): Promise<void> {
  const { capabilities, name: its } = platform();
  if (!capabilities.block) {
    throw new TenantryError("unsupported", `erase: ${its} cannot block a database and keep its rows.`, {
      fix: `Let its tokens run out${capabilities.deletes ? ", or pass erase: true" : ""}.`,
    });
  }
  await platform().configureDatabase(name, { blockReads: true, blockWrites: true });
}

function keptFrom(seconds: number): string | undefined {
  return seconds > 0 ? new Date(Date.now() + seconds * 1000).toISOString() : undefined;
}
