import { z } from "zod";
import { TenantryError, hasCode } from "../../platform/errors";
import type { Access } from "../../platform/platform";
import type { Api } from "./api";
import { requireDatabase } from "./databases";
import type { Directory } from "./directory";
import { unsupported } from "./problems";
import { type WireDatabase, claimed, momentOf, read } from "./wire";

export interface Branch {
  readonly ref: string;
  /** When PerSQL's daily round takes it away; undefined: never. */
  readonly expiresAt: Date | undefined;
}

export interface ClaimedBranch extends Branch {
  /** Opens this branch alone, as long as it lives. */
  readonly token: string;
}

export interface BranchSpec {
  readonly access: Access;
  /** In seconds, 60 to 30 days. */
  readonly lifetime: number;
}

/** Branches of a database: its tables at this moment, empty. */
export interface Branches {
  list(database: string): Promise<Branch[]>;
  /**
   * Makes a branch. PerSQL's call for it empties one that is there, so that this one looks first, and is not sent again
   * after a lost reply: fails with "already-exists" where there is one, with `afterLostReply` where it may be our own.
   */
  create(database: string, ref: string, spec: BranchSpec): Promise<ClaimedBranch>;
  /** Begins a branch anew: ALL ROWS in it are lost. Fails with "database-not-found" where there is none. */
  reset(database: string, ref: string, spec: BranchSpec): Promise<ClaimedBranch>;
  /** Absence is success. */
  delete(database: string, ref: string): Promise<void>;
}

const roles = { "read-only": "read", "read-write": "write", "full-access": "admin" } as const;
const refs = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,63}$/;
const lifetimes = { least: 60, most: 30 * 86_400 };

export function persqlBranches(api: Api, directory: Directory): Branches {
  const rowsOf = async (database: string): Promise<{ path: string; rows: WireDatabase[] }> => {
    const found = await requireDatabase(directory, database);
    const { namespaceSlug } = await api.me();
    const rows = (await api.list()).filter(
      ({ branchRef, forkedFrom, forkedFromId }) =>
        // Where no parent is told, it may be this one: better refused than emptied.
        branchRef && [undefined, found.database.id].includes(forkedFrom ?? forkedFromId),
    );
    return { path: `/v1/db/${encodeURIComponent(namespaceSlug)}/${encodeURIComponent(found.slug)}`, rows };
  };

  const claim = async (path: string, ref: string, { access, lifetime }: BranchSpec, doing: string) => {
    if (lifetime < lifetimes.least || lifetime > lifetimes.most)
      throw unsupported(
        "has branches that live from 60 seconds to 30 days only",
        "Ask for a lifetime from 60s to 30d.",
      );
    const body = { ref, ttlSec: lifetime, role: roles[access], purpose: "tenantry" };
    const call = { method: "POST", path: `${path}/claim_branch`, body, idempotent: false } as const;
    const { token, outcome, expiresAt } = read(claimed, await api.call({ doing, kind: "branch" }, call));
    return { outcome, branch: { ref, token, expiresAt: momentOf(expiresAt) } };
  };

  return {
    async list(database) {
      const { rows } = await rowsOf(database);
      return rows.map(({ branchRef, expiresAt }) => ({ ref: branchRef!, expiresAt: momentOf(expiresAt) }));
    },

    async create(database, ref, spec) {
      if (!refs.test(ref)) {
        throw new TenantryError("invalid-input", `"${ref}" is no name of a branch.`, {
          fix: "Use at most 64 letters, digits, dots, dashes, underscores and slashes, beginning with a letter or a digit.",
        });
      }
      const { path, rows } = await rowsOf(database);
      if (rows.some(({ branchRef }) => branchRef === ref)) {
        throw new TenantryError(
          "already-exists",
          `The database "${database}" has a branch "${ref}", which was left as it is.`,
          { fix: "Choose another name, or reset it, which empties it." },
        );
      }
      const { branch, outcome } = await claim(path, ref, spec, `make branch "${ref}" of database "${database}"`);
      if (outcome === "created") return branch;
      throw new TenantryError(
        "already-exists",
        `The branch "${ref}" of database "${database}" was made by somebody else in this moment, and is now empty.`,
        { fix: "Let whoever made it fill it again, and choose another name.", afterLostReply: true },
      );
    },

    async reset(database, ref, spec) {
      const { path, rows } = await rowsOf(database);
      if (!rows.some(({ branchRef }) => branchRef === ref)) {
        throw new TenantryError("database-not-found", `The database "${database}" has no branch "${ref}".`, {
          fix: "Create it.",
        });
      }
      return (await claim(path, ref, spec, `reset branch "${ref}" of database "${database}"`)).branch;
    },

    async delete(database, ref) {
      const { path, rows } = await rowsOf(database);
      if (!rows.some(({ branchRef }) => branchRef === ref)) return;
      const doing = { doing: `delete branch "${ref}" of database "${database}"`, kind: "branch" } as const;
      try {
        // PerSQL docs do not show what it answers beside its success.
        read(
          z.unknown().optional(),
          await api.call(doing, { method: "DELETE", path: `${path}/branches/${encodeURIComponent(ref)}` }),
        );
      } catch (error) {
        // Somebody else was faster, or an attempt whose reply was lost.
        if (!hasCode(error, "database-not-found")) throw error;
      }
    },
  };
}
