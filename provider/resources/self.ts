/**
 * Who a resource is, as one input: `organization/project/stack/name`. The host tells a handler none of that, so the SDK
 * passes it; diff ignores it (a renamed stack or a moved project changes nothing). A child of a component has its
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
