import { randomUUID } from "node:crypto";
import { databaseNotFound } from "./api/addressed";
import { ApiProblem } from "./problem";
import type { SqlProcesses } from "./processes/sql-processes";
import type { Control } from "./store/control";
import type { DatabaseFiles, FileKey } from "./store/database-files";
import type { DatabaseRow } from "./store/databases";
import type { GroupRow } from "./store/groups";

/**
 * Making and deleting databases in an order that a kill at any point cannot spoil: a file comes before its row and goes
 * after it, so that each row has its file, and a file without a row is rubbish that the next start sweeps.
 */
export interface Fleet {
  create(spec: { readonly group: GroupRow; readonly name: string; readonly seed?: DatabaseRow }): Promise<DatabaseRow>;
  deleteDatabase(database: DatabaseRow): Promise<void>;
  /** Deletes the group and every database in it. */
  deleteGroup(group: GroupRow): Promise<void>;
}

export function createFleet(control: Control, files: DatabaseFiles, processes: SqlProcesses): Fleet {
  const removeFiles = async (databases: readonly FileKey[]): Promise<void> => {
    await Promise.all(databases.map((each) => processes.exclusively(each.id, () => files.remove(each))));
  };
  return {
    async create({ group, name, seed }) {
      const { organization } = group;
      refuseTaken(control, organization, name);
      const id = databaseId();
      try {
        if (seed) await files.copy(seed, { organization, id });
        else await files.create({ organization, id });
        // Others were served while the file was made.
        refuseTaken(control, organization, name);
        if (!control.groups.byId(group.id)) throw new ApiProblem(400, "group not found");
        const parent = seed && { id: seed.id, name: seed.name, branchedAt: new Date().toISOString() };
        const label = hostLabel(control, organization, name, id);
        control.databases.insert({ id, organization, name, groupId: group.id, label, parent });
      } catch (error) {
        files.remove({ organization, id });
        throw seed && !files.exists(seed) ? databaseNotFound(seed.name) : error;
      }
      const made = control.databases.get(organization, name);
      if (!made) throw new Error(`database ${name} was not stored`);
      return made;
    },
    async deleteDatabase(database) {
      refuseProtected("database", database);
      control.databases.remove(database.id);
      await removeFiles([database]);
    },
    async deleteGroup(group) {
      refuseProtected("group", group);
      const databases = control.databases.ofGroup(group.id);
      for (const database of databases) refuseProtected("database", database);
      control.transaction(() => {
        control.databases.removeOfGroup(group.id);
        control.groups.remove(group.id);
      });
      await removeFiles(databases);
    },
  };
}

// Turso docs: 409 with this text. (Since 2026-07-30 the live service is reported to answer 400 "database with same name
// already exists": tursodatabase/turso-docs#409.)
function refuseTaken(control: Control, organization: string, name: string): void {
  if (control.databases.get(organization, name)) throw new ApiProblem(409, `database with name ${name} already exists`);
}

// Unverified: Turso documents neither status nor text of this refusal.
function refuseProtected(kind: string, subject: { readonly name: string; readonly deleteProtection: boolean }): void {
  if (!subject.deleteProtection) return;
  throw new ApiProblem(403, `${kind} ${subject.name} is protected from deletion: turn its delete_protection off first`);
}

/** A random id that clients read as a libSQL database: 0x10 as its sixth byte would mark the other engine (turso-cli). */
function databaseId(): string {
  for (;;) {
    const id = randomUUID();
    if (id.slice(11, 13) !== "10") return id;
  }
}

// "a" of "b-c" and "a-b" of "c" would share a label, and a label has at most 63 characters.
function hostLabel(control: Control, organization: string, name: string, id: string): string {
  const label = `${name}-${organization}`;
  return label.length <= 63 && !control.databases.byLabel(label) ? label : `${name.slice(0, 40)}-${id.slice(0, 8)}`;
}
