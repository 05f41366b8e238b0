/**
 * Who a resource is, as one input: `organization/project/stack/name`. The host tells a handler none of that, so the SDK
 * passes it. A child of a component has its
 * parents' types before its name: `organization/project/stack/my:app:Shop$acme`.
 */
export interface Self {
  readonly stack: string;
  /** Name with its parents' types: what distinguishes it within the stack. */
  readonly resource: string;
  readonly name: string;
}

export function parseSelf(self: string): Self {
  const [organization = "", project = "", stack = "", ...rest] = self.split("/");
  const resource = rest.join("/");
  return {
    stack: `${organization}/${project}/${stack}`,
    resource,
    name: resource.slice(resource.lastIndexOf("$") + 1),
  };
}

/**
 * The resource was renamed, or it or its stack moved. The claim has to follow, which is all that such an update does: by
 * its address a forced replacement finds the database again, and a stack that had it before is kept from it.
 */
export const hasMoved = (olds: { readonly self: string }, news: { readonly self: string }): boolean =>
  olds.self !== news.self;

/**
 * The same state can be in two stacks (`pulumi stack export` and `import`): the one that ran `up` last has the claim.
 * Within a stack the address may lag behind a renamed resource.
 */
export const isOfOtherStack = (address: string, self: string): boolean =>
  parseSelf(address).stack !== parseSelf(self).stack;

/** The engine's own name for the resource, to which its log lines belong. */
export function urnOf(self: string, type: string): string {
  const { stack, resource, name } = parseSelf(self);
  const [, project = "", stackName = ""] = stack.split("/");
  const parents = resource.slice(0, resource.length - name.length);
  return `urn:pulumi:${stackName}::${project}::${parents}${type}::${name}`;
}

/** The type token of a kind: "TenantDatabase" for `tenantDatabase`. */
export const typeToken = (kind: string): string =>
  `pulumi-nodejs:dynamic/tenantry:${kind[0]!.toUpperCase()}${kind.slice(1)}`;
