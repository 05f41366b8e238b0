import { basename, resolve } from "node:path";
import { didYouMean } from "../../../provider/platform/did-you-mean";
import { TenantryError } from "../../../provider/platform/errors";
import { isReserved } from "../../../provider/registry/reserved-names";
import { type PreparedRollout, prepareRollout } from "../../../provider/rollout/fleet/rollout";
import type { MigrationFormat } from "../../../provider/rollout/source";
import type { PolicyInputs } from "../../../provider/rollout/fleet/policy";
import type { FleetTenant } from "../../../provider/rollout/fleet/waves";
import { projectFolder } from "../../../provider/project-folder";
import { type DeclaredTemplate, declaredTemplates } from "./declared";
import { type Ground, type GroundFlags, noteOnce } from "./ground";
import { type History, readHistory } from "./history";
import { claimedTenants, groupsOf, openRegistries } from "./registries";

export interface FleetFlags extends GroundFlags {
  readonly template?: string;
  /** A folder; with it the stack's state says nothing of template and tenants. */
  readonly migrations?: string;
  /** How that folder is laid out; undefined: detected. */
  readonly format?: MigrationFormat;
  readonly tenants?: readonly string[];
}

/** A template, the files that it is on disk, and the tenants that follow it. */
export interface Fleet {
  readonly template: { readonly name: string; readonly digest: string };
  readonly history: History;
  readonly tenants: readonly FleetTenant[];
  /** What a rollout of the stack says; flags win over it. */
  readonly policy: PolicyInputs;
  /** organization/project/stack, whose runs are numbered; undefined where the fleet was given by flags. */
  readonly stack: string | undefined;
}

/** From `--migrations` with `--tenants` or `--template`; else from the stack's state. */
export async function openFleet(ground: Ground, flags: FleetFlags): Promise<Fleet> {
  return flags.migrations === undefined ? fromState(ground, flags) : fromFlags(ground, flags, flags.migrations);
}

/** Looks at the fleet and says what would be done. Notes of what could not be read are added to the ground's. */
export function prepare(ground: Ground, fleet: Fleet, policy: PolicyInputs, command: string): Promise<PreparedRollout> {
  const { template, history, tenants, stack } = fleet;
  return prepareRollout({
    ...{ context: ground.context, template, migrations: history.migrations, tenants, stack, startedBy: command },
    policy: { ...fleet.policy, ...policy },
    note: (text) => noteOnce(ground, text),
  });
}

/** The template that a command is about which needs no files. */
export const templateName = (ground: Ground, given: string | undefined): string =>
  given ?? declaredTemplate(ground, undefined).name;

async function fromState(ground: Ground, { template: given, tenants: names, group }: FleetFlags): Promise<Fleet> {
  const declared = declaredTemplate(ground, given);
  const history = readHistory(declared.path, projectFolder(), declared.format);
  if (history.digest !== declared.digest) {
    noteOnce(
      ground,
      `The files in "${declared.path}" are not those of the last \`pulumi up\` (${declared.digest.slice(0, 8)} there, ${history.digest.slice(0, 8)} here): the files are what counts.`,
    );
  }
  if (declared.rollouts.length > 1) {
    const [first, ...others] = declared.rollouts;
    noteOnce(
      ground,
      `The policy is that of rollout "${first}"; there is ${others.map((one) => `"${one}"`).join(", ")} too.`,
    );
  }
  const ofGroup = (await withGroups(ground, declared.tenants)).filter(
    (one) => group === undefined || one.group === group,
  );
  const tenants = names === undefined ? ofGroup : chosen(names, ofGroup, declared.name);
  // Canary and waves are parts of the whole fleet, and may not be among these.
  const { canary: _canary, waves: _waves, ...ofAnyPart } = declared.policy;
  return {
    template: { name: declared.name, digest: history.digest },
    history,
    tenants,
    policy: tenants.length < declared.tenants.length ? ofAnyPart : declared.policy,
    stack: ground.stack?.name,
  };
}

