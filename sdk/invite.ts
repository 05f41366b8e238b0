import * as pulumi from "./pulumi";
import { joinPreflight } from "./preflight";
import { isKind, remoteInputs, typeOf } from "./remote";

export interface InviteArgs {
  /** Where the invitation goes. Give this or `username`. */
  email?: pulumi.Input<string>;
  /** Of an account that exists on the platform. */
  username?: pulumi.Input<string>;
  /** What they are once they have accepted. @default "member" */
  role?: pulumi.Input<"admin" | "member" | "viewer">;
  /** One of `tenantry:connections`. @default the stack's own */
  connection?: string;
}

/**
 * An invitation to the organization. Once it is accepted it is done: nothing is sent again, and removing the resource
 * leaves the member; a `Member` is what removes one. Removing one that is open withdraws it.
 *
 * ```ts
 * new tenantry.Invite("grace", { email: "grace@example.com", role: "viewer" });
 * ```
 */
export class Invite extends pulumi.CustomResource {
  /** "open", or "accepted": they are a member now, as of the last refresh. */
  declare readonly status: pulumi.Output<"open" | "accepted">;
  /** Where it went to. */
  declare readonly address: pulumi.Output<string>;
  declare readonly role: pulumi.Output<"admin" | "member" | "viewer">;
  /** Where it is: platform, organization and host. */
  declare readonly scope: pulumi.Output<string>;

  static override isInstance(value: unknown): value is Invite {
    return isKind(value, "invite");
  }

  constructor(name: string, args: InviteArgs, opts: pulumi.CustomResourceOptions = {}) {
    const outputs = { status: undefined, address: undefined, role: undefined, scope: undefined };
    const registered = { ...outputs, ...remoteInputs("invite", name, { ...args }, opts) };
    super(typeOf("invite"), name, registered, { deleteBeforeReplace: true, ...opts });
    joinPreflight(args?.connection, this.scope);
  }
}
