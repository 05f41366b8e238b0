import type { Access, MintedToken, Platform } from "../../platform/platform";
import {
  type Catalogue,
  type DatabaseRow,
  nextGeneration,
  readDatabase,
  rotateOthers,
  selectDatabases,
} from "./catalogue";
import type { Found } from "./databases";
import { noGroup } from "./groups";
import type { Key, KeyFor } from "./keys";
import { type Settings, notFound } from "./settings";
import { refuse } from "./unsupported";

type Tokens = Pick<Platform, "mintToken" | "rotateTokens">;

interface Surroundings {
  readonly catalogue: Catalogue;
  readonly settings: Settings;
  readonly keyFor: KeyFor;
  readonly find: (name: string) => Promise<Found | undefined>;
}

/**
 * Tokens are signed here; the server knows the public keys only. It takes one for up to a minute longer than it says
 * (libSQL checks `exp` with the leeway of its JWT library; tried on 0.24.32).
 */
export function tokens({ catalogue, settings, keyFor, find }: Surroundings): Tokens {
  const group = async (name: string) => {
    const [row] = await catalogue.groups(name);
    if (row?.state !== "there") throw noGroup(name);
    return row;
  };

  /** The row of a database that is there. One that a create has not come to the end of is looked for. */
  const database = async (name: string): Promise<DatabaseRow> => {
    const row = await catalogue.database(name);
    const found = row?.state === "creating" ? (await find(name))?.row : row;
    if (found?.state === "deleting" || !found) throw notFound(name);
    return found;
  };

  /** Databases of the group whose keys the server was not given yet: a rotation was cut short. */
  const settleGroup = async (name: string): Promise<void> => {
    const [rows] = await catalogue.run(selectDatabases(name, "", 1_000_000));
    const there = rows!.map(readDatabase).filter(({ state }) => state === "there");
    await Promise.all(there.map((row) => settings.settle(row)));
  };

  return {
    async mintToken(subject, { access, lifetime, attach }) {
      if (access === "read-write")
        throw refuse("tokens for rows without schema changes", 'Use access "read-only" or "full-access".');
      if (attach?.length) throw refuse("tokens that attach other databases", "Leave attach out.");
      if ("group" in subject) {
        const { name, id, generation } = await group(subject.group);
        await settleGroup(name);
        return minted(keyFor({ kind: "group", name, id, generation }), access, lifetime);
      }
      const row = await database(subject.database);
      await settings.settle(row);
      const { name, id, groupGeneration, generation } = row;
      const own = { kind: "database", name, id, generation: `${groupGeneration}.${generation}` } as const;
      return minted(keyFor(own), access, lifetime);
    },

    async rotateTokens(subject, { keepFor } = {}) {
      if ("group" in subject) {
        const row = await group(subject.group);
        await catalogue.run(nextGeneration("groups", row, keepFor), rotateOthers("group_name", row.name, keepFor));
        return settleGroup(row.name);
      }
      const row = await database(subject.database);
      await catalogue.run(nextGeneration("databases", row, keepFor), rotateOthers("name", row.name, keepFor));
      if (!(await settings.apply(row))) throw notFound(row.name);
    },
  };
}

function minted(key: Key, access: Access, lifetime: number | undefined): MintedToken {
  const now = Date.now();
  const token = key.sign({ access, lifetime }, now);
  const expiresAt = lifetime === undefined ? undefined : new Date((Math.floor(now / 1000) + lifetime) * 1000);
  return { token, expiresAt };
}
