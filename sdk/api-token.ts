import * as pulumi from "./pulumi";
import { nameFrom } from "../provider/resources/name";
import { Group } from "./group";
import { type Need, joinPreflight } from "./preflight";
import { isKind, remoteInputs, typeOf } from "./remote";

export interface ApiTokenArgs {
  /**
   * What its name on the platform begins with; to it comes an ending of its own, since no two tokens have one name.
   * Lowercase letters, digits and dashes, at most 46.
   * @default the resource's name, made valid
   */
  name?: pulumi.Input<string>;
  /** The only group that it may do anything in: a Group, or a name. @default none: all of the organization */
  group?: Group | pulumi.Input<string>;
  /** What it may do in its group, such as "db:create". @default ["read"] with a group */
  scopes?: pulumi.Input<pulumi.Input<string>[]>;
  /** Any text; a change of it makes another token, and revokes this one. */
  rotate?: pulumi.Input<string>;
  /** One of `tenantry:connections`. @default the stack's own */
  connection?: string;
}

/**
 * A token of the platform's API, for a pipeline or an application that provisions. It is kept as a secret in state and
 * never read back. Removing the resource revokes it: it is refused from then on. The platform gives it no end.
 *
 * ```ts
 * const deploy = new tenantry.ApiToken("deploy", { group: eu, scopes: ["read", "db:create", "group:mint-token"] });
 * export const token = deploy.token;
 * ```
 */
export class ApiToken extends pulumi.CustomResource {
  /** The token itself, secret. */
  declare readonly token: pulumi.Output<string>;
  /** The platform's id of it. */
  declare readonly tokenId: pulumi.Output<string>;
  /** Its whole name on the platform. */
  declare readonly tokenName: pulumi.Output<string>;
  /** Where it is: platform, organization and host. */
  declare readonly scope: pulumi.Output<string>;

  static override isInstance(value: unknown): value is ApiToken {
    return isKind(value, "apiToken");
  }

  constructor(name: string, args: ApiTokenArgs = {}, opts: pulumi.CustomResourceOptions = {}) {
    const need: Need | undefined =
      typeof args?.group === "string" ? { what: "group", value: args.group, where: `${name}: group` } : undefined;
    const inputs = {
      ...args,
      name: args?.name ?? nameFrom(name, 46),
      nameIsDefault: args?.name === undefined || undefined,
      group: Group.isInstance(args?.group) ? args.group.name : args?.group,
    };
    const outputs = { token: undefined, tokenId: undefined, tokenName: undefined, scope: undefined };
    const additionalSecretOutputs = [...(opts.additionalSecretOutputs ?? []), "token"];
    const registered = { ...outputs, ...remoteInputs("apiToken", name, inputs, opts) };
    super(typeOf("apiToken"), name, registered, { ...opts, additionalSecretOutputs });
    joinPreflight(args?.connection, this.token, need);
  }
}
