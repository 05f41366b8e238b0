import { createHash, randomBytes } from "node:crypto";
import { type Role, type TenantSqlite, openSqlite } from "./database";

export interface Database {
  readonly id: string;
  readonly slug: string;
  readonly name: string;
  readonly sqlite: TenantSqlite;
  readonly createdAt: string;
  /** Queries that are still refused, because it is being set up. */
  provisioning: number;
  /** Of a branch. */
  readonly branchRef?: string;
  readonly forkedFrom?: string;
  expiresAt?: number;
}

export interface Token {
  readonly role: Role;
  /** The one database that it opens; undefined: all of the namespace. */
  readonly database?: string;
  /** In ms; undefined: never. */
  readonly expiresAt?: number;
}

/** What one PerSQL namespace holds, and what its console can do with it. */
export class Namespace {
  readonly slug: string;
  readonly id = `ns_${randomBytes(6).toString("hex")}`;
  readonly databases = new Map<string, Database>();
  /** By subject: the slug. */
  readonly subjects = new Map<string, string>();
  readonly tokens = new Map<string, Token>();
  /** Calls that the prepaid balance is good for. */
  balance = Infinity;
  /** Calls to be turned away by the flood guard, and what it then says. */
  flood: { calls: number; readonly retryAfter: number } = { calls: 0, retryAfter: 1 };
  /** Queries that a new database refuses before it is healthy. */
  provisioning: number;
  private readonly now: () => number;

  constructor(slug: string, { now = Date.now, provisioning = 0 } = {}) {
    this.slug = slug;
    this.now = now;
    this.provisioning = provisioning;
  }

  /** PerSQL docs, tokens: shown once; newer ones carry a shard. */
  mint(token: Token): string {
    const text = `psql_live_s0_${randomBytes(18).toString("base64url")}`;
    this.tokens.set(text, token);
    return text;
  }

  bearer(text: string): Token | undefined {
    const token = this.tokens.get(text);
    return token && (token.expiresAt ?? Infinity) > this.now() ? token : undefined;
  }

  create(slug: string, name: string, more: Partial<Database> = {}, schema: readonly string[] = []): Database {
    const made: Database = {
      ...{ id: `db_${randomBytes(8).toString("hex")}`, slug, name, sqlite: openSqlite(schema) },
      ...{ createdAt: new Date(this.now()).toISOString(), provisioning: this.provisioning, ...more },
    };
    this.databases.set(slug, made);
    return made;
  }

  /** What nobody but the console can do: the database and its rows are gone at once. */
  deleteInConsole(slug: string): void {
    this.databases.get(slug)?.sqlite.close();
    this.databases.delete(slug);
  }

  /** PerSQL docs, branches: once a day, what has expired goes. */
  reap(): void {
    for (const { slug, expiresAt } of [...this.databases.values()]) {
      if (expiresAt !== undefined && expiresAt <= this.now()) this.deleteInConsole(slug);
    }
  }

  close(): void {
    for (const { sqlite } of this.databases.values()) sqlite.close();
  }
}

/** PerSQL docs, per-user databases: the slug is a hash of the subject; which one, is PerSQL's affair. */
export const slugOf = (subject: string): string => `u-${createHash("sha1").update(subject).digest("hex").slice(0, 20)}`;
