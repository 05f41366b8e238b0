import type { Context } from "../../context";
import { cancelled } from "../../http/cancellation";
import type { Snapshot } from "../../platform/listing";
import type { PlatformDatabase } from "../../platform/platform";
import type { Claim, ClaimRequest } from "../../registry/claim";
import type { Registry } from "../../registry/registry";
import { randomId } from "../../random-id";
import { dueOf } from "./due";
import { type TenantDatabaseInputs, schemaOf } from "./inputs";

/**
 * Intents written ahead. The engine checks the next resource while it waits for a free hand to create it: once a create
 * has shown that this is no preview, the intent is written meanwhile, or each tenant would first wait for a trip to the
 * registry. Only a name and addresses that nobody has are claimed so; all else is claimed when its turn comes.
 */
interface Ahead {
  /** Where creates have begun, by group. */
  readonly groups: Map<string, { readonly registry: Registry; readonly before: Snapshot<PlatformDatabase> }>;
  /** Written for those whose create has not begun, by address. */
  readonly intents: Map<string, Intent>;
}

interface Intent {
  readonly registry: Registry;
  readonly request: ClaimRequest;
  /** Undefined: it could not be written, or was not free. */
  readonly claim: Promise<Claim | undefined>;
}

const aheads = new WeakMap<Context, Ahead>();

function aheadOf(context: Context): Ahead {
  const known = aheads.get(context);
  if (known) return known;
  const ahead: Ahead = { groups: new Map(), intents: new Map() };
  aheads.set(context, ahead);
  cancelled.addEventListener("abort", () => void releaseIntents(context), { once: true });
  return ahead;
}

/** Told of a tenant that state does not have and whose inputs are in order. */
export function expectTenant(context: Context, inputs: TenantDatabaseInputs): void {
  const { groups, intents } = aheadOf(context);
  const group = groups.get(inputs.group);
  // Its end is counted from the create on, and what is taken from others is never taken ahead.
  if (!group || cancelled.aborted || inputs.expiresIn !== undefined || (inputs.adopt ?? "never") !== "never") return;
  const { registry, before } = group;
  const request = claimRequest(inputs, before, inputs.expiresAt);
  intents.set(inputs.self, { registry, request, claim: registry.claimIfFree(request).catch(() => undefined) });
}

/** The claim that a create asks for, where it may have been written ahead. */
export async function claimTenant(
  context: Context,
  registry: Registry,
  before: Snapshot<PlatformDatabase>,
  { group, self }: TenantDatabaseInputs,
  request: ClaimRequest,
): Promise<{ readonly request: ClaimRequest; readonly claim: Claim }> {
  const { groups, intents } = aheadOf(context);
  groups.set(group, { registry, before });
  const early = intents.get(self);
  intents.delete(self);
  if (early && !request.spared?.length && isSame(early.request, request)) {
    const claim = await early.claim;
    if (claim) return { request: early.request, claim };
  }
  return { request, claim: await registry.claim(request) };
}

/** Takes back what is written ahead: after a failure the engine begins no other create. */
export async function releaseIntents(context: Context): Promise<void> {
  const { groups, intents } = aheadOf(context);
  const open = [...intents.values()];
  intents.clear();
  // Told to go on all the same, it begins one, and then there is a next one again.
  groups.clear();
  // An intent without a database does no harm: the next run takes it over.
  await Promise.allSettled(
    open.map(async ({ registry, claim }) => {
      const intent = await claim;
      if (intent) await registry.release(intent);
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
    expiresAt: dueOf(inputs, expiresAt),
    force: inputs.adopt === "force",
    takesRuntime: inputs.adopt === "unowned",
    restores: inputs.adopt === "restore",
  };
}

function isSame(a: ClaimRequest, b: ClaimRequest): boolean {
  return (
    ["name", "defaultName", "template", "tenant", "expiresAt", "force", "takesRuntime", "restores"] as const
  ).every((key) => a[key] === b[key]);
}
