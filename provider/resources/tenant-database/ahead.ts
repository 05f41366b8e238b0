import type { Context } from "../../context";
import { cancelled } from "../../http/cancellation";
import type { Snapshot } from "../../platform/listing";
import type { PlatformDatabase } from "../../platform/platform";
import type { Claim, ClaimRequest } from "../../registry/claim";
import type { Registry } from "../../registry/registry";
import { randomId } from "../../random-id";
import { type TenantDatabaseInputs, schemaOf } from "./inputs";

/**
 * Intents written ahead. The engine creates a few resources at a time, and each would first wait for a trip to the
 * registry. But check has seen those that come next: once a create shows that this is no preview, their intents travel
 * with its own. Only names and addresses that nobody has are claimed so; all else is claimed when its turn comes.
 */
interface Ahead {
  /** New tenants that check let pass, by group and address, in the order of the program. */
  readonly expected: Map<string, Map<string, TenantDatabaseInputs>>;
  /** Written for those whose create has not begun; undefined: it could not be, or was not free. By address. */
  readonly intents: Map<string, { readonly registry: Registry; readonly granted: Promise<Granted | undefined> }>;
}

export interface Granted {
  readonly request: ClaimRequest;
  readonly claim: Claim;
}

/** How many intents may stand before their creates: no more than a broken run should leave behind. */
const lead = 32;

const aheads = new WeakMap<Context, Ahead>();

function aheadOf(context: Context): Ahead {
  const known = aheads.get(context);
  if (known) return known;
  const ahead: Ahead = { expected: new Map(), intents: new Map() };
  aheads.set(context, ahead);
  cancelled.addEventListener("abort", () => void releaseIntents(context), { once: true });
  return ahead;
}

/** Told of a tenant that state does not have and whose inputs are in order. */
export function expectTenant(context: Context, inputs: TenantDatabaseInputs): void {
  // Its end is counted from the create on, and what is taken from others is never taken ahead.
  if (inputs.expiresIn !== undefined || (inputs.adopt ?? "never") !== "never") return;
  const { expected } = aheadOf(context);
  const ofGroup = expected.get(inputs.group) ?? new Map<string, TenantDatabaseInputs>();
  expected.set(inputs.group, ofGroup.set(inputs.self, inputs));
}

/** The claim that a create asks for, where it may have been written ahead. */
export async function claimTenant(
  context: Context,
  registry: Registry,
  before: Snapshot<PlatformDatabase>,
  { group, self }: TenantDatabaseInputs,
  request: ClaimRequest,
): Promise<Granted> {
  const { expected, intents } = aheadOf(context);
  const early = intents.get(self);
  intents.delete(self);
  const next = expected.get(group) ?? new Map<string, TenantDatabaseInputs>();
  next.delete(self);
  for (const [address, inputs] of next) {
    if (intents.size >= lead) break;
    next.delete(address);
    const ahead = claimRequest(inputs, before, inputs.expiresAt);
    const granted = registry.claimIfFree(ahead).then(
      (claim) => claim && { request: ahead, claim },
      () => undefined,
    );
    intents.set(address, { registry, granted });
  }
  const granted = request.spared?.length ? undefined : await early?.granted;
  return granted && isSame(granted.request, request) ? granted : { request, claim: await registry.claim(request) };
}

/** Takes back what is written ahead: after a failure the engine begins no other create. */
export async function releaseIntents(context: Context): Promise<void> {
  const { expected, intents } = aheadOf(context);
  const open = [...intents.values()];
  expected.clear();
  intents.clear();
  // An intent without a database does no harm: the next run takes it over.
  await Promise.allSettled(
    open.map(async ({ registry, granted }) => {
      const intent = await granted;
      if (intent) await registry.release(intent.claim);
    }),
  );
}

export function claimRequest(
  inputs: TenantDatabaseInputs,
  before: Snapshot<PlatformDatabase>,
  expiresAt: string | undefined,
): ClaimRequest {
  return {
    kind: "database",
    name: inputs.name,
    keepsName: inputs.nameIsDefault,
    address: inputs.self,
    formerAddresses: inputs.formerly ?? [],
    owner: randomId(),
    incarnation: randomId(),
    existed: before.byName.has(inputs.name),
    defaultName: inputs.nameIsDefault === true,
    template: schemaOf(inputs)?.name,
    tenant: inputs.tenant,
    expiresAt,
    force: inputs.adopt === "force",
    takesRuntime: inputs.adopt === "unowned",
  };
}

function isSame(a: ClaimRequest, b: ClaimRequest): boolean {
  return (["name", "defaultName", "template", "tenant", "expiresAt", "force", "takesRuntime"] as const).every(
    (key) => a[key] === b[key],
  );
}
