import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { TenantryError } from "../../../provider/platform/errors";
import { NoAnswer, askPulumi } from "../pulumi";
import { markOf } from "../../../provider/resources/api-token";
import { typeToken } from "../../../provider/resources/self";
import { type Stack, type StackState, readState } from "../stack";
import { type Check, counted, failed, ok, warning } from "./check";
import { checkpointCheck } from "./checkpoint";
import { lockChecks } from "./lock";

/** What a killed run leaves in a stack's state: a torn checkpoint, a lock, pending operations; repaired in this order. */
export async function* stateChecks(stack: Stack): AsyncGenerator<Check> {
  const folder = await backendFolder();
  const torn = folder === undefined ? undefined : await checkpointCheck(folder, stack);
  if (torn) yield torn;
  if (folder !== undefined) yield* await lockChecks(folder, stack);
  // It would only fail of the same.
  if (torn) return;
  yield await pendingCheck(stack);
}

async function pendingCheck(stack: Stack): Promise<Check> {
  const name = "state";
  try {
    const { holdings, pending } = await readState(stack);
    if (pending.length === 0) {
      return ok(name, `"${stack.name}" (${stack.from}) has ${counted(holdings.length, "group or database")}, complete`);
    }
    const shown = pending.slice(0, 5).map(({ type, urn }) => `${type} ${urn.slice(urn.lastIndexOf("::") + 2)}`);
    const more = pending.length > shown.length ? `, and ${pending.length - shown.length} more` : "";
    const found = `"${stack.name}" has ${counted(pending.length, "pending operation")} of a run that did not end (${shown.join(", ")}${more})`;
    const fix =
      `If no run is at work, run \`pulumi refresh --yes --clear-pending-creates --stack ${stack.name}\`; the next ` +
      "`pulumi up` then adopts what was created.";
    return warning(name, found, [fix, ...pending.flatMap((one) => strayToken(stack, one) ?? [])].join(" "));
  } catch (error) {
    if (!(error instanceof TenantryError)) throw error;
    // Its advice would be to run this.
    return { ...failed(name, error), fix: "Run this in the project's folder, with the backend that the stack is in." };
  }
}

/** An API token cannot be adopted: it is told once. That it is there, only the run knew that was killed. */
export function strayToken(stack: Stack, { type, urn }: StackState["pending"][number]): string | undefined {
  const [, types = "", ...rest] = urn.slice("urn:pulumi:".length).split("::").slice(1);
  const kind = typeToken("apiToken");
  if (type !== "creating" || !types.endsWith(kind)) return undefined;
  const name = rest.join("::");
  const mark = markOf(`${stack.name}/${types.slice(0, -kind.length)}${name}`);
  return (
    `An API token may have been made for "${name}" that nobody has: ` +
    `revoke what \`npx tenantry org tokens\` lists with "${mark}" in its name, unless another stack uses it.`
  );
}

/** Where a file backend keeps its `.pulumi`; undefined for other backends, or where it cannot be told. */
async function backendFolder(): Promise<string | undefined> {
  try {
    const { url } = JSON.parse(await askPulumi(["whoami", "--json", "-v"])) as { url?: unknown };
    return typeof url === "string" ? folderOf(url) : undefined;
  } catch (error) {
    if (error instanceof NoAnswer || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** `file:///srv/state`, `file://~/state` and `file://./state`, as `pulumi login` takes them. */
export function folderOf(url: string): string | undefined {
  const [, path] = /^file:\/\/([^?]*)/.exec(url) ?? [];
  if (path === undefined) return undefined;
  if (/^~(?:$|[\\/])/.test(path)) return join(homedir(), path.slice(1));
  return path.startsWith("/") ? fileURLToPath(`file://${path}`) : resolve(path);
}
