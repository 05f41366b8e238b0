import { TenantryError } from "../../platform/errors";
import type { Platform } from "../../platform/platform";
import type { Api } from "./api";
import type { Catalogue } from "./catalogue";
import { requireDatabase } from "./databases";
import type { Directory } from "./directory";
import { unsupported } from "./problems";
import { momentOf, provisioned, read, unexpected } from "./wire";

type Tokens = Pick<Platform, "mintToken" | "rotateTokens">;

/** PerSQL docs, "Per-user databases": in seconds. */
const lifetimes = { least: 60, most: 86_400 };
const roles = { "read-only": "read", "read-write": "write" } as const;

export function persqlTokens(api: Api, directory: Directory, catalogue: Catalogue): Tokens {
  const requireNamespace = async (group: string): Promise<void> => {
    const { namespaceSlug } = await api.me();
    if (group === namespaceSlug) return;
    throw new TenantryError(
      "group-not-found",
      `There is no group "${group}": the token's namespace is "${namespaceSlug}".`,
      { fix: `Use "${namespaceSlug}".` },
    );
  };

  return {
    async mintToken(subject, { access, lifetime, attach }) {
      if ("group" in subject) {
        await requireNamespace(subject.group);
        throw unsupported("has no tokens for all of a namespace's databases", "Mint one for each database.");
      }
      if (access === "full-access") {
        throw unsupported(
          "mints no tokens that may change tables",
          'Use access "read-only" or "read-write"; schema changes are for Tenantry, with the namespace\'s admin token.',
        );
      }
      if (attach?.length) throw unsupported("has no tokens that attach other databases", "Leave attach out.");
      if (lifetime === undefined || lifetime < lifetimes.least || lifetime > lifetimes.most) {
        throw unsupported("has tokens of 60 seconds to 24 hours only", "Ask for a lifetime from 60s to 24h.");
      }
      const { database: name } = subject;
      // The call makes what is not there, so that is made sure of first.
      const { bySubject, slug } = await requireDatabase(directory, name);
      if (!bySubject) {
        throw unsupported(
          `mints tokens for databases of subjects only, and "${name}" was made in another way`,
          "Move its rows into a tenant that Tenantry makes, or make a token in PerSQL's console.",
        );
      }
      const askedAt = Date.now();
      const answer = await api.call(
        { doing: `mint a token for database "${name}"`, kind: "token" },
        { method: "POST", path: "/v1/users", body: { subject: name, role: roles[access], expiresIn: lifetime } },
      );
      const { token, database, created, expiresAt } = read(provisioned, answer);
      if (database.slug !== slug) throw unexpected(answer, `database "${database.slug}" instead of "${slug}"`);
      if (created) {
        await catalogue.record({ name, slug, id: database.id ?? (await directory.idOf(slug)) });
        throw new TenantryError(
          "database-not-found",
          `The database "${name}" was deleted in this moment, and asking for its token has made an empty one.`,
          { fix: "Delete that one in PerSQL's console, or take it over.", afterLostReply: true },
        );
      }
      return { token, expiresAt: momentOf(expiresAt) ?? new Date(askedAt + lifetime * 1000) };
    },

    async rotateTokens(subject) {
      if ("group" in subject) await requireNamespace(subject.group);
      else await requireDatabase(directory, subject.database);
      throw unsupported("ends no token before its time", "Wait: its tokens live 24 hours at most.");
    },
  };
}
