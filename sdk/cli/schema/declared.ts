import { z } from "zod";
import { typeToken } from "../../../provider/resources/self";
import type { PolicyInputs } from "../../../provider/rollout/fleet/policy";
import type { FleetTenant } from "../../../provider/rollout/fleet/waves";
import { type TemplateRef, parseTemplateRef } from "../../../provider/rollout/template-ref";
import { type StackState, inFleet } from "../stack";

/** A template as a stack's state has it, with who follows it. */
export interface DeclaredTemplate extends TemplateRef {
  /** Those of rollouts and fleets in their order, then all others. */
  readonly tenants: readonly DeclaredTenant[];
  /** Of the first rollout, or fleet, over it. */
  readonly policy: PolicyInputs;
  /** Names of the rollouts and fleets over it. */
  readonly rollouts: readonly string[];
}

/** Without a group it is to be looked up. */
export type DeclaredTenant = Omit<FleetTenant, "group"> & Partial<Pick<FleetTenant, "group">>;

const labels = z.record(z.string(), z.string()).optional();
const share = z.union([z.number(), z.record(z.string(), z.string())]);
const policy = z.object({
  canary: z.union([z.array(z.string()), z.number(), z.record(z.string(), z.string())]).optional(),
  waves: z.array(share).optional(),
  concurrency: z.number().optional(),
  maxFailures: z.union([z.number(), z.string()]).optional(),
  pauseBetween: z.string().optional(),
  onFailure: z.enum(["stop", "quarantine"]).optional(),
  timeout: z.string().optional(),
  lockTimeout: z.string().optional(),
  allowDestructive: z.array(z.string()).optional(),
  verify: z.boolean().optional(),
});

const connection = z.string().optional();
const template = z.object({ ref: z.string(), connection });
const tenant = z.object({ name: z.string(), group: z.string(), schema: z.string(), labels, connection });
const member = z.object({ name: z.string(), group: z.string().optional(), labels });
const fleet = z.object({ packed: z.string(), rollout: policy.optional(), connection });
const rollout = policy.extend({ schema: z.string(), tenants: z.array(member), connection });

/** What a stack declares on one connection, by template's name. What has another shape, or has expired, is passed over. */
export function declaredTemplates(
  { resources }: Pick<StackState, "resources">,
  of: string | undefined,
): Map<string, DeclaredTemplate> {
  const read = <Shape extends z.ZodType<{ connection?: string | undefined }>>(kind: string, shape: Shape) =>
    resources.flatMap(({ urn, type, outputs }) => {
      if (type !== typeToken(kind) || outputs["status"] === "expired") return [];
      const { success, data } = shape.safeParse(outputs);
      return success && data.connection === of ? [{ name: urn.slice(urn.lastIndexOf("::") + 2), of: data }] : [];
    });
  const found = new Map<string, Mutable>();
  const meet = (text: string): Mutable | undefined => {
    const ref = parseTemplateRef(text);
    if (!ref) return undefined;
    const known = found.get(ref.name) ?? { ref, tenants: new Map(), policy: {}, rollouts: [] };
    found.set(ref.name, known);
    return known;
  };
  for (const one of read("schemaTemplate", template)) meet(one.of.ref);
  for (const { name, of: data } of read("schemaRollout", rollout)) {
    const known = meet(data.schema);
    if (!known) continue;
    if (known.rollouts.length === 0) known.policy = policy.parse(data);
    known.rollouts.push(name);
    for (const one of data.tenants) known.tenants.set(one.name, one);
  }
  for (const { name, of: data } of read("tenantFleet", fleet)) {
    const records = inFleet(data).filter(({ state }) => state !== "expired");
    const names = new Map(records.map((record) => [record.id, record.name]));
    for (const { name: database, profile } of records) {
      const known = profile.schema === undefined ? undefined : meet(profile.schema);
      if (!known) continue;
      if (known.rollouts.length === 0) known.policy = byDatabase(data.rollout, names);
      if (!known.rollouts.includes(name)) known.rollouts.push(name);
      known.tenants.set(database, { name: database, group: profile.group, labels: profile.labels });
    }
  }
  for (const { of: data } of read("tenantDatabase", tenant)) {
    const { name, group, labels: given } = data;
    meet(data.schema)?.tenants.set(name, { name, group, labels: given });
  }
  return new Map(
    [...found].map(([name, { ref, tenants, ...rest }]) => [name, { ...ref, ...rest, tenants: [...tenants.values()] }]),
  );
}

/** A fleet's canary is given in its tenants' ids. */
function byDatabase(of: PolicyInputs = {}, names: ReadonlyMap<string, string>): PolicyInputs {
  const { canary } = of;
  return Array.isArray(canary) ? { ...of, canary: canary.map((id: string) => names.get(id) ?? id) } : of;
}

interface Mutable {
  readonly ref: TemplateRef;
  readonly tenants: Map<string, DeclaredTenant>;
  policy: PolicyInputs;
  readonly rollouts: string[];
}
