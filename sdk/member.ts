import * as pulumi from "./pulumi";
import { joinPreflight } from "./preflight";
import { isKind, remoteInputs, typeOf } from "./remote";

export interface MemberArgs {
  /** Of an account that exists on the platform; who has none is invited (`Invite`). */
  username: pulumi.Input<string>;
  /** @default "member" */
  role?: pulumi.Input<"admin" | "member" | "viewer">;
  /**
   * What to do with somebody who is a member already, in another role: "never" refuses, "unowned" gives them this one. Who
   * has the role declared is taken as they are.
   * @default "never"
   */
  adopt?: pulumi.Input<"never" | "unowned">;
  /**
   * What removing the resource does: "delete" ends the membership, "retain" leaves it.
   * @default "delete" for whom this stack added, "retain" for who was a member before
   */
  deletionPolicy?: pulumi.Input<"delete" | "retain">;
  /** One of `tenantry:connections`. @default the stack's own */
  connection?: string;
}

/**
 * A member of the organization. Its owner is never changed or removed.
 *
 * ```ts
 * new tenantry.Member("ada", { username: "ada", role: "admin" });
 * ```
 */
export class Member extends pulumi.CustomResource {
  declare readonly username: pulumi.Output<string>;
  declare readonly role: pulumi.Output<"admin" | "member" | "viewer">;
  /** Where it is: platform, organization and host. */
  declare readonly scope: pulumi.Output<string>;

  static override isInstance(value: unknown): value is Member {
    return isKind(value, "member");
  }

  constructor(name: string, args: MemberArgs, opts: pulumi.CustomResourceOptions = {}) {
    const registered = { role: undefined, scope: undefined, ...remoteInputs("member", name, { ...args }, opts) };
    super(typeOf("member"), name, registered, { deleteBeforeReplace: true, ...opts });
    joinPreflight(args?.connection, this.scope);
  }
}
