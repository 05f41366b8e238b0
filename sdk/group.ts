import * as pulumi from "./pulumi";
import { nameFrom } from "../provider/resources/name";
import { type Need, joinPreflight } from "./preflight";
import { isKind, remoteInputs, typeOf } from "./remote";

export interface GroupArgs {
  /**
   * The group's name on the platform. Lowercase letters, digits and dashes, at most 64.
   * @default the resource's name, made valid
   */
  name?: pulumi.Input<string>;
  /** Code of the location, such as "aws-eu-west-1"; see `getLocations`. It cannot change later. */
  location: pulumi.Input<string>;
  /**
   * The platform refuses to delete the group while this is true.
   * @default left as it is
   */
  deleteProtection?: pulumi.Input<boolean>;
  /** libSQL extensions of the group's databases; they cannot change later. Turso. */
  extensions?: pulumi.Input<"all" | pulumi.Input<string>[]>;
  /**
   * What to do with a group of that name that exists already and holds databases: "never" refuses, "unowned" takes it
   * over if no other stack has it, "force" takes it from another one. An adopted group is left alone by destroy.
   * @default "never"
   */
  adopt?: pulumi.Input<"never" | "unowned" | "force">;
  /** Any text; a change of it makes every token of the group and of its databases invalid. */
  rotate?: pulumi.Input<string>;
  /**
   * For how long they stay good all the same, such as "1h", where the platform can (libsql-server).
   * @default they end at once
   */
  rotateGrace?: pulumi.Input<string>;
  /** One of `tenantry:connections`. @default the stack's own */
  connection?: string;
}

/**
 * A group: the place that databases live in. Deleting it deletes only what this stack knows of; a group that holds other
 * databases is refused.
 *
 * ```ts
 * const eu = new tenantry.Group("eu", { location: "aws-eu-west-1" });
 * ```
 */
export class Group extends pulumi.CustomResource {
  declare readonly name: pulumi.Output<string>;
  declare readonly location: pulumi.Output<string>;
  /** The platform's id of the group. */
  declare readonly groupId: pulumi.Output<string>;
  /** Where it lives: platform, organization and host. */
  declare readonly scope: pulumi.Output<string>;

  static override isInstance(value: unknown): value is Group {
    return isKind(value, "group");
  }

  constructor(name: string, args: GroupArgs, opts: pulumi.CustomResourceOptions = {}) {
    const need: Need | undefined =
      typeof args?.location === "string"
        ? { what: "location", value: args.location, where: `${name}: location` }
        : undefined;
    const inputs = {
      ...args,
      name: args?.name ?? nameFrom(name),
      nameIsDefault: args?.name === undefined || undefined,
    };
    const outputs = { groupId: undefined, scope: undefined };
    super(typeOf("group"), name, { ...outputs, ...remoteInputs("group", name, inputs, opts) }, opts);
    joinPreflight(args?.connection, this.scope, need, { id: this.id, thing: { where: name, group: inputs.name } });
  }
}
