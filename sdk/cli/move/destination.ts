import { TenantryError } from "../../../provider/platform/errors";
import { parseSelf, typeToken } from "../../../provider/resources/self";
import type { StackResource } from "../stack";

export interface DestinationFlags {
  readonly toFleet?: string;
  /** A pattern of resource names; true: the default, "{id}". */
  readonly toResources?: string | true;
  readonly to?: string;
  readonly toStack?: string;
}

/** Where tenants are to go: the registry's address of each, by its id. */
export interface Destination {
  addressOf(id: string): string;
  /** For a sentence: `the fleet "prod"`. */
  readonly words: string;
  /** What may be a slip. */
  readonly note: string | undefined;
}

/** `stack`: where the tenants are; `resources`: of its state. Fails with "invalid-input" unless one destination is said. */
export function destinationOf(
  flags: DestinationFlags,
  stack: string,
  resources: readonly StackResource[],
): Destination {
  const { toFleet, toResources, to, toStack = stack } = flags;
  const given = [toFleet, toResources, to].filter((one) => one !== undefined);
  if (given.length !== 1) {
    throw new TenantryError("invalid-input", `Where they are to go was ${given.length === 0 ? "not" : "twice"} said.`, {
      fix: "Pass one of --to-fleet, --to-resources and --to (or --undo, to take back what nobody has taken yet).",
    });
  }
  if (toStack.split("/").length !== 3 || !toStack.split("/").every(Boolean)) {
    throw new TenantryError("invalid-input", `--to-stack: "${toStack}" is not a stack in full.`, {
      fix: 'Write it as ORGANIZATION/PROJECT/STACK; with a file backend the first is "organization".',
    });
  }
  const elsewhere = toStack === stack ? "" : ` of ${toStack}`;
  if (toFleet !== undefined) {
    const known = toStack === stack ? resources.find((one) => isFleet(one, toFleet)) : undefined;
    const resource = known ? parseSelf(String(known.outputs["self"])).resource : toFleet;
    return {
      addressOf: (id) => `${toStack}/${resource}/${encodeURIComponent(id)}`,
      words: `the fleet "${toFleet}"${elsewhere}`,
      note: toStack === stack && !known ? noteOfMissing(toFleet, resources) : undefined,
    };
  }
  if (toResources !== undefined) {
    const pattern = withId(toResources === true ? "{id}" : toResources, "--to-resources");
    const addressOf = (id: string): string => `${toStack}/${pattern.replaceAll("{id}", () => id)}`;
    return { addressOf, words: `resources "${pattern}"${elsewhere}`, note: undefined };
  }
  const { stack: its, resource } = parseSelf(to!);
  if (!its.split("/").every(Boolean) || !resource) {
    throw new TenantryError("invalid-input", `--to: "${to}" is not the address of a resource.`, {
      fix: 'Write it as ORGANIZATION/PROJECT/STACK/RESOURCE; with a file backend the first is "organization".',
    });
  }
  const addressOf = (id: string): string => to!.replaceAll("{id}", () => id);
  return { addressOf, words: to!, note: undefined };
}

const isFleet = ({ type, urn }: StackResource, name: string): boolean =>
  type === typeToken("tenantFleet") && urn.endsWith(`::${name}`);

/** A fleet that is to be made by the same `up` is in no state yet. */
function noteOfMissing(name: string, resources: readonly StackResource[]): string {
  const fleets = resources
    .filter(({ type }) => type === typeToken("tenantFleet"))
    .map(({ urn }) => urn.split("::").at(-1));
  const others = fleets.length > 0 ? ` It has ${fleets.map((fleet) => `"${fleet}"`).join(", ")}.` : "";
  return `The state has no fleet "${name}" yet: it has to be declared under this name.${others}`;
}

function withId(pattern: string, flag: string): string {
  if (pattern.includes("{id}")) return pattern;
  throw new TenantryError("invalid-input", `${flag}: "${pattern}" has no {id} in it, so all would be one.`, {
    fix: `Write it as "{id}", or "tenant-{id}".`,
  });
}
