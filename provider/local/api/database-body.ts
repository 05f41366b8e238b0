import type { DatabaseRow } from "../store/databases";

/** A database as GET and list show it, in the API's own mixed casing (turso-docs, turso-cli). */
export function databaseBody(database: DatabaseRow): object {
  return {
    ...createdBody(database),
    group: database.groupName,
    primaryRegion: database.location,
    regions: [database.location],
    type: "logical",
    version: "tenantry-local",
    parent: database.parent
      ? { id: database.parent.id, name: database.parent.name, branched_at: database.parent.branchedAt }
      : null,
    is_schema: false,
    schema: "",
    sleeping: false,
    archived: false,
    allow_attach: false,
    block_reads: database.blockReads,
    block_writes: database.blockWrites,
    delete_protection: database.deleteProtection,
  };
}

/** All that the reply to create holds. */
export function createdBody(database: DatabaseRow): object {
  return { DbId: database.id, Hostname: hostname(database), Name: database.name };
}

/** No port and a name that resolves nowhere else: clients use the local platform's own URL, never this as it stands. */
export function hostname(database: DatabaseRow): string {
  return `${database.label}.tenantry.localhost`;
}

export function configurationBody(database: DatabaseRow): object {
  return {
    size_limit: "0",
    allow_attach: false,
    block_reads: database.blockReads,
    block_writes: database.blockWrites,
    delete_protection: database.deleteProtection,
    // Kept and shown; everything that reaches a server on this machine comes from this machine.
    allowed_ips: database.allowedIps,
    allowed_aws_vpc_ids: database.allowedAwsVpcIds,
  };
}
