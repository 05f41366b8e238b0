/**
 * The schema of a platform that brings it to tenants itself: it is written in a workspace, which is a blueprint's source,
 * and deployed to all tenants of the blueprint. Forward only.
 */
import type { Sql } from "./sql-connection";

export interface Deployments {
  /** The workspace in which a blueprint is written; undefined: there is none. */
  findSource(name: string): Promise<BlueprintSource | undefined>;
  /** Makes one, and with it its blueprint. Fails with "already-exists" where the name is taken. */
  createSource(name: string): Promise<void>;
  /** Runs one statement of DDL there; an SqlError is the database's own word. Not sent again after a lost reply. */
  apply(name: string, statement: string): Promise<void>;
  /** SQL on records of our own, which are nobody's blueprint; made at first use. */
  records(): Promise<Sql>;
  /**
   * Brings every tenant of the blueprint to its current version, and waits until it is known what became of each.
   * `onProgress` is told how many are done.
   */
  deploy(name: string, options?: DeployOptions): Promise<DeploymentOutcome>;
  /** Every deployment there was, the newest first. */
  all(): Promise<DeploymentRecord[]>;
  /** What has been deployed to one tenant, the newest first. */
  ofTenant(tenant: string, limit?: number): Promise<DeploymentRecord[]>;
}

export interface BlueprintSource {
  /** The blueprint's, as the platform numbers it. */
  readonly version: string | undefined;
  /** The statements that the blueprint is made of, as far as the platform shows them. */
  readonly statements: readonly string[];
}

export interface DeployOptions {
  /** In ms. */
  readonly deadline?: number;
  readonly onProgress?: (completed: number, total: number | undefined) => void;
}

export interface DeploymentOutcome {
  readonly id: string;
  readonly total: number | undefined;
  readonly failed: readonly { readonly tenant: string; readonly error: string | undefined }[];
  /** Where it is known only how many failed. */
  readonly failures: number;
}

export interface DeploymentRecord {
  readonly id: string;
  readonly blueprint: string | undefined;
  readonly version: string | undefined;
  readonly status: string | undefined;
  /** ISO 8601. */
  readonly at: string | undefined;
  /** How many tenants it is of, has reached, and has failed for; each where it is told. */
  readonly total?: number;
  readonly completed?: number;
  readonly failed?: number;
}
