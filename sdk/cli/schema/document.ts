import type { Fleet } from "./fleet";
import type { Ground } from "./ground";
import { type Screen, fold } from "./screen";

/** Of every document that these verbs print: it changes when a key changes its meaning or goes. */
export const format = 1;

/** One JSON document, whose keys are always there: what is not known is null. */
export function printDocument(ground: Ground, fleet: Fleet | undefined, rest: object): void {
  const { scope, stack, notes } = ground;
  const template = fleet && {
    name: fleet.template.name,
    digest: fleet.template.digest,
    folder: fleet.history.folder,
    target: fleet.history.migrations.at(-1)!.id,
  };
  const head = { format, scope, stack: stack?.name ?? null, ...(template ? { template } : {}) };
  process.stdout.write(`${JSON.stringify({ ...head, ...rest, notes }, undefined, 2)}\n`);
}

/** A tenant in a document. */
export const tenantRow = (tenant: {
  readonly name: string;
  readonly group: string;
  readonly state: string;
  readonly version?: string;
  readonly why?: string;
}): object => ({
  name: tenant.name,
  group: tenant.group,
  state: tenant.state,
  version: tenant.version ?? null,
  why: tenant.why ?? null,
});

/** What is said before anything else: where this looked, and which files count. */
export function headLines(
  { history, template, tenants }: Fleet,
  context: string,
  notes: readonly string[],
  screen: Screen,
): string[] {
  const count = history.migrations.length;
  const files = `Template ${template.name}: ${count} migration${count === 1 ? "" : "s"} in ${history.folder}, ${tenants.length} tenant${tenants.length === 1 ? "" : "s"}.`;
  return [...[context, files, ...notes].flatMap((text) => fold(text, screen, screen.width)), ""];
}
