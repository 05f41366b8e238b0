import type { Context } from "../context";
import { TenantryError } from "../platform/errors";

/**
 * A delete that finds a newer incarnation of its own resource leaves the thing to that one. If state has no such one,
 * because the forced replacement that made it was killed in between, that would leave it to nobody: it fails instead.
 */
export function requireKnownSuccessor(context: Context, name: string, incarnation: string): void {
  if (context.incarnations.has(incarnation)) return;
  throw new TenantryError(
    "needs-decision",
    `${name}: a forced replacement took it over and was broken off, or its registry is an old copy, so it is not known ` +
      "whether to delete it.",
    { fix: "With the resource in the program, run `pulumi up --replace <its URN>`; then delete it again." },
  );
}
