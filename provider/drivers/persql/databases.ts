import { TenantryError } from "../../platform/errors";
import type { DatabaseConfiguration, DatabaseSpec, Platform, PlatformDatabase } from "../../platform/platform";
import type { Api } from "./api";
import type { Catalogue } from "./catalogue";
import { type Directory, databaseOf } from "./directory";
import { unsupported } from "./problems";
import { database as wireDatabase, provisioned, read, unexpected } from "./wire";

type Databases = Pick<
  Platform,
  "listDatabases" | "getDatabase" | "createDatabase" | "getConfiguration" | "configureDatabase" | "deleteDatabase"
>;

/** Databases of Tenantry's own are made by slug: nobody needs a token for one, and their names have to be told from outside. */
const ownPrefix = "tenantry-";
/** The call that provisions always mints a token; this one is thrown away, so it is the least that there is. */
const spare = { role: "read", expiresIn: 60 };

export function persqlDatabases(api: Api, directory: Directory, catalogue: Catalogue): Databases {
  const bySlug = async ({ name, group }: DatabaseSpec): Promise<PlatformDatabase> => {
    const doing = { doing: `create database "${name}"`, kind: "create" } as const;
    // No page says what a second create of a slug does: it is not tried.
    if (await directory.find(name)) throw takenError(name, false);
    const answer = await api.call(doing, { method: "POST", path: "/v1/databases", body: { name, slug: name } });
    const made = read(wireDatabase, answer);
    if (made.slug !== name) throw unexpected(answer, `a database "${made.slug}" instead of "${name}"`);
    return databaseOf(name, made, group);
  };

  const bySubject = async ({ name, group }: DatabaseSpec): Promise<PlatformDatabase> => {
    const doing = { doing: `create database "${name}"`, kind: "create" } as const;
    const answer = await api.call(doing, { method: "POST", path: "/v1/users", body: { subject: name, ...spare } });
    const { database, namespaceSlug, created } = read(provisioned, answer);
    if (namespaceSlug !== undefined && namespaceSlug !== group)
      throw unexpected(answer, `a database of namespace "${namespaceSlug}"`);
    const id = database.id ?? (await directory.idOf(database.slug));
    // Also of one that was there: from now on it can be found by its name.
    await catalogue.record({ name, slug: database.slug, id });
    if (!created) throw takenError(name, answer.afterLostReply);
    return databaseOf(name, { id, slug: database.slug }, group);
  };

  return {
    async *listDatabases(filter = {}) {
      for (const database of await directory.all()) {
        if (filter.group === undefined || filter.group === database.group) yield database;
      }
    },

    getDatabase: async (name) => (await directory.find(name))?.database,

    async createDatabase(spec) {
      const { namespaceSlug } = await api.me();
      if (spec.group !== namespaceSlug) {
        throw new TenantryError(
          "group-not-found",
          `There is no group "${spec.group}": the token's namespace is "${namespaceSlug}".`,
          { fix: `Use group: "${namespaceSlug}".` },
        );
      }
      if (spec.seed) throw unsupported("starts no database as a copy of another", "Leave seed out, and use a schema.");
      if (spec.sizeLimit) throw unsupported("has no size limits", "Leave sizeLimit out.");
      return spec.name.startsWith(ownPrefix) ? bySlug(spec) : bySubject(spec);
    },

    getConfiguration: async (name) => ((await directory.find(name)) ? {} : undefined),

    async configureDatabase(name, change) {
      const wanted = Object.entries(change).filter(([, value]) => value !== undefined) as [
        keyof DatabaseConfiguration,
        unknown,
      ][];
      if (wanted.length === 0) return;
      await requireDatabase(directory, name);
      throw unsupported(`has no setting for ${wanted.map(([key]) => key).join(", ")}`, "Leave it out.");
    },

    async deleteDatabase(name) {
      if (!(await directory.find(name))) return;
      throw unsupported(
        `documents no way to delete a database with a token, so "${name}" is still there`,
        'Delete it in PerSQL\'s console, and use deletionPolicy: "retain".',
      );
    },
  };
}

export async function requireDatabase(directory: Directory, name: string) {
  const found = await directory.find(name);
  if (found) return found;
  throw new TenantryError("database-not-found", `There is no database "${name}".`, {
    fix: "Check its name, and whether it was deleted meanwhile.",
  });
}

const takenError = (name: string, afterLostReply: boolean): TenantryError =>
  new TenantryError("already-exists", `Could not create database "${name}": there is one of that name.`, {
    fix: afterLostReply
      ? "Look whose it is: an attempt whose reply was lost may have made it."
      : "Choose another name, or take over what has it.",
    afterLostReply,
  });
