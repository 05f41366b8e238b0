import { parseDuration } from "../../duration";
import type { TenantDatabaseInputs } from "./inputs";

/** What goes on for minutes on a platform (a machine for a tenant) is waited for so long, in ms, where nobody says. */
const longest = 15 * 60_000;

/** How long to wait for a new or moved database, in ms. */
export const patienceOf = ({ timeouts }: Pick<TenantDatabaseInputs, "timeouts">): number =>
  milliseconds(timeouts?.create) ?? longest;

export function milliseconds(timeout: string | undefined): number | undefined {
  const seconds = timeout === undefined ? undefined : parseDuration(timeout, "timeouts.create");
  return seconds === undefined ? undefined : seconds * 1000;
}
