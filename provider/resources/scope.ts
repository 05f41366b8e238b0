import type { Context } from "../context";
import { TenantryError } from "../platform/errors";

/** Refuses to work on state that was made somewhere else: its names may mean other people's databases here. */
export async function requireScope(context: Context, recorded: string): Promise<string> {
  const present = await context.scope();
  if (present !== recorded) throw otherScope(recorded, present);
  return present;
}

/** The same as far as it is known without I/O, for diff. */
export function requireKnownScope(context: Context, recorded: string): void {
  const present = context.knownScope;
  if (present !== undefined && present !== recorded) throw otherScope(recorded, present);
}

function otherScope(recorded: string, present: string): TenantryError {
  return new TenantryError(
    "wrong-scope",
    `This resource lives in ${recorded}, but the configuration points to ${present}.`,
    {
      fix: "Point tenantry:platform, tenantry:organization and tenantry:apiUrl back to where it lives, or use another stack.",
    },
  );
}
