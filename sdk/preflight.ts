import * as pulumi from "@pulumi/pulumi";
import type { Platform } from "../provider/platform/platform";

/** Something that must be there before the first write. `where` names the resource and the property. */
export interface Need {
  readonly what: "location" | "group";
  readonly value: string;
  readonly where: string;
  readonly connection: string | undefined;
}

/**
 * In a preview the engine calls neither create nor update, so what needs the platform is looked up here, in the
 * program's process: a few read-only calls, shared by all resources, and all that is wrong is said at once. Outside a
 * preview there is no preflight: applying nothing costs nothing.
 */
function createPreflight() {
  let needs: Need[] = [];
  let round: Promise<void> | undefined;

  const start = async (): Promise<void> => {
    // Resources that are declared in the same turn are looked up together.
    await new Promise<void>((resolve) => setImmediate(resolve));
    const asked = needs;
    needs = [];
    round = undefined;
    const problems = await findProblems(asked);
    if (problems.length === 0) return;
    const list = problems.length === 1 ? problems[0] : problems.map((problem) => `\n  - ${problem}`).join("");
    throw new pulumi.RunError(`tenantry: ${list}`);
  };

  return {
    /** Asks that something be looked up before anything is registered. */
    require(need: Need): void {
      if (pulumi.runtime.isDryRun()) needs.push(need);
    },
    /** The value, once the preflight that it belongs to has found nothing wrong. */
    gate<T>(value: pulumi.Input<T>): pulumi.Input<T> {
      if (!pulumi.runtime.isDryRun()) return value;
      round ??= start();
      const passed = round;
      return pulumi.output(value).apply(async (settled) => {
        await passed;
        return settled;
      }) as unknown as pulumi.Input<T>;
    },
  };
}

export const preflight = createPreflight();

/** The stack's configuration without its prefix, as the drivers read it. */
export function stackConfig(): Record<string, string | undefined> {
  const prefix = "tenantry:";
  const all: Record<string, string> = pulumi.runtime.allConfig();
  return Object.fromEntries(
    Object.entries(all)
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, value]) => [key.slice(prefix.length), value]),
  );
}

const platforms = new Map<string | undefined, Promise<Platform>>();

/** The platform of a connection, in the program's process. Loaded late: a program that asks nothing loads no driver. */
export function platformOf(connection: string | undefined): Promise<Platform> {
  const known = platforms.get(connection);
  if (known) return known;
  const opened = (async () => {
    const [{ readSettings }, { selectPlatform }] = await Promise.all([
      import("../provider/platform/settings.js"),
      import("../provider/platform/select.js"),
    ]);
    return selectPlatform(readSettings(stackConfig(), process.env, connection));
  })();
  platforms.set(connection, opened);
  return opened;
}

async function findProblems(needs: readonly Need[]): Promise<string[]> {
  const connections = new Set<string | undefined>(needs.map((need) => need.connection));
  if (connections.size === 0) connections.add(undefined);
  const found = await Promise.all(
    [...connections].map((connection) =>
      ofConnection(
        connection,
        needs.filter((need) => need.connection === connection),
      ),
    ),
  );
  return found.flat();
}

async function ofConnection(connection: string | undefined, needs: readonly Need[]): Promise<string[]> {
  try {
    const platform = await platformOf(connection);
    const groups = new Set((await platform.listGroups()).map((group) => group.name));
    const wanted = needs.filter((need) => need.what === "location");
    const locations = wanted.length > 0 ? (await platform.listLocations()).map((location) => location.code) : [];
    return [
      ...wanted
        .filter((need) => !locations.includes(need.value))
        .map((need) => `${need.where}: there is no location "${need.value}"; there are ${locations.join(", ")}.`),
      ...needs
        .filter((need) => need.what === "group" && !groups.has(need.value))
        .map((need) => `${need.where}: there is no group "${need.value}"; ${known(groups)}`),
    ];
  } catch (error) {
    const { TenantryError } = await import("../provider/platform/errors.js");
    if (error instanceof TenantryError) return [error.message];
    throw error;
  }
}

const known = (groups: ReadonlySet<string>): string =>
  groups.size > 0 ? `there are ${[...groups].join(", ")}.` : "there is none yet: declare it as a Group.";
