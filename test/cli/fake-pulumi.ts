import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";

export interface FakeStack {
  /** organization/project/stack */
  readonly name: string;
  /** Ids of its resources, by type and name, such as `TenantDatabase acme`. */
  readonly resources?: Readonly<Record<string, string>>;
  /** What state has of each, by the same keys; nothing where it is left out. */
  readonly outputs?: Readonly<Record<string, object>>;
  readonly pending?: readonly string[];
  /** Those that the engine refuses to delete, by the same keys. */
  readonly protected?: readonly string[];
  /** Its config cannot be read, as without its passphrase. */
  readonly locked?: boolean;
  readonly config?: Readonly<Record<string, string>>;
}

/**
 * A stand-in for the engine's command line in `folder`, which has to be on PATH: it knows one stack, which is selected,
 * prints its full name, config and state, and refuses all others.
 */
export async function writeFakePulumi(
  folder: string,
  { name, resources = {}, outputs = {}, pending = [], protected: kept = [], locked, config = {} }: FakeStack,
) {
  const [, project, stack] = name.split("/");
  const urn = (type: string, of: string) => `urn:pulumi:${stack}::${project}::${type}::${of}`;
  const state = {
    version: 3,
    deployment: {
      resources: Object.entries(resources).map(([what, id]) => {
        const [kind, of = ""] = what.split(" ");
        const type = `pulumi-nodejs:dynamic/tenantry:${kind}`;
        return { urn: urn(type, of), type, id, outputs: outputs[what], protect: kept.includes(what) || undefined };
      }),
      pending_operations: pending.map((of) => ({
        resource: { urn: urn("pulumi-nodejs:dynamic/tenantry:TenantDatabase", of) },
        type: "creating",
      })),
    },
  };
  const entries = Object.entries(config).map(([key, value]) => [key, { value, secret: false }]);
  const script = `#!/bin/sh
case "$*" in
  *"--stack ${stack} "* | *"--stack ${name} "*) ;;
  *--stack*) echo "error: no stack named 'other' found" >&2; exit 6 ;;
esac
case "$1 $2" in
  "stack --show-name") echo '${name}' ;;
  "stack export") printf '%s' '${JSON.stringify(state)}' ;;
  "config --json") ${locked ? `echo "error: incorrect passphrase" >&2; exit 1` : ":"}; echo '${JSON.stringify(Object.fromEntries(entries))}' ;;
  *) echo "error: unknown" >&2; exit 1 ;;
esac
`;
  await writeFile(join(folder, "pulumi"), script);
  await chmod(join(folder, "pulumi"), 0o755);
}
