import * as pulumi from "./pulumi";
import { typeToken } from "../provider/resources/self";

/** The kinds of resource, as `tenantry/runtime` exports them. */
export type Kind =
  | "group"
  | "tenantDatabase"
  | "databaseToken"
  | "schemaTemplate"
  | "schemaRollout"
  | "tenantFleet"
  | "member"
  | "invite"
  | "apiToken"
  | "previewBranch";

/**
 * The provider text that the engine keeps with every resource, in inputs and outputs: it only says whom to call. It is
 * in users' state for years, so it is pinned byte for byte by a test. Modules are looked up from the project's folder,
 * which is the host's working directory.
 */
export function providerText(kind: Kind): string {
  return (
    `exports.handler=()=>{try{return require(require.resolve("tenantry/runtime",{paths:["."]})).${kind}}` +
    `catch(e){throw e.stack=e.message="tenantry is not installed here: run npm ci",e}}`
  );
}

/** The type under which the engine knows the kind, e.g. `pulumi-nodejs:dynamic/tenantry:TenantDatabase`. */
export const typeOf = (kind: Kind): string => typeToken(kind);

/** True for a resource of that kind, also one from another copy of this package. */
export function isKind(value: unknown, kind: Kind): boolean {
  return pulumi.Resource.isInstance(value) && (value as { __pulumiType?: string }).__pulumiType === typeOf(kind);
}

/**
 * The inputs of a resource as they are registered. They replace what `pulumi.dynamic.Resource` would do: its way stores
 * the provider's code with every resource.
 *
 * What is not given is left out: the SDK makes an Output of every key, and for each Output four promises with a mapped
 * stack trace, which is most of what a large program does.
 */
export function remoteInputs(
  kind: Kind,
  name: string,
  inputs: pulumi.Inputs,
  opts: pulumi.ResourceOptions,
): pulumi.Inputs {
  const all = {
    ...inputs,
    self: selfOf(kind, name, opts),
    formerly: formerAddresses(kind, name, opts),
    __provider: providerText(kind),
  };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
}

/**
 * Until it is restored, errors are made without a stack. The SDK takes one, mapped to its sources, for each of the four
 * promises of each property that is registered, to find promises that never end: most of what a large program does.
 */
export function withoutStacks(): { restore(): void } {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  return { restore: () => void (Error.stackTraceLimit = limit) };
}

/** The address of a resource: `organization/project/stack/name`, with the parents' types before the name of a component's child. */
export function selfOf(kind: Kind, name: string, opts: pulumi.ResourceOptions): pulumi.Input<string> {
  if (!opts.parent) return `${stackAddress()}/${name}`;
  const type = typeOf(kind);
  return pulumi.createUrn(name, type, opts.parent).apply((urn) => addressOf(urn, type));
}

/** Addresses under which the registry may still know the resource: those of its aliases, and of its parent's. */
export function formerAddresses(
  kind: Kind,
  name: string,
  opts: pulumi.ResourceOptions,
): pulumi.Input<string[]> | undefined {
  const { aliases = [], parent } = opts;
  const type = typeOf(kind);
  const urns = parent
    ? pulumi.allAliases(aliases, name, type, parent, (parent as { __name?: string }).__name ?? name)
    : aliases.map((alias) => pulumi.output(alias).apply((one) => urnOfAlias(one as string | pulumi.Alias, name, type)));
  if (urns.length === 0) return undefined;
  return pulumi.all(urns).apply((all) => all.map((urn) => addressOf(urn, type)));
}

function urnOfAlias(alias: string | pulumi.Alias, name: string, type: string): pulumi.Output<string> {
  if (typeof alias === "string") return pulumi.output(alias);
  return pulumi
    .output([alias.name, alias.type, alias.project, alias.stack])
    .apply(([formerName, formerType, project, stack]) =>
      pulumi.createUrn(formerName ?? name, formerType ?? type, alias.parent, project, stack),
    );
}

/** `urn:pulumi:STACK::PROJECT::PARENTS$TYPE::NAME` as `organization/PROJECT/STACK/PARENTS$NAME`. */
function addressOf(urn: string, type: string): string {
  const [stack = "", project = "", types = "", ...name] = urn.replace("urn:pulumi:", "").split("::");
  const parents = types.endsWith(type)
    ? types.slice(0, types.length - type.length)
    : types.slice(0, types.lastIndexOf("$") + 1);
  return `${organization()}/${project}/${stack}/${parents}${name.join("::")}`;
}

const stackAddress = (): string => `${organization()}/${pulumi.getProject()}/${pulumi.getStack()}`;

/** A program under `pulumi.runtime.setMocks` has an organization only if it was given one. */
function organization(): string {
  try {
    return pulumi.getOrganization();
  } catch {
    return "organization";
  }
}
