import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { TenantryError } from "../../provider/platform/errors";
import type { ClaimKind } from "../../provider/registry/claim";
import { typeToken } from "../../provider/resources/self";
import { unpackFleet } from "../../provider/resources/tenant-fleet/pack";
import { type MadeRecord, isMade, ownerOf } from "../../provider/resources/tenant-fleet/record";
import { NoAnswer, askPulumi } from "./pulumi";

/** A stack that a command was given, or that is selected where it runs. */
export interface Stack {
  /** `organization/project/stack`, as `pulumi` takes it and as the registry's addresses begin. */
  readonly name: string;
  readonly from: "--stack" | "selected in this folder";
}

/** What a stack's state has of the registry's things, and what its last run left open. */
export interface StackState {
  readonly holdings: readonly Holding[];
  /** Those of Tenantry, of every kind, in the order of their making. */
  readonly resources: readonly StackResource[];
  readonly pending: readonly { readonly type: string; readonly urn: string }[];
}

export interface Holding {
  readonly urn: string;
  readonly kind: ClaimKind;
  /** As the claim's. */
  readonly owner: string;
}

export interface StackResource {
  readonly urn: string;
  readonly type: string;
  readonly id: string | undefined;
  /** Whether the engine refuses to delete it; undefined: no. */
  readonly protect: boolean | undefined;
  /** As state holds them, but for the secret ones, which are left out. */
  readonly outputs: Readonly<Record<string, unknown>>;
}

const kinds: Readonly<Record<string, ClaimKind>> = {
  [typeToken("tenantDatabase")]: "database",
  [typeToken("group")]: "group",
};

/**
 * The stack given, in full; or the selected one, undefined where there is none to be told. Fails with "not-configured"
 * for one that was given and is not there.
 */
export async function findStack(given: string | undefined): Promise<Stack | undefined> {
  if (given === undefined && !inProject()) return undefined;
  try {
    const which = given === undefined ? [] : ["--stack", given];
    const name = (await askPulumi(["stack", "--show-name", "-Q", ...which])).trim();
    if (name.split("/").length !== 3) throw new NoAnswer("`pulumi stack --show-name -Q` printed something else");
    return { name, from: given === undefined ? "selected in this folder" : "--stack" };
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    if (given === undefined) return undefined;
    throw new TenantryError("not-configured", `The stack "${given}" cannot be found: ${error.message}.`, {
      fix: "Run this in the project's folder; `pulumi stack ls` shows the stacks.",
    });
  }
}

const exported = z.object({
  deployment: z.object({
    resources: z
      .array(
        z.object({
          urn: z.string(),
          type: z.string(),
          id: z.string().optional(),
          delete: z.boolean().optional(),
          protect: z.boolean().optional(),
          outputs: z.record(z.string(), z.unknown()).nullish(),
        }),
      )
      .nullish()
      .transform((resources) => resources ?? []),
    pending_operations: z
      .array(z.object({ type: z.string(), resource: z.object({ urn: z.string() }) }))
      .nullish()
      .transform((operations) => operations ?? []),
  }),
});

/** Reads a stack's state through `pulumi stack export`, without its secrets. Fails with "not-configured". */
export async function readState({ name }: Stack): Promise<StackState> {
  try {
    const { deployment } = exported.parse(JSON.parse(await askPulumi(["stack", "export", "--stack", name])));
    return {
      holdings: deployment.resources.flatMap(({ urn, type, id, outputs }): Holding[] => {
        if (type === typeToken("tenantFleet"))
          return inFleet(outputs ?? {}).map((record) => ({ urn, ...heldBy(record) }));
        return kinds[type] && id !== undefined ? [{ urn, kind: kinds[type], owner: id }] : [];
      }),
      resources: deployment.resources
        .filter((one) => one.type.startsWith(typePrefix) && !one.delete)
        .map(({ urn, type, id, protect, outputs }) => ({
          ...{ urn, type, id, protect },
          outputs: withoutSecrets(outputs ?? {}),
        })),
      pending: deployment.pending_operations.map(({ type, resource }) => ({ type, urn: resource.urn })),
    };
  } catch (error) {
    const why = error instanceof NoAnswer ? error.message : "`pulumi stack export` printed something else";
    throw new TenantryError("not-configured", `The state of stack "${name}" cannot be read: ${why}.`, {
      fix: `\`npx tenantry doctor --stack ${name}\` says what is wrong with it.`,
    });
  }
}

/** The tenants that a fleet has a database of. */
export const inFleet = ({ packed }: Readonly<Record<string, unknown>>): MadeRecord[] =>
  typeof packed === "string" ? unpackFleet(packed).filter(isMade) : [];

const heldBy = (record: MadeRecord) => ({ kind: "database", owner: ownerOf(record) }) as const;

const typePrefix = typeToken("a").slice(0, -1);

/** The engine puts an object with this key around a secret, whose value is encrypted there. */
const secretMark = "4dabf18193072939515e22adb298388d";

const withoutSecrets = (outputs: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(outputs).filter(
      ([, value]) => !(typeof value === "object" && value !== null && secretMark in value),
    ),
  );

/** Asking `pulumi` elsewhere takes a second for nothing. */
function inProject(folder = process.cwd()): boolean {
  if (["yaml", "yml", "json"].some((ending) => existsSync(join(folder, `Pulumi.${ending}`)))) return true;
  return dirname(folder) !== folder && inProject(dirname(folder));
}