/** A rollout may name databases only; one that is nowhere keeps an empty group. */
async function withGroups({ context }: Ground, tenants: DeclaredTemplate["tenants"]): Promise<FleetTenant[]> {
  const { byName } = await context.listing.databases();
  return tenants.map((one) => ({ ...one, group: one.group ?? byName.get(one.name)?.group ?? "" }));
}

async function fromFlags(ground: Ground, flags: FleetFlags, folder: string): Promise<Fleet> {
  const history = readHistory(folder, process.cwd(), flags.format);
  const name = flags.template ?? nameOf(folder);
  return {
    template: { name, digest: history.digest },
    history,
    tenants: await namedTenants(ground, flags),
    policy: {},
    stack: undefined,
  };
}

/** A folder called "migrations" says nothing of itself; the one around it does. */
function nameOf(folder: string): string {
  const name = basename(resolve(folder));
  return name === "migrations" ? basename(resolve(folder, "..")) : name;
}

async function namedTenants(ground: Ground, { tenants, template, group }: FleetFlags): Promise<FleetTenant[]> {
  if (tenants === undefined) {
    if (template !== undefined) {
      return claimedTenants(ground, await openRegistries(ground, await groupsOf(ground)), template);
    }
    throw new TenantryError("needs-decision", "Which databases these migrations are for was not said.", {
      fix: "Pass --tenants acme,bolt, or --template NAME for all whose registry claim names that template.",
    });
  }
  const { byName } = await ground.context.listing.databases();
  return tenants.map((name) => {
    const database = byName.get(name);
    if (!database || isReserved(name))
      throw stranger(
        name,
        [...byName.keys()].filter((one) => !isReserved(one)),
      );
    const of = database.group ?? group;
    if (of !== undefined) return { name, group: of };
    throw new TenantryError("needs-decision", `${name}: the platform does not say which group it is in.`, {
      fix: "Pass --group.",
    });
  });
}

function stranger(name: string, known: readonly string[]): TenantryError {
  const near = didYouMean(name, known);
  return new TenantryError("database-not-found", `tenants: there is no tenant's database "${name}".`, {
    fix: near ? `Did you mean "${near}"?` : "Write the databases' names.",
  });
}

function chosen(names: readonly string[], tenants: readonly FleetTenant[], template: string): FleetTenant[] {
  const known = new Map(tenants.map((one) => [one.name, one]));
  return names.map((name) => {
    const one = known.get(name);
    if (one) return one;
    const near = didYouMean(name, known.keys());
    throw new TenantryError("database-not-found", `tenants: no tenant of template "${template}" is "${name}".`, {
      fix: near ? `Did you mean "${near}"?` : "They are named as their databases are.",
    });
  });
}

function declaredTemplate({ stack, state, connection }: Ground, given: string | undefined): DeclaredTemplate {
  const byFlags = "pass --migrations DIR with --tenants acme,bolt or --template NAME";
  if (!stack || !state) {
    throw new TenantryError(
      "not-configured",
      "Which template and which tenants was not said, and no stack is selected here.",
      { fix: `Run this in a project's folder or with --stack, or ${byFlags}.` },
    );
  }
  const templates = declaredTemplates(state, connection);
  const names = [...templates.keys()].sort();
  const on = connection === undefined ? "" : ` on connection "${connection}"`;
  if (names.length === 0) {
    throw new TenantryError("not-configured", `The state of stack ${stack.name} has no SchemaTemplate${on}.`, {
      fix: `Run \`pulumi up\` first, say which --connection, or ${byFlags}.`,
    });
  }
  const list = names.map((name) => `"${name}"`).join(", ");
  if (given === undefined && names.length > 1) {
    throw new TenantryError("needs-decision", `Stack ${stack.name} has ${names.length} templates: ${list}.`, {
      fix: `Say which one with --template ${names[0]}.`,
    });
  }
  const found = templates.get(given ?? names[0]!);
  if (found) return found;
  const near = didYouMean(given!, names);
  throw new TenantryError("not-configured", `Stack ${stack.name} has no template "${given}".`, {
    fix: near ? `Did you mean "${near}"?` : `It has ${list}.`,
  });
}
